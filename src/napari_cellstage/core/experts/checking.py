"""Which answers can be used, and what became of the others: counted and named, nothing guessed.

A person who answered a cell twice in the same way has answered it once; in two ways, neither counts, as nobody knows
which one holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.experts.lines import AnswerLine, AnswerLines, AnswersError
from napari_cellstage.core.people.answers import Answers
from napari_cellstage.core.people.names import PeopleError, clean_name, known_spelling
from napari_cellstage.core.review.cell_refs import CellRefs

_NAMED = 5  # of which a note tells the places
AMBIGUOUS = -1
Names = Mapping[str, int]
"""Place of each cell by any of its names; `AMBIGUOUS` for a name that several cells have."""


@dataclass(frozen=True)
class Note:
    """Answers with which something is amiss.

    Parameters
    ----------
    what
        In words, such as "without a person".
    items
        Each with its place in the tables.
    used
        Whether these answers count all the same.
    """

    what: str
    items: tuple[str, ...]
    used: bool = False

    @property
    def text(self) -> str:
        """The note in a sentence, the first few named."""
        count = len(self.items)
        more = f" and {count - _NAMED:,} more" if count > _NAMED else ""
        start, noun = "" if self.used else "Not taken: ", "answer" if count == 1 else "answers"
        return f"{start}{count:,} {noun} {self.what}: {'; '.join(self.items[:_NAMED])}{more}."


@dataclass(frozen=True, eq=False)
class CheckedAnswers:
    """Answers that can be used.

    Parameters
    ----------
    names
        ``P`` persons, in the order in which they occur.
    class_ids
        ``(N, P)`` int64 for the ``N`` cells that there are; 0 where a person said nothing that counts.
    notes
        What is amiss.
    empty
        How many lines have no answer.
    """

    names: tuple[str, ...]
    class_ids: NDArray[np.int64]
    notes: tuple[Note, ...] = ()
    empty: int = 0

    @property
    def taken(self) -> int:
        """How many answers count."""
        return int((self.class_ids != UNLABELLED).sum())

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was taken and what was not."""
        counts = (self.class_ids != UNLABELLED).sum(axis=0).tolist()
        each = ", ".join(f"{name} {count:,}" for name, count in zip(self.names, counts, strict=True))
        cells = int((self.class_ids != UNLABELLED).any(axis=1).sum())
        start = f"{self.taken:,} answers of {len(self.names)} persons to {cells:,} cells: {each}."
        found = [start, *(note.text for note in self.notes)]
        found += [f"{self.empty:,} lines have no answer."] if self.empty else []
        lacking = [f"{n} {cells - c:,}" for n, c in zip(self.names, counts, strict=True) if c < cells]
        found += [f"Not everybody answered every cell; lacking are of: {', '.join(lacking)}."] if lacking else []
        return tuple(found)

    def answers(self, cells: CellRefs, classes: ClassScheme) -> Answers:
        """Return the cells that anyone answered; `cells` names the ``N`` cells."""
        found = Answers(cells, self.names, self.class_ids, classes)
        return found.take(found.raters > 0)


def check_answers(
    given: AnswerLines, cells: Names, count: int, classes: ClassScheme, known: Iterable[str] = ()
) -> CheckedAnswers:
    """Return which answers can be used.

    Parameters
    ----------
    given
        As written.
    cells
        Place of each cell by its names, as `plain` writes them.
    count
        How many cells there are.
    classes
        The classes that may be answered.
    known
        Persons who are known already: one who differs by capitals and spaces alone is the same.

    Raises
    ------
    AnswersError
        If no answer can be used.
    """
    work = _Checking(cells, classes, list(known))
    for line in given.lines:
        work.take(line)
    found = work.done(count, given.empty)
    if not found.taken:
        raise AnswersError(" ".join(("No answer can be used.", *(one.text for one in found.notes))))
    return found


def plain(name: str) -> str:
    """Return a name of a cell or class as it is compared: single spaces, ``/`` between folders."""
    return " ".join(name.replace("\\", "/").split())


@dataclass
class _Checking:
    """Takes one line after the other."""

    cells: Names
    classes: ClassScheme
    known: list[str]
    given: dict[tuple[int, str], list[tuple[int, AnswerLine]]] = field(default_factory=dict)
    amiss: dict[str, list[str]] = field(default_factory=dict)
    spelt: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._class_of = {plain(one.name): one.id for one in self.classes}

    def take(self, line: AnswerLine) -> None:
        place = self.cells.get(plain(line.cell))
        class_id = self._class_of.get(plain(line.answer))
        person = self._person(line.person)
        if not person:
            self._note("without a person", line)
        elif not line.cell.strip("/ "):
            self._note("without a cell", line)
        elif place is None:
            self._note("to cells that are not in the data, or of no class told apart", line, line.cell)
        elif place == AMBIGUOUS:
            self._note("to cells by a name that several have", line, line.cell)
        elif class_id is None:
            self._note(f"with none of the classes {', '.join(self.classes.names)}", line, line.answer)
        else:
            self.given.setdefault((place, person), []).append((class_id, line))

    def done(self, count: int, empty: int) -> CheckedAnswers:
        names = tuple(dict.fromkeys(person for _, person in self.given))
        class_ids = np.zeros((count, len(names)), dtype=np.int64)
        same: list[str] = []
        for (place, person), said in self.given.items():
            told = f"'{said[0][1].cell}' by {person} ({'; '.join(line.place for _, line in said)})"
            if len({class_id for class_id, _ in said}) > 1:
                answers = " and ".join(f"'{line.answer}'" for _, line in said)
                what = "by one person who answered one cell in two ways, so that none of them counts"
                self.amiss.setdefault(what, []).append(f"{told}: {answers}")
                continue
            class_ids[place, names.index(person)] = said[0][0]
            same += [told] if len(said) > 1 else []
        notes = [Note(what, tuple(items)) for what, items in self.amiss.items()]
        notes += [Note("given twice in the same way, counted once", tuple(same), True)] if same else []
        other = tuple(f"'{written}' is taken for '{name}'" for written, name in self.spelt.items() if written != name)
        notes += [Note("by a person spelt in two ways", other, True)] if other else []
        kept = (class_ids != UNLABELLED).any(axis=0)
        return CheckedAnswers(
            tuple(name for name, there in zip(names, kept.tolist(), strict=True) if there),
            class_ids[:, kept], tuple(notes), empty,
        )  # fmt: skip

    def _person(self, written: str) -> str:
        if written not in self.spelt:
            try:
                self.spelt[written] = known_spelling(clean_name(written), self.known)
            except PeopleError:
                return ""
            self.known.append(self.spelt[written])
        return self.spelt[written]

    def _note(self, what: str, line: AnswerLine, value: str = "") -> None:
        self.amiss.setdefault(what, []).append(f"'{value}' ({line.place})" if value else line.place)


def names_of(each: Sequence[Iterable[str]]) -> dict[str, int]:
    """Return the place of each cell by any of its names; a name of several cells is `AMBIGUOUS`."""
    found: dict[str, int] = {}
    for place, names in enumerate(each):
        for name in {plain(one) for one in names if one}:
            found[name] = place if found.get(name, place) == place else AMBIGUOUS
    return found
