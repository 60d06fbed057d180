"""Tables of answers as people send them: one line a cell and person, any separator and encoding, heads in any case.

What lines mean is in `core.experts.checking`; here they are read, and nothing is left out but empty answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.plate_tables import Table, TableKind, read_table

_PERSON, _ANSWER, _TASK = ("person", "who", "expert"), ("answer", "class"), ("task",)
_CELL, _IMAGE = ("cell", "file"), ("image_id", "image")
COLUMNS = ("cell", "person", "answer")


class AnswersError(CellStageError):
    """Answers can't be read, or none of them can be used."""


SHEET = TableKind("table of answers", "a table with the columns cell, person, answer", AnswersError)


@dataclass(frozen=True)
class AnswerLine:
    """One answer as it is written.

    Parameters
    ----------
    place
        Where it stands: file and line, such as ``"ada.csv, line 3"``.
    cell
        Name of the cell; several columns (image, t, cell_id) with ``/`` between.
    person, answer
        As written; the answer is never empty.
    task
        Of which task; empty where the table has no such column.
    """

    place: str
    cell: str
    person: str
    answer: str
    task: str = ""


@dataclass(frozen=True)
class AnswerLines:
    """All lines with an answer, and how many cells were left empty."""

    lines: tuple[AnswerLine, ...]
    empty: int = 0

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks in the order of the lines; one empty name where there is no such column."""
        return tuple(dict.fromkeys(one.task for one in self.lines))

    def of_task(self, task: str) -> AnswerLines:
        """Return the lines of one task."""
        return AnswerLines(tuple(one for one in self.lines if one.task == task), self.empty)


def read_answers(files: Iterable[Path | str]) -> AnswerLines:
    """Read tables of answers, of one person or several.

    The columns are `cell` (or `file`; or `image` or `image_id`, `t`, `cell_id`, as exports of a project have them),
    `person` (or `who`), `answer` (or `class`), and, where there are several tasks, `task`.

    Raises
    ------
    AnswersError
        If a file can't be read, is empty, lacks a column, or holds no answer at all.
    """
    found: list[AnswerLine] = []
    empty, names = 0, [str(one) for one in files]
    for name in names:
        lines, without = _lines(Path(name), read_table(name, SHEET))
        found += lines
        empty += without
    if not found:
        listed = ", ".join(f"'{name}'" for name in names)
        raise AnswersError(f"{listed} hold no answer: the column 'answer' is empty. Fill it in and save it as CSV.")
    return AnswerLines(tuple(found), empty)


def _lines(path: Path, table: Table) -> tuple[list[AnswerLine], int]:
    start = next(n for n, row in enumerate(table) if any(row))
    heads = [head.casefold() for head in table[start]]
    cell, person, answer = _cell_columns(path, heads), _column(path, heads, _PERSON), _column(path, heads, _ANSWER)
    task = next((heads.index(one) for one in _TASK if one in heads), None)
    found, empty = [], 0
    for number, row in enumerate(table[start + 1 :], start + 2):
        if not any(row):
            continue
        if not row[answer]:
            empty += 1
            continue
        place = f"{path.name}, line {number}"
        name = "/".join(row[column] for column in cell)
        found.append(AnswerLine(place, name, row[person], row[answer], "" if task is None else row[task]))
    return found, empty


def _column(path: Path, heads: Sequence[str], wanted: Sequence[str]) -> int:
    for one in wanted:
        if one in heads:
            return heads.index(one)
    raise AnswersError(
        f"'{path}' has no column '{wanted[0]}'. Its first line has: {', '.join(filter(None, heads)) or 'nothing'}. "
        "A table of answers has the columns cell, person, answer."
    )


def _cell_columns(path: Path, heads: Sequence[str]) -> tuple[int, ...]:
    image = next((heads.index(one) for one in _IMAGE if one in heads), None)
    if image is not None and "cell_id" in heads:
        times = (heads.index("t"),) if "t" in heads else ()
        return (image, *times, heads.index("cell_id"))
    return (_column(path, heads, _CELL),)
