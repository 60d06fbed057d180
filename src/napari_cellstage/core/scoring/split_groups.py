"""Which cells must stay on one side of a split: those of an image, a movie, a well, a plate or a donor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from napari_cellstage.core.image_facts import ImageFacts

SplitBy = Literal["auto", "image", "well", "plate", "movie", "donor"]
SPLITS: tuple[SplitBy, ...] = get_args(SplitBy)


def split_groups(
    facts: Mapping[int, ImageFacts],
    classes: Mapping[int, Sequence[int]],
    by: SplitBy = "auto",
) -> dict[int, str]:
    """Return the name of each image's group.

    Parameters
    ----------
    facts
        What is known, of the images where anything is.
    classes
        The classes that cells of each image are labelled with; of every image.
    by
        ``"auto"``: by well where each class was seen in two wells or more, else by image. A score on other wells says
        more, as cells of one well share its staining, its focus and its drug; but a class that is in one well only
        could then not be both trained and tested. An image of which nobody said what is asked for is a group by itself.
        All frames of an image are one movie, so ``"movie"`` is its image too; contact sheets know more movies.

    Returns
    -------
    dict
        By image, what its cells share and its name: ``"well P1 A01"``, ``"donor 3"``, ``"image 7"``.
    """
    level = _level(facts, classes) if by == "auto" else by
    return {image_id: _group(image_id, facts.get(image_id, ImageFacts()), level) for image_id in classes}


def _level(facts: Mapping[int, ImageFacts], classes: Mapping[int, Sequence[int]]) -> str:
    wells: dict[int, set[str]] = {}
    for image_id, some in classes.items():
        for class_id in some:
            wells.setdefault(class_id, set()).add(_group(image_id, facts.get(image_id, ImageFacts()), "well"))
    return "well" if wells and all(len(one) > 1 for one in wells.values()) else "image"


def _group(image_id: int, facts: ImageFacts, level: str) -> str:
    if level == "plate" and facts.plate:
        return f"plate {facts.plate}"
    if level == "well" and facts.well:
        return f"well {facts.plate} {facts.well}"
    if level == "donor" and facts.donor:
        return f"donor {facts.donor}"
    return f"image {image_id}"
