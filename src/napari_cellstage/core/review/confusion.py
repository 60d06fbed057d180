"""`Confusion`: how many cells of each class were predicted as each, and which cells these are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.table import ReviewTable

Entry = tuple[int, int]  # class id of the label and of the prediction; 0: any


@dataclass(frozen=True)
class Confusion:
    """Counts of labelled cells with a prediction.

    Parameters
    ----------
    ids
        The K classes that are label or prediction of some cell, in the order of the project.
    counts
        ``(K, K)``; rows are labels, columns predictions.
    """

    ids: tuple[int, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, table: ReviewTable) -> Self:
        """Count."""
        both = judged(table)
        label, predicted = table.label[both], table.predicted[both]
        there = set(np.unique(label).tolist()) | set(np.unique(predicted).tolist())
        ids = tuple(one for one in table.classes.ids if one in there)
        order = np.argsort(ids)
        known = np.asarray(ids, dtype=np.int64)[order]
        places = [order[np.searchsorted(known, one)] if len(ids) else one for one in (label, predicted)]
        counts = np.zeros((len(ids), len(ids)), dtype=np.int64)
        np.add.at(counts, tuple(places), 1)
        return cls(ids, counts)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Counts as a share of their row; 0 in rows without cells."""
        total = self.counts.sum(axis=1, keepdims=True)
        shares: NDArray[np.float64] = self.counts / np.maximum(total, 1)
        return shares

    def pairs(self) -> list[tuple[int, int, int]]:
        """Return label, prediction and count of each confusion, the most frequent first."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        rows, columns = np.nonzero(wrong)
        order = np.argsort(-wrong[rows, columns], kind="stable")
        return [(self.ids[r], self.ids[c], int(wrong[r, c])) for r, c in zip(rows[order], columns[order], strict=True)]


def judged(table: ReviewTable) -> NDArray[np.bool_]:
    """Return which cells have both a label and the answer of a model that had not seen it."""
    both: NDArray[np.bool_] = (table.label != UNLABELLED) & (table.predicted != UNLABELLED)
    return both


def cells_of(table: ReviewTable, entry: Entry) -> CellRefs:
    """Return the cells of an entry; 0 for the label or the prediction means any."""
    label, predicted = entry
    some = judged(table)
    if label:
        some &= table.label == label
    if predicted:
        some &= table.predicted == predicted
    return table.cells.take(some)


def entry_text(entry: Entry, name_of: dict[int, str], count: int) -> str:
    """Return an entry in words: ``"12 metaphase cells predicted as prometaphase"``."""
    label, predicted = (name_of.get(one, str(one)) if one else "" for one in entry)
    kind = f"{label} cell" if label else "cell"
    cells = f"{count:,} {kind}{'' if count == 1 else 's'}"
    if entry[0] and entry[0] == entry[1]:
        return f"{cells} predicted right"
    return f"{cells} predicted as {predicted}" if predicted else f"{cells} with a prediction"


def entry_title(entry: Entry, name_of: dict[int, str]) -> str:
    """Return what the cells of an entry have in common: ``"metaphase, predicted as prometaphase"``."""
    label, predicted = (name_of.get(one, str(one)) if one else "" for one in entry)
    if entry[0] and entry[0] == entry[1]:
        return f"{label}, predicted right"
    said = f"predicted as {predicted}" if predicted else ""
    return ", ".join(one for one in (label, said) if one) or "all cells with a label and a prediction"


def entries_of(table: ReviewTable, cells: CellRefs) -> frozenset[Entry]:
    """Return in which entries cells are."""
    if not len(cells):
        return frozenset()
    places = cells.places_in(table.cells)
    rows = places[places >= 0]
    both: Any = np.stack([table.label[rows], table.predicted[rows]], axis=1)
    kept = both[(both > UNLABELLED).all(axis=1)]
    return frozenset((int(a), int(b)) for a, b in np.unique(kept, axis=0))
