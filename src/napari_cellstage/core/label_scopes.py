"""To which images a class may be given in one go, and classes made of treatments or doses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.image_facts import ImageFacts, dose_key, same_doses

ClassedBy = Literal["dose", "treatment"]


@dataclass(frozen=True)
class Scope:
    """Images that may get a class together.

    Parameters
    ----------
    text
        What they share: ``"well B03"``.
    images
        Their numbers.
    origin
        Where such a label is said to come from: ``"image"`` or ``"well"``.
    """

    text: str
    images: tuple[int, ...]
    origin: str


@dataclass(frozen=True)
class FactClasses:
    """A class for each dose or treatment.

    Parameters
    ----------
    scheme
        The classes as they would be.
    names
        Those that stand for a dose or treatment, in order.
    class_of
        Class id of each image whose dose or treatment is known.
    """

    scheme: ClassScheme
    names: tuple[str, ...]
    class_of: dict[int, int]


def scopes_of(image_id: int, images: tuple[int, ...], facts: Mapping[int, ImageFacts]) -> tuple[Scope, ...]:
    """Return the scopes that an image is in, from itself to all images.

    Parameters
    ----------
    image_id
        The image.
    images
        All images of the project.
    facts
        What is known of each, where anything is.
    """
    mine = facts.get(image_id, ImageFacts())
    found = [Scope("this image", (image_id,), "image")]
    if mine.well:
        several = len({one.plate for one in facts.values() if one.well}) > 1
        place = f"well {mine.well}" + (f" of {mine.plate}" if mine.plate and several else "")
        found.append(_shared(place, facts, lambda one: (one.plate, one.well) == (mine.plate, mine.well)))
    if mine.treatment and mine.dose:
        both = f"{mine.treatment} {mine.dose}"
        found.append(_shared(both, facts, lambda one: one.treatment == mine.treatment and _same(one.dose, mine.dose)))
    if mine.treatment:
        text = f"treatment {mine.treatment}"
        found.append(_shared(text, facts, lambda one: one.treatment == mine.treatment))
    if mine.dose:
        found.append(_shared(f"dose {mine.dose}", facts, lambda one: _same(one.dose, mine.dose)))
    if mine.plate:
        found.append(_shared(f"plate {mine.plate}", facts, lambda one: one.plate == mine.plate))
    return (*found, Scope("all images", images, "image"))


def _shared(text: str, facts: Mapping[int, ImageFacts], belongs: Callable[[ImageFacts], bool]) -> Scope:
    return Scope(text, tuple(image_id for image_id, one in facts.items() if belongs(one)), "well")


def _same(one: str, other: str) -> bool:
    return bool(one) and dose_key(one) == dose_key(other)


def classes_by(by: ClassedBy, facts: Mapping[int, ImageFacts], scheme: ClassScheme, labelled: bool) -> FactClasses:
    """Make a class of each dose (in order, none first) or treatment.

    Parameters
    ----------
    by
        What the classes are made of.
    facts
        What is known of each image.
    scheme
        The classes there are.
    labelled
        Whether cells have them already: then they stay and missing ones are added; else the new ones take their place.
    """
    values = {image_id: getattr(one, by) for image_id, one in facts.items() if getattr(one, by)}
    groups = same_doses(values.values()) if by == "dose" else tuple((v,) for v in sorted(set(values.values())))
    names = tuple(group[0] for group in groups)
    kept = labelled or set(names) <= set(scheme.names)
    after = scheme if kept else ClassScheme(kind="ordered" if by == "dose" else "nominal", next_id=scheme.next_id)
    for name in names:
        if name not in after.names:
            after = after.add(name)
    id_of = {value: after.by_name(group[0]).id for group in groups for value in group}
    return FactClasses(after, names, {image_id: id_of[value] for image_id, value in values.items()})
