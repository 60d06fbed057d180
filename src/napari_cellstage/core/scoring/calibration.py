"""Confidence that means what it says: temperature scaling (Guo et al. 2017), its error, and the curve of it.

A temperature is fitted on cells that the model has not seen. It changes no prediction, only how sure each is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.intervals import wilson

Floats = NDArray[np.floating[Any]]
Truth = NDArray[np.integer[Any]]

BINS = 15
FOLDS = 5
FEWEST_TO_BE_SURER = 20  # cells, below which a temperature under 1 is more likely chance
_SMALLEST = float(np.finfo(np.float32).tiny)
_BOUNDS = (-2.0, 6.0)  # of the logarithm of the temperature


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """How often predictions are right, by how sure they are; one entry a bin, NaN where no cell is in it.

    Parameters
    ----------
    edges
        ``(bins + 1,)``, equally wide from 0 to 1.
    count
        ``(bins,)`` cells.
    confidence, accuracy
        ``(bins,)`` mean confidence and share of right ones.
    low, high
        ``(bins,)`` Wilson's 95 % interval of the share.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of confidence and accuracy over the cells."""
        apart = np.abs(self.confidence - self.accuracy)
        return float(np.nansum(apart * self.count) / max(int(self.count.sum()), 1))


def best_temperature(scores: Floats, truth: Truth) -> tuple[float, float]:
    """Return the lowest mean log loss that dividing the scores by one number can give, and that number.

    Parameters
    ----------
    scores
        ``(N, K)`` scores whose softmax are probabilities, or logarithms of probabilities.
    truth
        ``(N,)`` places of the true classes.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        return float(-log_softmax(scores / np.exp(log_temperature), axis=1)[rows, truth].mean())

    found = minimize_scalar(loss, bounds=_BOUNDS, method="bounded")
    return float(found.fun), float(np.exp(found.x))


def fit_temperature(scores: Floats, truth: Truth) -> float:
    """Return the temperature for scores or logarithms of probabilities of cells that the model has not seen.

    1 where there is no cell. Cells that are all right would make the model ever surer of itself, so that it is never
    under 1 then.
    """
    if not len(truth):
        return 1.0
    _, temperature = best_temperature(scores, truth)
    return max(1.0, temperature) if (scores.argmax(axis=1) == truth).all() else temperature


def cautious_temperature(probabilities: Floats, truth: Truth) -> float:
    """Return the temperature for probabilities; of few cells one that makes nothing surer, as that may be chance."""
    temperature = fit_temperature(log_of(probabilities), truth)
    return max(1.0, temperature) if len(truth) < FEWEST_TO_BE_SURER else temperature


def calibrated(probabilities: Floats, temperature: float) -> NDArray[np.float32]:
    """Return ``(N, K)`` float32 probabilities at a temperature: over 1 less sure, under 1 surer."""
    from scipy.special import softmax

    made: NDArray[np.float32] = softmax(log_of(probabilities) / temperature, axis=1).astype(np.float32)
    return made


def cross_fitted(raw: Floats, truth: Truth, groups: NDArray[Any], seed: int = 0) -> NDArray[np.float32]:
    """Calibrate probabilities so that no cell's own label, or that of its group, has a say in its confidence.

    Parameters
    ----------
    raw
        ``(N, K)`` probabilities by models that had not seen the cells.
    truth
        ``(N,)`` places of the true classes.
    groups
        ``(N,)``; the temperature of a group's cells is fitted on other groups. A single group is split by cell.
    seed
        Which groups go together.
    """
    made = np.asarray(raw, dtype=np.float32).copy()
    scores = log_of(raw)
    fold = _folds(len(truth), groups, seed)
    for number in range(int(fold.max(initial=0)) + 1):
        held = fold == number
        if not held.all():
            made[held] = calibrated(raw[held], fit_temperature(scores[~held], truth[~held]))
    return made


def log_of(probabilities: Floats) -> NDArray[np.float64]:
    """Return logarithms of probabilities; 0 counts as the smallest number above it."""
    values: NDArray[np.float64] = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST))
    return values


def expected_calibration_error(probabilities: Floats, truth: Truth, bins: int = BINS) -> float:
    """Return by how much confidence is off on average, over bins of equal width (Naeini et al. 2015); 0 is best."""
    return reliability(probabilities, truth, bins).error


def reliability(probabilities: Floats, truth: Truth, bins: int = BINS) -> ReliabilityCurve:
    """Return how often predictions of like confidence are right; a bin holds its upper edge, not its lower one."""
    sure = np.asarray(probabilities, dtype=np.float64).max(axis=1, initial=0.0)
    right = probabilities.argmax(axis=1) == truth if len(truth) else np.zeros(0, dtype=bool)
    place = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    hits = np.bincount(place, weights=right, minlength=bins)
    ends = np.array([wilson(h, n) if n else (np.nan, np.nan) for h, n in zip(hits, count, strict=True)])
    some = np.where(count > 0, count, np.nan)
    confidence = np.bincount(place, weights=sure, minlength=bins) / some
    return ReliabilityCurve(np.linspace(0, 1, bins + 1), count, confidence, hits / some, ends[:, 0], ends[:, 1])


def _folds(cells: int, groups: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """Deal groups out to folds without a look at their labels, the largest first to the emptiest fold."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rng = np.random.default_rng(seed)
    if len(sizes) < 2:
        return rng.permutation(cells) % FOLDS if cells >= 2 else np.zeros(cells, dtype=np.int64)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(min(FOLDS, len(sizes)), dtype=np.int64)
    fold_of = np.zeros(len(sizes), dtype=np.int64)
    for one in order:
        fold_of[one] = filled.argmin()
        filled[fold_of[one]] += sizes[one]
    return fold_of[group]
