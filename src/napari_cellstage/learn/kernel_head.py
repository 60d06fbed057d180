"""Kernel ridge regression on top of per-cell features: a smooth, curved cut, from one system of linear equations.

Each training cell speaks for its class to cells that are like it (Rasmussen & Williams 2006, Gaussian Processes for
Machine Learning, section 6.5: least-squares classification). It sees what a plane can't, and needs fewer cells than
boosted trees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from napari_cellstage.learn.boosting import check_width
from napari_cellstage.learn.linear_head import NEVER, standardised
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
Doubles = NDArray[np.float64]
Labels = NDArray[np.int64]

RIDGES = (0.01, 0.03, 0.1)
NARROW = 0.3  # over the number of features; from 0.2 to 0.5 it does the same
MOST = 4000  # training cells that others are compared with; of more, some at random
SHARP = 10.0  # scores are this many times the regression's, so that their temperature is near 1
_AT_ONCE = 2048  # cells that are compared together


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
    """

    mean: Values
    scale: Values
    cells: NDArray[np.float16]
    weights: Values
    bias: Values

    def scores(self, features: Values) -> Doubles:
        """Return ``(N, K)`` scores."""
        check_width(features, len(self.mean))
        known, weights = self.cells.astype(np.float32), self.weights.astype(np.float64)
        found = np.tile(self.bias.astype(np.float64), (len(features), 1))
        for start in range(0, len(features), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            found[rows] += likeness(standardised(features[rows], self.mean, self.scale), known) @ weights
        return found

    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """Return the five arrays by name."""
        return {name: getattr(self, name) for name in ("mean", "scale", "cells", "weights", "bias")}


def kernel_heads(
    features: Values, labels: Labels, classes: int, recipe: Recipe, ridges: tuple[float, ...] = RIDGES
) -> dict[float, KernelHead]:
    """Train one for each ridge: the larger, the less a single cell says.

    Parameters
    ----------
    features, labels, classes
        As in `choose_head`.
    recipe
        Its `class_weights` and `seed`.
    ridges
        Added to the diagonal of the cells' likeness.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1).astype(np.float32)
    values = standardised(features, mean, scale)
    chosen = np.sort(np.random.default_rng(recipe.seed).permutation(len(labels))[:MOST])
    cells = values[chosen].astype(np.float16)
    counts = np.bincount(labels, minlength=classes)
    worth = (len(labels) / np.count_nonzero(counts) / np.maximum(counts, 1))[labels] if recipe.class_weights else None
    truth = np.eye(classes)[labels]
    bias = np.average(truth, axis=0, weights=worth)
    with threadpool_limits(1):  # the second thread gains little, and spins for seconds when there is other work
        solved = _solved(values, cells.astype(np.float32), truth - bias, worth, ridges)
    base = np.where(counts, bias * SHARP, NEVER).astype(np.float32)
    return {
        ridge: KernelHead(mean, scale, cells, (weights * SHARP).astype(np.float32), base)
        for ridge, weights in solved.items()
    }


def likeness(some: Values, others: Values) -> Doubles:
    """Return how like cells are, 0 to 1: ``exp(-NARROW / F * squared distance)``, ``(len(some), len(others))``."""
    squared = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)[None] - 2 * some @ others.T
    found: Doubles = np.exp(-NARROW / max(some.shape[1], 1) * np.maximum(squared, 0)).astype(np.float64)
    return found


def _solved(
    values: Values, known: Values, wanted: Doubles, worth: Doubles | None, ridges: tuple[float, ...]
) -> dict[float, Doubles]:
    """Return the weights ``(M, K)`` of the known cells for each ridge.

    Where all cells are known, each pulls as hard as it is worth; else by the subset of regressors (Rasmussen & Williams
    2006, section 8.3.1).
    """
    from scipy.linalg import solve

    worth = np.ones(len(values)) if worth is None else worth
    among = likeness(known, known)
    if len(known) == len(values):
        return {ridge: solve(among + np.diag(ridge / worth), wanted, assume_a="pos") for ridge in ridges}
    like = likeness(values, known)
    squared, pulled = like.T @ (like * worth[:, None]), like.T @ (wanted * worth[:, None])
    floor = 1e-6 * np.trace(squared) / len(known) * np.eye(len(known))
    return {ridge: solve(squared + ridge * among + floor, pulled, assume_a="pos") for ridge in ridges}
