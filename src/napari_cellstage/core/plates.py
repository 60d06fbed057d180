r"""Plate, well, treatment and the like out of file names and folders, by a pattern.

A pattern is a name with its parts in braces, ``{plate}_{well}_f{field}*`` (``*`` stands for anything), or, for what
that can't say, a regular expression with named groups, ``(?P<well>[A-H]\d\d)``. A ``/`` parts folders.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from napari_cellstage.core.errors import PlateError
from napari_cellstage.core.image_facts import FACTS, ImageFacts, dose_name, row_number, well_at, well_name, well_place

_FREE = r"[^/]+?"
_COUNTED = r"\d+|[A-Za-z]+\d*"
# A dose that is a word must not begin within one, or "{treatment}{dose}" would cut "noc0.1" after its first letter.
_PARTS = {
    "plate": _FREE,
    "well": r"[A-Za-z]{1,2}[-_ ]?\d{1,3}|[rR]\d+[cC]\d+",
    "row": r"[A-Za-z]{1,2}|\d{1,3}",
    "column": r"\d{1,3}",
    "field": _COUNTED,
    "treatment": _FREE,
    "dose": r"\d[^/_]*?|(?<![A-Za-z])[A-Za-z][^/_]*?",
    "replicate": _COUNTED,
    "donor": _FREE,
}
# Two parts that take anything, side by side: the first would get one letter, and trying all ways takes for ever.
_ENDLESS = re.compile(r"(\{(plate|treatment|dose|donor)\}|\*)(\{(plate|treatment|donor)\}|(?<!\*)\*)", re.IGNORECASE)
_TOKEN = re.compile(r"\{(\w*)\}|(\*)")
_ENDING = re.compile(r"(\.ome)?\.[A-Za-z][A-Za-z0-9]{1,4}$", re.IGNORECASE)
_OF_384 = (16, 24)
_ENOUGH, _MOST = 200, 0.8  # names that a guess looks at, and the share of them that must fit


@dataclass(frozen=True)
class ReadyPattern:
    """A pattern that comes with the program.

    Parameters
    ----------
    title
        Whose file names it is for, with an example.
    text
        The pattern.
    telling
        Names that fit it fit by chance seldom, so that it may be proposed.
    """

    title: str
    text: str
    telling: bool = True


READY = (
    ReadyPattern("Opera, Operetta: r02c03f04p01", "r{row}c{column}f{field}*"),
    ReadyPattern("Operetta: 002003-4-001001", r"(?P<row>\d{3})(?P<column>\d{3})-(?P<field>\d+)-\d+"),
    ReadyPattern("ImageXpress: plate_B03_s1_w1", "{plate}_{well}_s{field}*"),
    ReadyPattern("Cell Voyager: plate_B03_T0001F002L01", "{plate}_{well}_T*F{field}L*"),
    ReadyPattern("ScanR: B03--W00015--P00001", "{well}--W*--P{field}*"),
    ReadyPattern("IN Cell: B - 03(fld 1", "{row} - {column}(fld {field}*"),
    ReadyPattern("Plate, well, field: plate_B03_f1", "{plate}_{well}_f{field}*"),
    ReadyPattern("Well, field: B03_f1", "{well}_f{field}*"),
    ReadyPattern("Well, treatment, dose: B03_nocodazole_0.1uM", "{well}_{treatment}_{dose}"),
    ReadyPattern("OME-Zarr plate: plate/B/03/0", "{plate}/{row}/{column}/{field}"),
    ReadyPattern("CZI plate: plate/B3-1", "{plate}/{well}-{field}"),
    ReadyPattern("Folders, plate then well: plate/B03/…", "{plate}/{well}/*"),
    ReadyPattern("Name or scene is the well: plate/B03", "{plate}/{well}"),
    ReadyPattern("Well at the start: B03_…", "{well}_*"),
    ReadyPattern("Well at the end: …_B03", "*_{well}"),
    ReadyPattern("Folders, treatment then dose: nocodazole/0.1uM/…", "{treatment}/{dose}/*", telling=False),
    ReadyPattern("Treatment, dose: nocodazole_0.1uM", "{treatment}_{dose}", telling=False),
    ReadyPattern("Folder is the treatment: nocodazole/…", "{treatment}/*", telling=False),
)


@dataclass(frozen=True)
class Reading:
    """What a pattern has found in one name.

    Parameters
    ----------
    facts
        What it says.
    spans
        Where in the name each part was found, as ``(part, start, end)``; row and column are parts of their own.
    """

    facts: ImageFacts
    spans: tuple[tuple[str, int, int], ...]


class NamePattern:
    """A pattern, ready to read names.

    Parameters
    ----------
    text
        As the user writes it.

    Raises
    ------
    PlateError
        If it can't be read, or names no part.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._regex = _regex(self.text)
        self.parts = tuple(self._regex.groupindex)

    def read(self, name: str) -> Reading | None:
        """Read a name as `source_names` gives it; None when it doesn't fit or its well is on no plate."""
        found = self._regex.search(name)
        if not found:
            return None
        said = found.groupdict(default="")
        facts = _facts(said)
        if facts is None:
            return None
        spans = ((part, *found.span(part)) for part in said if found.span(part)[0] >= 0)
        return Reading(facts, tuple(sorted(spans, key=lambda span: span[1])))


