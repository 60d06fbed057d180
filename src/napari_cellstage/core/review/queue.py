"""Which cells to label next. Rows in, rows out: who asks knows what a row is.

"uncertain" takes the cells between whose two first classes the model can hardly decide: a few times as many as are
asked for, copies of each other left out. It divides them into as many heaps of cells that look alike as are asked for,
and takes the best of each heap (as in cluster-margin sampling, Citovsky et al. 2021): the most uncertain alone would be
twenty copies of one case.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.review.cell_refs import CellRefs

Rows = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]
Looks = Callable[[Rows], Floats]

UNCERTAIN, CLASS, RANDOM, IN_ORDER, AUDIT = MODES = ("uncertain", "class", "random", "in order", "audit")
BY_MODEL = (UNCERTAIN, CLASS)  # these show, by which cells come, what the model thinks
TIMES = 4  # as many uncertain cells are compared as are asked for
DEEPER = 10  # as many are looked through for these, as a cell may have hundreds of copies in a movie
COPY = 0.25  # of the usual distance between two cells: those nearer than that show the same
SAMPLE = 300  # cells that this distance is taken from
MOST_COVERED = 2000  # labelled cells that others are compared with
FEW = 10  # labels of a class; one with fewer needs more, whatever its recall


@dataclass(frozen=True)
class Waiting:
    """``N`` cells of any images, and what a model says of them.

    Parameters
    ----------
    free
        ``(N,)`` bool; which may be asked for.
    label
        ``(N,)`` class ids; 0 for none.
    predicted, runner_up
        ``(N,)`` class ids that the model thinks of first and second; 0 where not predicted.
    margin
        ``(N,)`` how far the first is above the second; NaN where not predicted.
    looks
        Returns for some rows ``(M, E)`` floats that are near where cells look alike; None when that is not known.
    """

    free: NDArray[np.bool_]
    label: Rows
    predicted: Rows
    runner_up: Rows
    margin: Floats
    looks: Looks | None = None

    @property
    def predictable(self) -> bool:
        """Whether the model says something of a cell that may be asked for."""
        return bool((self.free & np.isfinite(self.margin)).any())


def most_telling(waiting: Waiting, count: int, seed: int = 0) -> Rows:
    """Return up to `count` free rows that the model is unsure of and that are unlike each other and the labelled ones.

    Where nothing is predicted there is none.
    """
    doubt = np.where(waiting.free, 1 - np.nan_to_num(waiting.margin, nan=2.0), -1.0)
    return _spread(waiting, doubt, count, seed)


def of_class(waiting: Waiting, class_id: int, count: int, seed: int = 0) -> Rows:
    """Return up to `count` free rows that may be of a class: those predicted as it, then those that it is second for.

    Among the first the doubtful and unlike ones, so that the borders of the class become clear; of the second those
    that are nearest to it.
    """
    doubt = 1 - np.nan_to_num(waiting.margin, nan=2.0)
    first = waiting.free & (waiting.predicted == class_id)
    rows = _spread(waiting, np.where(first, doubt, -1.0), count, seed)
    second = waiting.free & (waiting.runner_up == class_id)
    return np.concatenate([rows, _top(np.where(second, doubt, -1.0), count - len(rows))])


def at_random(cells: CellRefs, free: NDArray[np.bool_], count: int, seed: int = 0) -> Rows:
    """Return up to `count` free rows by lot. Each cell has its lot by its name, so that it stays in its place."""
    rows = np.flatnonzero(free)
    return rows[_smallest(_lots(cells.take(rows), seed), count)]


def needed_class(labels: dict[int, int], recalls: dict[int, float]) -> int:
    """Return which class needs labels most: the one with fewest, when these are few; else that of the worst recall.

    Parameters
    ----------
    labels
        How many cells of each class are labelled, by class id, 0 included for a class without any.
    recalls
        Share of the cells of a class that a model finds, where known.
    """
    if not labels:
        return UNLABELLED
    fewest = min(labels, key=lambda one: labels[one])
    if labels[fewest] < FEW or not recalls:
        return fewest
    return min(recalls, key=lambda one: recalls[one])


def _spread(waiting: Waiting, doubt: Floats, count: int, seed: int) -> Rows:
    """Return the rows of highest doubt that are unlike each other; a doubt below 0 is none."""
    most = max(count, int((doubt >= 0).sum()) // 2)  # of few cells the surer half is never asked for to be unlike
    near = _top(doubt, min(most, count * TIMES * DEEPER))
    if waiting.looks is None or len(near) <= count:
        return near[:count]
    looks = _known(waiting.looks(near))
    kept = _without_copies(looks, COPY * _usual_distance(waiting, seed), count * TIMES)
    near, looks = near[kept], looks[kept]
    worth = doubt[near] * _novelty(waiting, looks, seed)
    heap = _heaps(looks, count, seed)
    order = np.argsort(-worth, kind="stable")
    _, first = np.unique(heap[order], return_index=True)
    best = np.sort(first)  # of each heap the first in order
    rest = np.setdiff1d(np.arange(len(order)), best)  # where there were fewer heaps
    found: Rows = near[order[np.concatenate([best, rest])[:count]]]
    return found


def _without_copies(looks: Floats, radius: float, count: int) -> Rows:
    """Return the first places that are not within a radius of one before; then, where these are too few, the others."""
    copies = np.zeros(len(looks), dtype=bool)
    kept: list[int] = []
    for place in range(len(looks)):
        if len(kept) == count:
            break
        if not copies[place]:
            kept.append(place)
            copies |= ((looks - looks[place]) ** 2).sum(axis=1) < radius**2
    others = np.setdiff1d(np.arange(len(looks)), kept)
    return np.concatenate([np.array(kept, dtype=np.int64), others[: count - len(kept)]])


def _usual_distance(waiting: Waiting, seed: int) -> float:
    """Return how far two cells are from each other, in the middle."""
    from scipy.spatial.distance import pdist

    said = np.flatnonzero(np.isfinite(waiting.margin))
    some = np.random.default_rng(seed).choice(said, min(SAMPLE, len(said)), replace=False)
    if waiting.looks is None or len(some) < 2:
        return 0.0
    return float(np.median(pdist(_known(waiting.looks(np.sort(some))))))


def _known(looks: Floats) -> Floats:
    """Return looks as numbers that can be compared; a cell that was never looked at is in the middle."""
    return np.nan_to_num(np.asarray(looks, dtype=np.float64))


def _novelty(waiting: Waiting, looks: Floats, seed: int) -> Floats:
    """Return how unlike the labelled cells each is, 0 to 1; labelled cells count as covered."""
    from scipy.spatial.distance import cdist

    known = np.flatnonzero(waiting.label != UNLABELLED)
    if waiting.looks is None or not len(known):
        return np.ones(len(looks))
    if len(known) > MOST_COVERED:
        known = np.sort(np.random.default_rng(seed).choice(known, MOST_COVERED, replace=False))
    covered = np.asarray(waiting.looks(known), dtype=np.float64)
    covered = covered[np.isfinite(covered).all(axis=1)]
    if not len(covered):
        return np.ones(len(looks))
    distance = cdist(looks, covered).min(axis=1)
    usual = float(np.median(distance))
    novelty: Floats = np.minimum(1.0, distance / usual) if usual > 0 else np.ones(len(looks))
    return novelty


def _heaps(looks: Floats, count: int, seed: int) -> Rows:
    """Divide cells into up to `count` heaps; which heap each is in."""
    from scipy.cluster.vq import kmeans2

    count = min(count, len(np.unique(looks, axis=0)))  # copies of one cell are one heap
    if count < 2:
        return np.zeros(len(looks), dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a heap was left empty, which is no mistake
        _, heap = kmeans2(looks, count, iter=20, minit="++", seed=seed)
    return np.asarray(heap, dtype=np.int64)


def _top(doubt: Floats, count: int) -> Rows:
    """Return the rows of the highest values that are not below 0, highest first."""
    rows = np.flatnonzero(doubt >= 0)
    return rows[_smallest(-doubt[rows], count)]


def _smallest(values: NDArray[Any], count: int) -> Rows:
    """Return the places of the smallest values in order; of equal ones the first come first."""
    if count <= 0:
        return np.zeros(0, dtype=np.int64)
    places = np.arange(len(values))
    if len(values) > count:
        limit = np.partition(values, count - 1)[count - 1]
        places = np.flatnonzero(values <= limit)
    found: Rows = places[np.argsort(values[places], kind="stable")][:count]
    return found


def _lots(cells: CellRefs, seed: int) -> NDArray[np.uint64]:
    """Return a number for each cell that looks random and is always the same (splitmix64 of its name)."""
    lot = np.full(len(cells), seed, dtype=np.int64).astype(np.uint64)
    for part in (cells.image_id, cells.t, cells.cell_id):
        lot = (lot ^ part.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        lot = (lot ^ (lot >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        lot = (lot ^ (lot >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        lot = lot ^ (lot >> np.uint64(31))
    return lot
