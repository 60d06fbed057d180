"""Tasks: which classes are to be told apart: two of them, some, or all at once."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from napari_cellstage.core.errors import CellStageError

_MOST = 500  # tasks of one run; 31 classes make 465 pairs
_MOST_NAMED = 6  # classes of which a name lists all


class TaskError(CellStageError):
    """What is to be told apart can't be: a class is unknown, named twice, or alone."""


@dataclass(frozen=True)
class Task:
    """Classes to be told apart; cells of all others are left out.

    Parameters
    ----------
    name
        Such as ``"0 vs 0.1"`` or ``"3 classes"``.
    classes
        Names, two or more, in the order of the data.
    """

    name: str
    classes: tuple[str, ...]

    @classmethod
    def of(cls, wanted: Iterable[str], names: Sequence[str]) -> Task:
        """Return the task of some of the classes of data.

        Parameters
        ----------
        wanted
            The classes to be told apart, in any order.
        names
            The classes that there are.

        Raises
        ------
        TaskError
            For an unknown class, one that is named twice, or fewer than two.
        """
        chosen = list(wanted)
        there = ", ".join(names) or "none"
        for one in chosen:
            if one not in names:
                raise TaskError(f"There is no class '{one}' to be told apart. The classes are: {there}.")
            if chosen.count(one) > 1:
                raise TaskError(f"Class '{one}' is named {chosen.count(one)} times. Name each class once.")
        if len(chosen) < 2:
            have = f"'{chosen[0]}' is one class" if chosen else "No class is named"
            raise TaskError(f"{have}, but it takes two to tell apart. Name two or more of: {there}.")
        classes = tuple(name for name in names if name in chosen)
        return cls(_name(classes, whole=len(classes) == len(names)), classes)

    def left_out(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return which of these classes are not of the task."""
        return tuple(name for name in names if name not in self.classes)


def parse_classes(text: str, names: Sequence[str]) -> Task:
    """Return the task written as class names with commas between them.

    Parameters
    ----------
    text
        Such as ``"0,0.1"``; a name with a comma in it stands in double quotes.
    names
        The classes that there are.

    Raises
    ------
    TaskError
        For an unknown class, one that is named twice, or fewer than two.
    """
    row = next(csv.reader([text], skipinitialspace=True), [])
    return Task.of((one.strip() for one in row if one.strip()), names)


def written_classes(classes: Iterable[str]) -> str:
    """Return class names as `parse_classes` reads them."""
    return ",".join('"' + one.replace('"', '""') + '"' if any(c in one for c in ',"') else one for one in classes)


def pair_tasks(names: Sequence[str]) -> tuple[Task, ...]:
    """Return the tasks of a comparison: all classes at once, then each two of them; two classes are one task.

    As in Shpilman et al., where three exposures make four tasks.

    Raises
    ------
    TaskError
        For fewer than two classes, or so many that there would be over 500 tasks.
    """
    whole = Task.of(names, names)
    pairs = len(names) * (len(names) - 1) // 2
    if pairs + 1 > _MOST:
        raise TaskError(f"{len(names)} classes make {pairs:,} pairs, more than {_MOST}. Name those you mean.")
    if len(names) == 2:
        return (whole,)
    return (whole, *(Task.of(pair, names) for pair in combinations(names, 2)))


def task_folders(tasks: Iterable[Task]) -> list[str]:
    """Return a folder name for each task that every system allows, no two the same."""
    from napari_cellstage.core.exporting.places import distinct_names  # not needed to open the dock

    return distinct_names(task.name for task in tasks)


def _name(classes: tuple[str, ...], whole: bool) -> str:
    if len(classes) == 2:
        return " vs ".join(classes)
    listed = f" ({', '.join(classes)})" if not whole and len(classes) <= _MOST_NAMED else ""
    return f"{len(classes)} classes{listed}"