def source_names(places: Mapping[int, tuple[Path | None, str]]) -> dict[int, str]:
    """Return what patterns read of each image: its way from the folder that holds all, and its scene.

    Parameters
    ----------
    places
        By image, the file and the scene in it; an image that was never a file has None.

    Returns
    -------
    dict
        Such as ``"plate 1/B03_f1"``: with the common folder's name, as that may be the plate's, with ``/`` on every
        system, and without the ending.
    """
    files = [path.absolute() for path, _scene in places.values() if path is not None]
    above = _folder_above(files)
    return {image_id: _source_name(path, scene, above) for image_id, (path, scene) in places.items()}


def read_names(pattern: NamePattern, names: Mapping[int, str]) -> dict[int, Reading]:
    """Return what a pattern finds in each name, without those that don't fit."""
    readings = ((image_id, pattern.read(name)) for image_id, name in names.items())
    return {image_id: reading for image_id, reading in readings if reading}


def guess(names: Iterable[str]) -> str:
    """Return the first ready pattern that tells the wells of four in five names or more; else ``""``."""
    sample = list(islice(names, _ENOUGH))
    telling = (one.text for one in READY if one.telling)
    fitting = next((text for text in telling if _share(text, sample) >= _MOST), "")
    by_folder = f"{{plate}}/{fitting}"
    several = len({name.rpartition("/")[0] for name in sample}) > 1
    alone = fitting and "{plate}" not in fitting and not fitting.startswith("(")
    return by_folder if several and alone and _share(by_folder, sample) >= _MOST else fitting


def _share(text: str, names: list[str]) -> float:
    readings = map(NamePattern(text).read, names)
    return sum(_is_likely(reading.facts.well) for reading in readings if reading) / max(len(names), 1)


def _is_likely(well: str) -> bool:
    """Plates beyond 384 wells are so rare that a name such as ``_t1`` is a time point sooner than a well."""
    place = well_place(well)
    return place is not None and place[0] <= _OF_384[0] and place[1] <= _OF_384[1]


def _folder_above(files: list[Path]) -> Path | None:
    if not files:
        return None
    try:
        return Path(os.path.commonpath([str(file.parent) for file in files])).parent
    except ValueError:  # on two drives
        return None


def _source_name(path: Path | None, scene: str, above: Path | None) -> str:
    if path is None:
        return scene
    path = path.absolute()
    name = path.relative_to(above).as_posix() if above else path.as_posix()
    return "/".join(part for part in (_ENDING.sub("", name), scene) if part)


def _regex(text: str) -> re.Pattern[str]:
    if not text:
        raise PlateError("The pattern is empty. Write a file name with its parts in braces, such as {plate}_{well}.")
    try:
        made = re.compile(text if "(?P<" in text else _from_template(text))
    except re.error as error:
        raise PlateError(f"The pattern '{text}' can't be read: {error}. Mend it, or choose a ready one.") from error
    _check_parts(text, tuple(made.groupindex))
    return made


def _from_template(text: str) -> str:
    """Return the expression of a template: parts of the path from the last one up are tried."""
    body, end = "", 0
    text = re.sub(r"\*+", "*", _ENDING.sub("", text))
    if found := _ENDLESS.search(text):
        raise PlateError(
            f"In '{found[0]}' nobody can tell where one ends and the next begins. "
            "Put what stands between them in the names there, such as _."
        )
    for found in _TOKEN.finditer(text):
        if found[1] and f"(?P<{found[1].lower()}>" in body:
            raise PlateError(f"The pattern '{text}' has {{{found[1]}}} twice. Write * in place of one of them.")
        body += re.escape(text[end : found.start()]) + _expression(text, found)
        end = found.end()
    return f"^(?:.*/)?{body}{re.escape(text[end:])}(?:/.*)?$"


def _expression(text: str, found: re.Match[str]) -> str:
    part = found[1]
    if found[2] or not part:
        return "[^/]*?"
    if part.lower() not in _PARTS:
        raise PlateError(f"The pattern '{text}' has a part {{{part}}}. Parts are {_listing()}; * stands for anything.")
    return f"(?P<{part.lower()}>{_PARTS[part.lower()]})"


def _check_parts(text: str, parts: tuple[str, ...]) -> None:
    if unknown := [part for part in parts if part not in _PARTS]:
        raise PlateError(f"The pattern '{text}' has a part named '{unknown[0]}'. Parts are {_listing()}.")
    if not parts:
        raise PlateError(f"The pattern '{text}' names no part. Put one or more in braces: {_listing()}.")
    if ("row" in parts) != ("column" in parts):
        raise PlateError(f"The pattern '{text}' has only one of {{row}} and {{column}}. Use both, or {{well}}.")


def _listing() -> str:
    return ", ".join(f"{{{part}}}" for part in _PARTS)


def _facts(said: dict[str, str]) -> ImageFacts | None:
    """Return the facts that the parts of a name tell; None when its well is on no plate."""
    facts = {name: said.get(name, "").strip(" _-") for name in FACTS}
    if said.get("row"):
        facts["well"] = well_at(row_number(said["row"]), int(said["column"] or 0))
    elif said.get("well"):
        facts["well"] = well_name(said["well"])
    if (said.get("row") or said.get("well")) and not facts["well"]:
        return None
    facts["dose"] = dose_name(said.get("dose", "").replace("_", " "))
    for counted in ("field", "replicate"):
        facts[counted] = facts[counted].lstrip("0") or facts[counted][-1:]
    return ImageFacts(**facts)
