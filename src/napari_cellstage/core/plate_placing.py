"""What a plate map says of the images of a project: each image finds its well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.plate_map import PlateMap
from napari_cellstage.core.plate_notes import Place, listed


@dataclass(frozen=True)
class Placed:
    """A plate map laid over the images.

    Parameters
    ----------
    facts
        New facts of each image that lies in a well of the map; what the map doesn't say stays.
    problems
        Images without a well, wells without images and the like, each a sentence.
    """

    facts: dict[int, ImageFacts]
    problems: tuple[str, ...]


def place_on(plate_map: PlateMap, facts: Mapping[int, ImageFacts], names: Mapping[int, str]) -> Placed:
    """Find the well of each image in a plate map.

    Parameters
    ----------
    plate_map
        The map. When it names no plate, or one where the images have one only, wells alone are compared.
    facts
        What is known of each image; its well, and its plate where there are several.
    names
        What to call each image in a sentence.
    """
    by_plate, note = _compares_plates(plate_map, facts)
    wells = {_key(place, by_plate): said for place, said in plate_map.wells.items()}
    found: dict[int, ImageFacts] = {}
    for image_id, known in facts.items():
        said = wells.get(_key((known.plate, known.well), by_plate)) if known.well else None
        if said:
            found[image_id] = replace(said, plate=known.plate or said.plate).over(known)
    return Placed(found, (*note, *_problems(plate_map, facts, names, found, by_plate)))


def _compares_plates(plate_map: PlateMap, facts: Mapping[int, ImageFacts]) -> tuple[bool, tuple[str, ...]]:
    """Tell whether plates must agree: not where there is one on each side, whatever each calls it."""
    mapped, shot = plate_map.plates, tuple(dict.fromkeys(one.plate for one in facts.values() if one.plate))
    if not mapped or (len(mapped) == 1 and not shot):
        return False, ()
    if len(mapped) == len(shot) == 1:
        if mapped[0].casefold() == shot[0].casefold():
            return False, ()
        return False, (f"The map's plate '{mapped[0]}' is taken to be the images' plate '{shot[0]}'.",)
    return True, ()


def _key(place: Place, by_plate: bool) -> Place:
    return (place[0].casefold() if by_plate else "", place[1])


def _problems(
    plate_map: PlateMap,
    facts: Mapping[int, ImageFacts],
    names: Mapping[int, str],
    found: Mapping[int, ImageFacts],
    by_plate: bool,
) -> tuple[str, ...]:
    homeless = [names[i] for i, one in facts.items() if not one.well]
    plateless = [names[i] for i, one in facts.items() if one.well and by_plate and not one.plate]
    elsewhere = {i: one for i, one in facts.items() if one.well and i not in found and (one.plate or not by_plate)}
    used = {_key((one.plate, one.well), by_plate) for one in facts.values()}
    bare = [_said(place, by_plate) for place in plate_map.wells if _key(place, by_plate) not in used]
    strange = [_said((one.plate, one.well), by_plate) for one in elsewhere.values()]
    said = (
        ("No well yet for {}. Read wells from the file names first.", homeless, "image"),
        ("No plate yet for {}, and the map has several. Read plates from the file names first.", plateless, "image"),
        ("Imaged, but not in the map: {}. Add them to it, or leave their images without treatment.", strange, "well"),
        ("In the map, but without images: {}.", bare, "well"),
    )
    return tuple(text.format(listed(which, kind)) for text, which, kind in said if which)


def _said(place: Place, by_plate: bool) -> str:
    return f"{place[0]} {place[1]}".strip() if by_plate else place[1]
