"""Which parts of file names say, or may say, what movie, well or animal a cell is from, so that a user can choose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from napari_cellstage.core.errors import ImageError

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


def groups_by(names: Sequence[str], group_from: str | None) -> list[str]:
    """Return the group of each file: what a regular expression finds in its name, or the picture it was made from.

    Parameters
    ----------
    names
        Relative to the folder that was read, with ``/``.
    group_from
        Looked for in the file's own name, and where that is not enough in all of `names`. Its first group counts,
        all that it finds where it has none. None: each picture, with its turned and mirrored copies, is a group.

    Raises
    ------
    ImageError
        If it is no regular expression, or not found in a name.
    """
    if group_from is None:
        return [original_of(name) for name in names]
    try:
        pattern = re.compile(group_from)
    except re.error as error:
        raise ImageError(
            f"'{group_from}' is no regular expression: {error}. "
            "Write one such as '^[^_]+', the part before the first _."
        ) from error
    # With the folder in it, '^[^_]+' would take the class for part of the group, and cut movies apart by class.
    matches = [pattern.search(name.rpartition("/")[2]) for name in names]
    if not all(matches):
        matches = [pattern.search(name) for name in names]
    for name, match in zip(names, matches, strict=True):
        if match is None:
            raise ImageError(
                f"'{group_from}' is not found in '{name}', so the group of that file is unknown. "
                "Change the expression so that it fits every file, or move the file away."
            )
    return [(match.group(1) if pattern.groups else match.group(0)) or "" for match in matches if match]
