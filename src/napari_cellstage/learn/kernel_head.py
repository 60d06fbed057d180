"""Kernel ridge regression on top of per-cell features: a smooth, curved cut, from one system of linear equations.

Each training cell speaks for its class to cells that are like it (Rasmussen & Williams 2006, Gaussian Processes for
Machine Learning, section 6.5: least-squares classification). It sees what a plane can't, and needs fewer cells than
boosted trees.

Cells are alike by all features, and besides by the few that tell most on their own. Where one amount decides, as that
of DNA in G1, S and G2, it would be lost among hundreds of others: on half of the Jurkat cells the few bring 0.82 to
0.95. Trials say whether they count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from napari_cellstage.learn.boosting import check_width
from napari_cellstage.learn.linear_head import NEVER, standardised
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
Doubles = NDArray[np.float64]
Labels = NDArray[np.int64]

NARROW = 0.3  # over the number of features; from 0.2 to 0.5 it does the same
FEW, NARROW_FEW = 4, 10.0  # features that tell most on their own; likeness by them falls off sooner
MOST = 3000  # training cells that others are compared with; of more, some at random
SHARP = 10.0  # scores are this many times the regression's, so that their temperature is near 1
_AT_ONCE = 2048  # cells that are compared together


class Sharpness(NamedTuple):
    """How much is left to single cells, and how much the few features count.

    Parameters
    ----------
    ridge
        Added to the diagonal of the cells' likeness: the larger, the less a single cell says.
    few
        How much likeness by the few features adds to that by all.
    """

    ridge: float
    few: float


SHARPNESSES = tuple(Sharpness(ridge, few) for few in (0.0, 0.5) for ridge in (0.01, 0.03, 0.1))


@dataclass(frozen=True)
class KernelHead:
    """Scores by likeness to training cells.

    Parameters
    ----------
    mean, scale
        ``(F,)``; features are brought to mean 0 and spread 1 first.
    cells
        ``(M, F)`` float16; features of training cells, brought to the same.
    weights, bias
        ``(M, K)`` and ``(K,)``.
    few
        ``(P,)``; places of the features that tell most on their own; empty where they do not count.
    share
        ``(1,)``; how much likeness by them adds.
    """

    NAMES: ClassVar[tuple[str, ...]] = ("mean", "scale", "cells", "weights", "bias", "few", "share")
    mean: Values
    scale: Values
    cells: NDArray[np.float16]
    weights: Values
    bias: Values
    few: NDArray[np.int64]
    share: Values

    def scores(self, features: Values) -> Doubles:
        """Return ``(N, K)`` scores."""
        check_width(features, len(self.mean))
        known, weights = self.cells.astype(np.float32), self.weights.astype(np.float64)
        found = np.tile(self.bias.astype(np.float64), (len(features), 1))
        for start in range(0, len(features), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            values = standardised(features[rows], self.mean, self.scale)
            found[rows] += likeness(values, known, self.few, float(self.share[0])) @ weights
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in self.NAMES}


def kernel_heads(
    features: Values,
    labels: Labels,
    classes: int,
    recipe: Recipe,
    sharpnesses: tuple[Sharpness, ...] = SHARPNESSES,
) -> dict[Sharpness, KernelHead]:
    """Train one for each sharpness.

    Parameters
    ----------
    features, labels, classes
        As in `choose_head`.
    recipe
        Its `class_weights` and `seed`.
    sharpnesses
        Those that are wanted.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1).astype(np.float32)
    values = standardised(features, mean, scale)
    chosen = np.sort(np.random.default_rng(recipe.seed).permutation(len(labels))[:MOST])
    cells, few = values[chosen].astype(np.float16), telling_most(values, labels)
    counts = np.bincount(labels, minlength=classes)
    worth = (len(labels) / np.count_nonzero(counts) / np.maximum(counts, 1))[labels] if recipe.class_weights else None
    truth = np.eye(classes)[labels]
    bias = np.average(truth, axis=0, weights=worth)
    base = np.where(counts, bias * SHARP, NEVER).astype(np.float32)
    heads = {}
    for share in dict.fromkeys(one.few for one in sharpnesses):
        ridges, used = [one.ridge for one in sharpnesses if one.few == share], few if share else few[:0]
        with threadpool_limits(1):  # the second thread gains little, and spins for seconds when there is other work
            solved = _solved(values, cells.astype(np.float32), truth - bias, worth, ridges, used, share)
        for ridge, weights in solved.items():
            own, adds = (weights * SHARP).astype(np.float32), np.array([share], dtype=np.float32)
            heads[Sharpness(ridge, share)] = KernelHead(mean, scale, cells, own, base, used, adds)
    return heads


def telling_most(values: Values, labels: Labels, count: int = FEW) -> NDArray[np.int64]:
    """Return the places of the features that part the classes best, each on its own, by their F statistic.

    scikit-learn's ``f_classif`` warns of features that are the same in all cells, of which crops have many.
    """
    kinds, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    totals = np.zeros((len(kinds), values.shape[1]))
    np.add.at(totals, which, values)
    means = totals / counts[:, None]
    between = (counts[:, None] * (means - values.mean(axis=0)) ** 2).sum(axis=0)
    within = sum(((values[which == kind] - means[kind]) ** 2).sum(axis=0) for kind in range(len(kinds)))
    statistic = between / np.maximum(within, 1e-9)  # of the same number of cells and classes for all features
    return np.argsort(-statistic, kind="stable")[:count].astype(np.int64)


def likeness(some: Values, others: Values, few: NDArray[np.int64] | None = None, share: float = 0.0) -> Doubles:
    """Return how like cells are, ``(len(some), len(others))``, 1 for the same.

    ``exp(-NARROW / F * squared distance)`` by all features, and `share` times the like of it by the few.
    """
    found = _by(some, others, NARROW)
    if few is not None and len(few) and share:
        found += share * _by(some[:, few], others[:, few], NARROW_FEW)
    return found


def _by(some: Values, others: Values, narrow: float) -> Doubles:
    squared = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None] - 2 * some @ others.T
    found: Doubles = np.exp(-narrow / max(some.shape[1], 1) * np.maximum(squared, 0)).astype(np.float64)
    return found


def _solved(
    values: Values,
    known: Values,
    wanted: Doubles,
    worth: Doubles | None,
    ridges: Sequence[float],
    few: NDArray[np.int64],
    share: float,
) -> dict[float, Doubles]:
    """Return the weights ``(M, K)`` of the known cells for each ridge.

    Where all cells are known, each pulls as hard as it is worth; else by the subset of regressors (Rasmussen & Williams
    2006, section 8.3.1).
    """
    from scipy.linalg import solve

    worth = np.ones(len(values)) if worth is None else worth
    among = likeness(known, known, few, share)
    if len(known) == len(values):
        return {ridge: solve(among + np.diag(ridge / worth), wanted, assume_a="pos") for ridge in ridges}
    squared, pulled = np.zeros((len(known), len(known))), np.zeros((len(known), wanted.shape[1]))
    for start in range(0, len(values), _AT_ONCE):  # all at once would take gigabytes for 100,000 cells
        rows = slice(start, start + _AT_ONCE)
        like = likeness(values[rows], known, few, share)
        pull = like.T * worth[rows]
        squared, pulled = squared + pull @ like, pulled + pull @ wanted[rows]
    floor = 1e-6 * np.trace(squared) / len(known) * np.eye(len(known))
    return {ridge: solve(squared + ridge * among + floor, pulled, assume_a="pos") for ridge in ridges}
