"""What each person says of each cell today, from the entries of the journal.

A label in the open counts for whoever gave it, until it is undone, or another cell takes the place of this one. Labels
that came with an image, a well, a track, or from a vote say nothing of what a person saw. A blind one counts as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.marks import HAND, Marks
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.schema import ORIGINS

if TYPE_CHECKING:
    import pandas as pd

Numbers = NDArray[np.int64]
_NOT_SEEN = ("image", "well", "track", "folder", "vote", "settled")
PERSONAL = tuple(number for number, origin in enumerate(ORIGINS) if origin not in _NOT_SEEN)
"""Numbers of the origins of labels that a person gave cell by cell."""


def _none() -> Numbers:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Batches:
    """Acts of the journal: number (rising), who (a place in the names), kind, and when."""

    number: Numbers
    who: Numbers
    kind: NDArray[np.str_]
    at: NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Entries:
    """Labels as they were written, in order for each cell; `extra` is the origin, or who said it."""

    batch: Numbers
    image_id: Numbers
    t: Numbers
    cell_id: Numbers
    class_id: Numbers
    extra: Numbers

    def take(self, which: NDArray[Any]) -> Self:
        """Return some of them, by place or mask."""
        names = ("batch", "image_id", "t", "cell_id", "class_id", "extra")
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    @property
    def starts(self) -> Numbers:
        """Places of the first entry of each cell."""
        key = np.stack((self.image_id, self.t, self.cell_id))
        first = np.ones(key.shape[1], dtype=bool)
        first[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
        return np.flatnonzero(first)


@dataclass(frozen=True, eq=False)
class Opinions:
    """One row for each cell and person, sorted by cell, then person.

    Parameters
    ----------
    names
        Persons.
    cells
        ``N`` cells.
    who
        ``(N,)`` int64; who said it, a place in `names`.
    class_id
        ``(N,)`` int64; what; never 0.
    at
        ``(N,)`` text; when, as ISO 8601 in UTC.
    """

    names: tuple[str, ...] = ()
    cells: CellRefs = field(default_factory=CellRefs)
    who: Numbers = field(default_factory=_none)
    class_id: Numbers = field(default_factory=_none)
    at: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, dtype=np.str_))

    def __len__(self) -> int:
        return len(self.who)

    def take(self, which: NDArray[Any]) -> Self:
        """Return some of them, by place or mask."""
        return replace(
            self, cells=self.cells.take(which), who=self.who[which], class_id=self.class_id[which], at=self.at[which]
        )

    def within(self, image_ids: Iterable[int], class_ids: Iterable[int]) -> Self:
        """Return those about these images that say one of these classes."""
        images, classes = (np.array(list(ids), dtype=np.int64) for ids in (image_ids, class_ids))
        return self.take(np.isin(self.cells.image_id, images) & np.isin(self.class_id, classes))

    def of(self, name: str) -> Self:
        """Return what one person said."""
        return self.take(self.who == (self.names.index(name) if name in self.names else -1))

    def marks(self, image_id: int) -> Marks:
        """Return the labels of one image; of one person only."""
        one = self.take(self.cells.image_id == image_id)
        return Marks(one.cells.t, one.cells.cell_id, one.class_id, np.full(len(one), HAND, dtype=np.int64))

    def counts(self) -> dict[int, dict[int, int]]:
        """Return for each image how many of these say each class."""
        pairs, counts = np.unique(np.stack((self.cells.image_id, self.class_id)), axis=1, return_counts=True)
        found: dict[int, dict[int, int]] = {}
        for image_id, class_id, count in zip(*pairs.tolist(), counts.tolist(), strict=True):
            found.setdefault(image_id, {})[class_id] = count
        return found

    def frame(self) -> pd.DataFrame:
        """Return them as a table."""
        import pandas as pd  # slow to load

        who = np.array(self.names, dtype=object)[self.who] if len(self) else np.array([], dtype=object)
        cells = {name: getattr(self.cells, name) for name in ("image_id", "t", "cell_id")}
        return pd.DataFrame({**cells, "who": who, "class_id": self.class_id, "at": self.at})


def opinions_of(names: tuple[str, ...], batches: Batches, shared: Entries, own: Entries) -> Opinions:
    """Return what each person says of each cell.

    Parameters
    ----------
    names
        Persons.
    batches
        All acts.
    shared
        Entries of the labels that all share, `extra` is the origin.
    own
        Entries of the labels that persons have for themselves, `extra` is who.
    """
    standing = _standing(shared, batches)
    act = np.searchsorted(batches.number, standing.given.batch)
    personal = np.isin(standing.given.extra, PERSONAL) & (batches.kind[act] == "label")
    said = replace(standing.given, batch=standing.since, extra=batches.who[act]).take(personal)
    both = [np.concatenate((getattr(said, one), getattr(own, one))) for one in Entries.__dataclass_fields__]
    return _last(names, batches, Entries(*both))


def _last(names: tuple[str, ...], batches: Batches, said: Entries) -> Opinions:
    """Return the last entry of each person for each cell, without those that cleared the label."""
    order = np.lexsort((said.batch, said.extra, said.cell_id, said.t, said.image_id))  # equal ones stay in order
    said = said.take(order)
    key = np.stack((said.image_id, said.t, said.cell_id, said.extra))
    last = np.ones(key.shape[1], dtype=bool)
    last[:-1] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    said = said.take(last & (said.class_id != UNLABELLED))
    at = batches.at[np.searchsorted(batches.number, said.batch)] if len(said.batch) else np.zeros(0, dtype=np.str_)
    return Opinions(names, CellRefs(said.image_id, said.t, said.cell_id), said.extra, said.class_id, at)


@dataclass(frozen=True, eq=False)
class _Standing:
    """Entries that are not undone, and since which act each stands: when it was done again, that one."""

    given: Entries
    since: Numbers


def _standing(entries: Entries, batches: Batches) -> _Standing:
    if not len(entries.batch):
        return _Standing(entries, entries.batch)
    kind = batches.kind[np.searchsorted(batches.number, entries.batch)]
    starts = entries.starts
    kept, since = _without_undone(kind, entries.batch, starts)
    cell = np.searchsorted(starts, kept, side="right") - 1
    # What was said of a cell before it was made another by hand, or took the place of another, is void.
    made = np.full(len(starts), -1, dtype=np.int64)
    order = np.arange(len(kept))
    remade = kind[kept] == "cells"
    np.maximum.at(made, cell[remade], order[remade])
    valid = order > made[cell]
    return _Standing(entries.take(kept[valid]), since[valid])


def _without_undone(kind: NDArray[np.str_], batch: Numbers, starts: Numbers) -> tuple[Numbers, Numbers]:
    """Return the places of entries that stand, cell after cell in order, and since which act each does."""
    stepped = (kind == "undo") | (kind == "redo")
    touched = np.logical_or.reduceat(stepped, starts)
    lengths = np.diff(np.append(starts, len(kind)))
    plain = np.flatnonzero(~np.repeat(touched, lengths))
    kept, since = [plain], [batch[plain]]
    for start, length in zip(starts[touched].tolist(), lengths[touched].tolist(), strict=True):
        stack = _stack(kind[start : start + length].tolist())
        kept.append(np.array([start + place for place, _ in stack], dtype=np.int64))
        since.append(batch[[start + again for _, again in stack]])
    places, when = np.concatenate(kept), np.concatenate(since)
    cell = np.searchsorted(starts, places, side="right")
    order = np.argsort(cell, kind="stable")
    return places[order], when[order]


def _stack(kinds: list[str]) -> list[tuple[int, int]]:
    """Return which entries of a cell stand, and by which: the entry itself, or the one that did it again."""
    done: list[tuple[int, int]] = []
    undone: list[int] = []
    for place, kind in enumerate(kinds):
        if kind == "undo":
            if done:
                undone.append(done.pop()[0])
        elif kind == "redo":
            if undone:
                done.append((undone.pop(), place))
        else:
            done.append((place, place))
            undone.clear()
    return done
