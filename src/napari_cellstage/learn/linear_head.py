"""Linear discriminants on top of per-cell features, several strengths of shrinkage at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from napari_cellstage.learn.boosting import check_width
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
Labels = NDArray[np.int64]

SHRINKAGES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 0.9)
FURTHEST = 4.0  # features are cut off at this many standard deviations
NEVER = -1e6  # score of a class without cells


@dataclass(frozen=True)
class LinearHead:
    """Linear discriminant analysis with a shrunk covariance.

    Parameters
    ----------
    mean, scale
        ``(F,)``; features are brought to mean 0 and spread 1 first.
    weights, bias
        ``(F, K)`` and ``(K,)``.
    """

    NAMES: ClassVar[tuple[str, ...]] = ("mean", "scale", "weights", "bias")
    mean: Values
    scale: Values
    weights: Values
    bias: Values

    def scores(self, features: Values) -> NDArray[np.float64]:
        """Return ``(N, K)`` scores."""
        check_width(features, len(self.mean))
        return standardised(features, self.mean, self.scale).astype(np.float64) @ self.weights + self.bias

    def arrays(self) -> dict[str, Values]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in self.NAMES}


def linear_heads(
    features: Values, labels: Labels, classes: int, recipe: Recipe, shrinkages: tuple[float, ...] = SHRINKAGES
) -> dict[float, LinearHead]:
    """Train linear discriminants with several shrinkages of the covariance at once (Friedman 1989).

    One eigendecomposition serves all of them, which is why scikit-learn's, that begins anew for each, is not used.
    """
    mean = features.mean(axis=0)
    spread = features.std(axis=0)
    scale = np.where(spread > 1e-6, spread, 1).astype(np.float32)
    values = standardised(features, mean, scale).astype(np.float64)
    counts = np.bincount(labels, minlength=classes)
    centres = np.stack([values[labels == k].mean(axis=0) if counts[k] else mean * 0.0 for k in range(classes)])
    offsets = values - centres[labels]
    freedom = max(1, len(labels) - int(np.count_nonzero(counts)))
    with threadpool_limits(1):  # the second thread gains little, and spins for seconds when there is other work
        variances, axes = _principal_axes(offsets / np.sqrt(freedom))
        turned = axes.T @ centres.T
    chance = np.ones(classes) if recipe.class_weights else counts / len(labels)
    prior = np.where(counts, np.log(np.maximum(chance, 1e-9)), NEVER)
    average = max(float(variances.sum()) / features.shape[1], 1e-9)
    heads = {}
    for shrinkage in shrinkages:
        # Off the axes there is no variance but what shrinkage adds; along them, both.
        off_axes = shrinkage * average
        along = 1 / ((1 - shrinkage) * variances + off_axes) - 1 / off_axes
        weights = centres.T / off_axes + axes @ (along[:, None] * turned)
        bias = np.where(counts, prior - (centres.T * weights).sum(axis=0) / 2, NEVER)
        heads[shrinkage] = LinearHead(mean, scale, weights.astype(np.float32), bias.astype(np.float32))
    return heads


def _principal_axes(offsets: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return variances ``(R,)`` and axes ``(F, R)`` of ``(N, F)`` offsets, from the smaller of the two products.

    Few cells have many features: a matrix of cells by cells then takes a thousandth of the time.
    """
    cells, features = offsets.shape
    if cells >= features:
        variances, axes = np.linalg.eigh(offsets.T @ offsets)
        return np.maximum(variances, 0), axes
    variances, sides = np.linalg.eigh(offsets @ offsets.T)
    kept = variances > variances[-1] * 1e-10
    return variances[kept], offsets.T @ (sides[:, kept] / np.sqrt(variances[kept]))


def standardised(features: Values, mean: Values, scale: Values) -> Values:
    """Return features at mean 0 and spread 1, cut off at `FURTHEST`."""
    values: Values = np.clip((features - mean) / scale, -FURTHEST, FURTHEST)
    return values
