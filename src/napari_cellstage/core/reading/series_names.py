"""Numbered files of a folder that are the planes of one image, told by their names.

``T001``, ``Z02``, ``C1`` and their like say which axis a number counts; well, site and position (``A01``, ``s1``,
``xy2``) tell images apart; one running number may count anything, which is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_cellstage.core.reading.choose import TIFF

_TOKENS = {
    **dict.fromkeys(("t", "tp", "time", "timepoint", "frame", "sk"), "T"),
    **dict.fromkeys(("z", "slice", "plane"), "Z"),
    **dict.fromkeys(("c", "ch", "channel", "w", "wv"), "C"),
}
_RUN = re.compile(r"[^\W_]+")
_PAIRS = re.compile(r"(?:[A-Za-z]+\d+)+")
_PAIR = re.compile(r"([A-Za-z]+)(\d+)")
_MARK = re.compile(r"<([TCZN])>")
_FEWEST = 3  # files with a running number: two may as well be a pair of images


@dataclass(frozen=True)
class Series:
    """Files that are one image.

    Parameters
    ----------
    folder
        Where they are.
    pattern
        Their name with ``<T>``, ``<C>``, ``<Z>`` where the numbers are, ``<N>`` for a running number.
    files
        How many.
    """

    folder: Path
    pattern: str
    files: int

    @property
    def running(self) -> bool:
        """Whether a number counts nobody knows what."""
        return "<N>" in self.pattern

    @property
    def title(self) -> str:
        """The name as people write it."""
        return title_of(self.pattern)

    def paths(self) -> list[Path]:
        """Return the files as they are now, by their numbers."""
        return [file for _numbers, file in sorted(members(self.folder, self.pattern).items())]


def find_series(files: Iterable[Path]) -> tuple[list[Series], list[Path]]:
    """Return the series among files, and the files that belong to none, in the order given."""
    groups: dict[tuple[Path, str], list[Path]] = {}
    all_files = list(files)
    patterns = _patterns([file for file in all_files if file.suffix.lower() in TIFF])
    for file, pattern in patterns.items():
        groups.setdefault((file.parent, pattern), []).append(file)
    found = {key: members for key, members in groups.items() if _is_series(key[1], len(members))}
    taken = {file for members in found.values() for file in members}
    series = [Series(folder, pattern, len(members)) for (folder, pattern), members in found.items()]
    return series, [file for file in all_files if file not in taken]


def members(folder: Path, pattern: str) -> dict[tuple[int, ...], Path]:
    """Return the files of a series by their numbers, in the order of `letters`."""
    parts = re.split(r"<([TCZN])>", pattern)
    text = "".join(rf"(?P<{part}>\d+)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    expression, wanted = re.compile(text), letters(pattern)
    matches = ((file, expression.fullmatch(file.name)) for file in sorted(folder.iterdir()))
    return {tuple(int(match[letter]) for letter in wanted): file for file, match in matches if match is not None}


def letters(pattern: str) -> str:
    """Return the axes of a series in the order T, N, C, Z."""
    return "".join(letter for letter in "TNCZ" if f"<{letter}>" in pattern)


def title_of(pattern: str) -> str:
    """Return a pattern as people write it: ``exp_T#_Z#.tif``."""
    return _MARK.sub("#", pattern)


def is_pattern(text: str) -> bool:
    """Tell whether the name of a scene is the pattern of a series."""
    return _MARK.search(text) is not None


def _is_series(pattern: str, count: int) -> bool:
    return count >= _FEWEST if "<N>" in pattern else count > 1 and is_pattern(pattern)


def _patterns(files: Sequence[Path]) -> dict[Path, str]:
    """Return each file's name with the numbers that count axes replaced."""
    wells = _wells(files)
    made = {}
    for file in files:
        places = _tokens(file.stem, wells.get(file.parent, set()))
        made[file] = _marked(file.stem, places or _last_number(file.stem)) + file.suffix
    return made


def _tokens(stem: str, wells: set[int]) -> dict[str, tuple[int, int]]:
    """Return where the number of each axis is; of two for one axis the last counts."""
    places: dict[str, tuple[int, int]] = {}
    for number, run in enumerate(_RUN.finditer(stem)):
        if number not in wells and _PAIRS.fullmatch(run[0]):
            for letter, start, end in _of_run(run[0]):
                places[letter] = (run.start() + start, run.start() + end)
    return places


def _of_run(run: str) -> Iterator[tuple[str, int, int]]:
    pairs = list(_PAIR.finditer(run))
    plate = [pair[1].lower() for pair in pairs][:2] == ["r", "c"]  # Operetta: row, column, field, plane
    for pair in pairs:
        word = pair[1].lower()
        letter = {"p": "Z"}.get(word) if plate else _TOKENS.get(word)
        if letter is not None:
            yield letter, *pair.span(2)


def _wells(files: Sequence[Path]) -> dict[Path, set[int]]:
    """Return which parts of the names in each folder are wells: there ``C01`` stands where others have ``B01``."""
    rows: dict[tuple[Path, int], set[str]] = {}
    for file in files:
        for number, run in enumerate(_RUN.findall(file.stem)):
            if re.fullmatch(r"[A-P]\d{1,2}", run):
                rows.setdefault((file.parent, number), set()).add(run[0])
    wells: dict[Path, set[int]] = {}
    for (folder, number), found in rows.items():
        if len(found) > 1:
            wells.setdefault(folder, set()).add(number)
    return wells


def _last_number(stem: str) -> dict[str, tuple[int, int]]:
    numbers = list(re.finditer(r"\d+", stem))
    return {"N": numbers[-1].span()} if numbers else {}


def _marked(stem: str, places: dict[str, tuple[int, int]]) -> str:
    for letter, (start, end) in sorted(places.items(), key=lambda one: -one[1][0]):
        stem = f"{stem[:start]}<{letter}>{stem[end:]}"
    return stem
