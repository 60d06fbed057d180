"""How well an order of cells that nobody was told agrees with the known order of the classes.

Direction and, of a ring, the starting point mean nothing in a diffusion map, so somebody has to choose them: a class
that is named as the first, or the best fit. That is done on cells that the model was trained on, where there are any,
and scored on the others. What labels in a random order would reach with as many choices is said beside the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.pseudotime import Floats, Pseudotime, Shape
from napari_cellstage.core.review.rank_correlations import RankPairs, Ranks, Values, by_chance, intervals
from napari_cellstage.core.review.true_order import TrueOrder
from napari_cellstage.core.scoring.intervals import Interval
from napari_cellstage.core.scoring.words import number

Rows = NDArray[np.bool_]
Way = tuple[int, float]  # 1 or -1: in which direction; and from where on
STARTS = 100  # places of a ring that are tried as its start
FEWEST = 10
EDGE = 0.05  # share of the first class that may come before the start of a ring


@dataclass(frozen=True)
class OrderScore:
    """Spearman's correlation of places with the true order of the classes, ties as scipy treats them.

    Parameters
    ----------
    spearman, interval
        From -1 to 1, and where it lies in 95 % of draws of groups.
    n, groups
        Cells and groups of them that were scored.
    seen
        The model was trained on these cells, so the score flatters.
    chance
        What 95 % of shuffles of the labels stay under, with as many choices.
    circular, circular_interval
        The same with the last place next to the first (Fisher & Lee 1982, on ranks; cells of one class are tied, so
        that even a perfect order stays under 1); None where classes are no cycle.
    choice
        How direction and start were fixed, in words.
    order
        The classes in their true order.
    """

    spearman: float
    interval: Interval
    n: int
    groups: int
    seen: bool
    chance: float
    circular: float | None
    circular_interval: Interval | None
    choice: str
    order: TrueOrder

    @property
    def short(self) -> str:
        """The score on one line."""
        cells = "cells of the training" if self.seen else "unseen cells"
        return f"Spearman {number(self.spearman, self.interval)}, {self.n:,} {cells}"

    @property
    def text(self) -> str:
        """The score in words."""
        cells = f"{self.n:,} cells that the model {'was trained on, so it flatters' if self.seen else 'had not seen'}"
        parts = [f"order {number(self.spearman, self.interval)} (Spearman with {self.order.text}), {cells}"]
        if self.circular is not None:
            parts.append(f"circular {number(self.circular, self.circular_interval)}")
        return "; ".join([*parts, f"by chance up to {self.chance:.2f}. {self.choice}"])


@dataclass(frozen=True, eq=False)
class CellOrder:
    """Cells in an order, with the direction fixed.

    Parameters
    ----------
    time
        ``(N,)`` float32 from 0 to 1; NaN where not known.
    found
        What it was made of.
    score
        None where the order of the classes is not known, or too few cells have a label.
    """

    time: Floats
    found: Pseudotime
    score: OrderScore | None

    @property
    def text(self) -> str:
        """All there is to say of it, in sentences."""
        return self.found.why if self.score is None else f"{self.score.text} {self.found.why}"


def order_cells(
    found: Pseudotime,
    labels: NDArray[np.str_],
    order: TrueOrder | None,
    groups: NDArray[np.str_],
    unseen: Rows,
    start: str | None = None,
    seed: int = 0,
) -> CellOrder:
    """Fix direction and start of an order of cells, and score it.

    Parameters
    ----------
    found
        Of ``N`` cells.
    labels
        ``(N,)`` names of classes, empty where there is no label.
    order
        The true order; None: nothing is scored.
    groups
        ``(N,)`` image, well, movie; cells of one are drawn together for the interval.
    unseen
        ``(N,)``; cells that the model was not trained on: those are scored, where they are 10 or more.
    start
        The class that is to come first; None: what fits best.
    seed
        Same seed, same interval.
    """
    has_place = np.isfinite(found.time)
    ranks = np.full(len(labels), -1, dtype=np.int64) if order is None else order.ranks(labels)
    known = has_place & (ranks >= 0)
    scored, seen = _scored(known, unseen, ranks)
    learnt = known & ~scored
    fitted = learnt if _says_something(learnt, ranks) else scored
    first = has_place & (labels == start) if start is not None else np.zeros_like(known)
    if (first & fitted).any():
        first &= fitted  # that of the cells that are scored is not looked at
    time = found.time.astype(np.float64)
    ways = _ways(found.shape, time[first])
    best = _best(time[fitted], ways, ranks[fitted]) if _says_something(fitted, ranks) else ways[0]
    score = None
    if order is not None and _says_something(scored, ranks):
        own = bool((fitted == scored).all())
        choice = _choice(found.shape, start if first.any() else None, own)
        scored_cells = _Scored(time[scored], ranks[scored], groups[scored], order, seed)
        score = scored_cells.score(best, ways if own else [best], seen, choice)
    return CellOrder(_along(time, best).astype(np.float32), found, score)


def _says_something(rows: Rows, ranks: Ranks) -> bool:
    return int(rows.sum()) >= FEWEST and len(np.unique(ranks[rows])) > 1


def _scored(known: Rows, unseen: Rows, ranks: Ranks) -> tuple[Rows, bool]:
    fresh = known & unseen
    return (fresh, False) if _says_something(fresh, ranks) else (known, True)


def _along(time: Values, way: Way) -> Values:
    """Return places in a direction and from a start; all are between 0 and 1, so that a line is not cut."""
    direction, start = way
    found: Values = (direction * time - start) % 1.0
    return found


def _ways(shape: Shape, first: Values) -> list[Way]:
    """Return each direction, and of a ring each start, that is left to choose from; `first` are to come first."""
    if shape == "open":
        return [(1, 0.0), (-1, 0.0)] if not len(first) else [(1 if np.median(first) < 0.5 else -1, 0.0)]
    if len(first):
        return [(direction, _beginning(direction * first)) for direction in (1, -1)]
    return [(direction, cut / STARTS) for direction in (1, -1) for cut in range(STARTS)]


def _beginning(places: Values) -> float:
    """Return where on the ring the cells of a class begin."""
    middle = float(np.angle(np.exp(2j * np.pi * places).mean())) / (2 * np.pi)
    return middle + float(np.quantile((places - middle + 0.5) % 1.0 - 0.5, EDGE))


def _best(time: Values, ways: list[Way], ranks: Ranks) -> Way:
    whole = np.ones(len(time))
    return max(ways, key=lambda way: RankPairs(_along(time, way), ranks).spearman(whole))


@dataclass(frozen=True, eq=False)
class _Scored:
    """The cells that are scored: places, classes, groups."""

    time: Values
    ranks: Ranks
    groups: NDArray[np.str_]
    order: TrueOrder
    seed: int

    def score(self, way: Way, tried: list[Way], seen: bool, choice: str) -> OrderScore:
        pairs, whole = RankPairs(_along(self.time, way), self.ranks), np.ones(len(self.time))
        names, numbers = np.unique(self.groups, return_inverse=True)
        cyclic = self.order.cyclic
        drawn = intervals(pairs, numbers.reshape(-1), cyclic, self.seed)
        return OrderScore(
            spearman=pairs.spearman(whole),
            interval=drawn[0],
            n=len(self.time),
            groups=len(names),
            seen=seen,
            chance=by_chance([_along(self.time, one) for one in tried], self.ranks, self.seed),
            circular=pairs.circular(whole) if cyclic else None,
            circular_interval=drawn[1] if cyclic else None,
            choice=choice,
            order=self.order,
        )


def _choice(shape: Shape, start: str | None, own: bool) -> str:
    where = "these very cells" if own else "cells that the model was trained on, not by these"
    if shape == "open":
        return f"It begins with {start}, as told." if start else f"The direction was chosen by {where}."
    if start:
        return f"It begins with {start}, as told; the direction was chosen by {where}."
    return f"Direction and start ({STARTS} were tried) were chosen by {where}."
