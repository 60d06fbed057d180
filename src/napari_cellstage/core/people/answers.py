"""`Answers`: cells by persons, what each said; what agreement, votes and comparisons start from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.people.opinions import Opinions
from napari_cellstage.core.review.cell_refs import CellRefs

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Answers:
    """What persons said of the same cells.

    Parameters
    ----------
    cells
        ``N`` cells.
    names
        ``P`` persons.
    class_ids
        ``(N, P)`` int64; class ids, 0 where a person said nothing.
    classes
        The classes.
    """

    cells: CellRefs
    names: tuple[str, ...]
    class_ids: Numbers
    classes: ClassScheme

    def __len__(self) -> int:
        return len(self.class_ids)

    @classmethod
    def of(cls, opinions: Opinions, classes: ClassScheme) -> Self:
        """Return the cells that anyone said something of, and the persons who said it."""
        keys = opinions.cells.keys()
        first, place = np.unique(keys, return_index=True, return_inverse=True)[1:]
        persons, column = np.unique(opinions.who, return_inverse=True)
        class_ids = np.zeros((len(first), len(persons)), dtype=np.int64)
        class_ids[place.reshape(-1), column.reshape(-1)] = opinions.class_id
        names = tuple(opinions.names[who] for who in persons.tolist())
        return cls(opinions.cells.take(first), names, class_ids, classes)

    def take(self, which: NDArray[Any]) -> Self:
        """Return some of the cells, by place or mask."""
        return replace(self, cells=self.cells.take(which), class_ids=self.class_ids[which])

    @property
    def raters(self) -> Numbers:
        """``(N,)``; how many persons said something of each cell."""
        found: Numbers = (self.class_ids != UNLABELLED).sum(axis=1)
        return found

    @property
    def labels_of_each(self) -> tuple[int, ...]:
        """How many of the cells each person labelled."""
        return tuple((self.class_ids != UNLABELLED).sum(axis=0).tolist())

    @property
    def differ(self) -> NDArray[np.bool_]:
        """``(N,)``; where two persons said different things."""
        ids = self.class_ids
        highest = ids.max(axis=1, initial=0)
        lowest = np.where(ids == UNLABELLED, highest[:, None], ids).min(axis=1, initial=np.iinfo(np.int64).max)
        found: NDArray[np.bool_] = highest != np.minimum(lowest, highest)
        return found

    def said_of(self, cells: CellRefs) -> list[tuple[str, int, int]]:
        """Return person, class id and count for what was said of some cells; the most common answer of each first."""
        ids = self.class_ids[self.cells.isin(cells)]
        found = []
        for column, name in enumerate(self.names):
            given, count = np.unique(ids[:, column][ids[:, column] != UNLABELLED], return_counts=True)
            order = np.argsort(-count, kind="stable")
            found += [(name, int(given[place]), int(count[place])) for place in order]
        return found
