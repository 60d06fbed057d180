"""How far persons agree: Cohen's kappa of each two, Fleiss' kappa of all, and of each class."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.people.answers import Answers
from napari_cellstage.core.people.votes import votes
from napari_cellstage.core.scoring.intervals import FEW_GROUPS, Bootstrap, Interval, hull, wilson
from napari_cellstage.core.scoring.kappas import KINDS, KappaKind, kappa_weights
from napari_cellstage.core.scoring.words import cells_words

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

# Landis and Koch 1977: words that people in this field know, for kappas up to each number.
_LIMITS = (0.0, 0.2, 0.4, 0.6, 0.8)
_WORDS = ("poor", "slight", "fair", "moderate", "substantial", "almost perfect")


def in_words(kappa: float) -> str:
    """Return how a kappa is called; empty for one that is not defined."""
    return _WORDS[bisect_left(_LIMITS, kappa)] if kappa == kappa else ""


@dataclass(frozen=True)
class PairAgreement:
    """How far two persons agree.

    Parameters
    ----------
    first, second
        Their names.
    n
        Cells that both labelled.
    raw
        Share of these with the same class.
    kappa
        Cohen's kappa: the agreement beyond chance. NaN where both gave all cells one class.
    interval
        Its 95 % interval.
    weighted, weighted_interval
        Cohen's kappa in which a neighbouring class is a smaller mistake; None where classes have no order.
    """

    first: str
    second: str
    n: int
    raw: float
    kappa: float
    interval: Interval
    weighted: float | None = None
    weighted_interval: Interval | None = None


@dataclass(frozen=True)
class Agreement:
    """How far all persons agree.

    Parameters
    ----------
    pairs
        Each two persons who labelled the same cells.
    fleiss
        Fleiss' kappa; NaN where it is not defined.
    fleiss_cells, fleiss_raters
        On how many cells, each labelled by so many persons.
    fleiss_left_out
        Cells of two or more persons that are not in it, as more or fewer labelled them.
    per_class
        Name of a class, Fleiss' kappa of this class against all others, and how many of its cells.
    weighted_kind
        ``"quadratic"``, ``"cyclic"``, or empty where classes have no order.
    over
        What the intervals are drawn over: "12 images" or "cells".
    """

    pairs: tuple[PairAgreement, ...] = ()
    fleiss: float = float("nan")
    fleiss_cells: int = 0
    fleiss_raters: int = 0
    fleiss_left_out: int = 0
    per_class: tuple[tuple[str, float, int], ...] = ()
    weighted_kind: KappaKind = ""
    over: str = "cells"

    @property
    def text(self) -> str:
        """The agreement of all in a sentence."""
        if not self.pairs:
            return "No cell was labelled by two persons, so there is no agreement to measure yet."
        if self.fleiss_raters == 2 or self.fleiss != self.fleiss:
            return self._pairs_text()
        left = f"; {self.fleiss_left_out} others have fewer or more" if self.fleiss_left_out else ""
        return (
            f"Fleiss' kappa {self.fleiss:.2f} ({in_words(self.fleiss)}), {cells_words(self.fleiss_cells)} that "
            f"{self.fleiss_raters} persons labelled{left}."
        )

    def _pairs_text(self) -> str:
        known = [pair.kappa for pair in self.pairs if pair.kappa == pair.kappa]
        if not known:
            return "All gave all cells one class, so kappa says nothing: it needs cells of two classes."
        mean = sum(known) / len(known)
        of = "" if len(known) == 1 else f" on average of {len(known)} pairs"
        return f"Cohen's kappa {mean:.2f} ({in_words(mean)}){of}."


def agreement(answers: Answers, groups: NDArray[Any] | None = None, seed: int = 0) -> Agreement:
    """Return how far persons agree, on cells that two or more labelled.

    Parameters
    ----------
    answers
        What each said.
    groups
        ``(N,)``; image, well or movie of each cell, for intervals; the image when None.
    seed
        Same seed, same intervals.
    """
    several = answers.raters > 1
    answers, groups = answers.take(several), (answers.cells.image_id if groups is None else groups)[several]
    if not len(answers):
        return Agreement()
    kind = KINDS.get(answers.classes.kind, "")
    pairs = [_pair(answers, groups, a, b, kind, seed) for a, b in combinations(range(len(answers.names)), 2)]
    count = len(np.unique(groups))
    over = f"{count} groups of cells" if count > 1 else "cells"
    found = tuple(pair for pair in pairs if pair is not None)
    return Agreement(found, *_fleiss(answers), weighted_kind=kind, over=over)


def _pair(
    answers: Answers, groups: NDArray[Any], a: int, b: int, kind: KappaKind, seed: int
) -> PairAgreement | None:  # fmt: skip
    """Return the agreement of two columns; None where no cell has both."""
    both = (answers.class_ids[:, a] != UNLABELLED) & (answers.class_ids[:, b] != UNLABELLED)
    if not both.any():
        return None
    place_of = {class_id: place for place, class_id in enumerate(answers.classes.ids)}
    one, other = (np.array([place_of[i] for i in answers.class_ids[both, c].tolist()], dtype=np.int64) for c in (a, b))
    size = len(place_of)
    kappa, interval = _kappa(one, other, groups[both], 1.0 - np.eye(size), seed)
    interval = hull(interval, _by_chance(one, other, size))
    weights = kappa_weights(kind, size)
    weighted = (None, None) if weights is None else _kappa(one, other, groups[both], weights, seed)
    return PairAgreement(
        answers.names[a], answers.names[b], int(both.sum()), float((one == other).mean()), kappa, interval, *weighted
    )


def _kappa(one: Places, other: Places, groups: NDArray[Any], weights: Floats, seed: int) -> tuple[float, Interval]:
    """Return kappa and its interval: 1 less the cost of the differences over that of chance."""
    size = len(weights)
    table = np.bincount(one * size + other, minlength=size * size).reshape(size, size) / len(one)
    chance = float((weights * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
    if not chance:
        return float("nan"), (float("nan"), float("nan"))
    group = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    count = int(group.max()) + 1
    draws = ([None] if count < FEW_GROUPS else []) + ([group] if count > 1 else [])
    drawn = (Bootstrap(one, other, by, weights, size, seed).overall("kappa") for by in draws)
    return 1 - float((weights * table).sum()) / chance, hull(*drawn)


def _by_chance(one: Places, other: Places, size: int) -> Interval:
    """Return Wilson's interval of the raw agreement as kappas: of few cells that all agree a bootstrap has no doubt."""
    shares = (np.bincount(ids, minlength=size) / len(ids) for ids in (one, other))
    chance = float(np.prod(np.stack(list(shares)), axis=0).sum())
    if chance >= 1:
        return (float("nan"), float("nan"))
    low, high = wilson(float((one == other).sum()), len(one))
    return ((low - chance) / (1 - chance), (high - chance) / (1 - chance))


def _fleiss(answers: Answers) -> tuple[float, int, int, int, tuple[tuple[str, float, int], ...]]:
    """Return Fleiss' kappa of the cells with the most common number of persons; how many cells, persons, left out."""
    numbers, counts = np.unique(answers.raters, return_counts=True)
    raters = int(numbers[counts.argmax()])
    table = votes(answers)[answers.raters == raters]
    left = len(answers) - len(table)
    classes = zip(answers.classes, table.T, strict=True)
    each = tuple((one.name, _of_table(np.stack((n, raters - n), axis=1)), int((n > 0).sum())) for one, n in classes)
    return _of_table(table), len(table), raters, left, tuple(one for one in each if one[2])


def _of_table(table: NDArray[np.int64]) -> float:
    if np.count_nonzero(table.sum(axis=0)) < 2:
        return float("nan")  # all said the same of all, and chance would have
    from statsmodels.stats.inter_rater import fleiss_kappa

    return float(fleiss_kappa(table, method="fleiss"))
