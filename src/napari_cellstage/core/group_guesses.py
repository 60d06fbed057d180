"""Which parts of file names may say what movie, well or animal a cell is from, so that a user can choose by looking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_APART = r"[_\-. #]+"
_PART = r"[^_\-. #]+"
_OFFERED = 4
# How programs name turned, mirrored and otherwise changed copies of a picture: cell_12_rot90.png, cell_12-flip_lr.png
_COPY = re.compile(
    r"(?:[_\-. ](?:rot(?:ated?)?[_\-]?\d{1,3}"
    r"|(?:[hv]|lr|ud)?flip(?:ped)?(?:[_\-]?(?:h|v|lr|ud|x|y|horizontal|vertical))?"
    r"|mirror(?:ed)?(?:[_\-]?[xy])?|aug(?:mented)?[_\-]?\d{0,4}))+(?=\.[A-Za-z]+$|$)",
    re.IGNORECASE,
)


def original_of(name: str) -> str:
    """Return the name of the picture that another was made from by turning or mirroring; its own if it is none."""
    folder, slash, file = name.rpartition("/")
    kept = _COPY.sub("", file)
    return f"{folder}{slash}{kept}" if kept and not kept.startswith(".") else name


@dataclass(frozen=True)
class GroupGuess:
    """Names that begin alike are one group.

    Parameters
    ----------
    expression
        For `read_class_folders`, as ``group_from``.
    count
        How many groups there are.
    example
        What the names of the first group have in common.
    """

    expression: str
    count: int
    example: str


def group_guesses(names: Sequence[str]) -> list[GroupGuess]:
    """Return ways of grouping files by how their names begin, fewest groups first.

    Parameters
    ----------
    names
        Relative to the folder of class folders, with ``/``.

    Returns
    -------
    list of GroupGuess
        Those that every name fits, with two groups or more and two files or more in each on average; not what only
        says the class again.
    """
    files = [name.rpartition("/")[2].rpartition(".")[0] for name in names]
    folders = [name.rpartition("/")[0] for name in names]
    guesses: dict[int, GroupGuess] = {}
    parts = min((len(re.findall(_PART, file)) for file in files), default=0)
    for kept in range(1, parts):
        expression = rf"^{_PART}(?:{_APART}{_PART}){{{kept - 1}}}"
        found = [match.group(0) for file in files if (match := re.match(expression, file))]
        count = len(set(found))
        is_the_class = len(set(zip(folders, found, strict=False))) == count == len(set(folders))
        if len(found) == len(files) and 2 <= count <= len(files) // 2 and not is_the_class:
            guesses[count] = GroupGuess(expression, count, found[0])  # of several that cut alike, the longest
    return [guesses[count] for count in sorted(guesses)][:_OFFERED]
