"""Figures from counts: accuracy, recall, F1 and so on, for many resamples at once.

All figures follow from few sums over cells: of each class how many are right, true and predicted, and what mistakes
cost. Such sums add up over groups of cells, so a resample of groups is a sum of rows. Numbers are those of
scikit-learn's functions, which take one list of cells at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

OVERALL = ("accuracy", "balanced_accuracy", "macro_f1", "matthews", "kappa")
OF_A_CLASS = ("precision", "recall", "f1")

_DENSE = 2_000_000  # numbers


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over cells; one row a group, a resample, or all of them.

    Parameters
    ----------
    right, true, predicted
        ``(R, K)`` counts of each class.
    cost
        ``(R,)`` sum of the weights of kappa over the cells.
    """

    right: Floats
    true: Floats
    predicted: Floats
    cost: Floats


class GroupSums:
    """The sums of each group of cells.

    Parameters
    ----------
    truth, predicted
        ``(N,)`` places of classes.
    group
        ``(N,)`` numbers of groups, from 0 without gaps.
    size
        How many classes there are.
    weights
        Of kappa, see `kappa_weights`.
    """

    def __init__(self, truth: Places, predicted: Places, group: Places, size: int, weights: Floats | None) -> None:
        shape = (int(group.max()) + 1, size)
        hit = truth == predicted
        self.size = shape[0]
        self._right = _counted(group[hit], truth[hit], shape)
        self._true = _counted(group, truth, shape)
        self._predicted = _counted(group, predicted, shape)
        cost = np.zeros(len(truth)) if weights is None else weights[truth, predicted]
        self._cost = np.bincount(group, weights=cost, minlength=shape[0])

    def resampled(self, times: Floats) -> Sums:
        """Return sums in which row r takes each group ``times[r]`` times."""
        return Sums(times @ self._right, times @ self._true, times @ self._predicted, times @ self._cost)

    def holding(self) -> Places:
        """Return in how many groups each class is true or predicted, ``(K,)``."""
        found = ((self._true + self._predicted) > 0).sum(axis=0)
        return np.asarray(found, dtype=np.int64).reshape(-1)


def _counted(row: Places, column: Places, shape: tuple[int, int]) -> Any:
    """Return how often each place of a matrix is met; sparse where it would be large."""
    if shape[0] * shape[1] > _DENSE:
        return csr_array((np.ones(len(row)), (row, column)), shape=shape)
    return np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)


def overall(sums: Sums, weights: Floats | None) -> dict[str, Floats]:
    """Return each of `OVERALL`, ``(R,)``; NaN where it is undefined. No kappa without weights."""
    cells = sums.true.sum(axis=1)
    single = of_classes(sums)
    found = {
        "accuracy": sums.right.sum(axis=1) / cells,
        "balanced_accuracy": _mean(single["recall"]),
        "macro_f1": _mean(single["f1"]),
        "matthews": _matthews(sums, cells),
    }
    return found if weights is None else found | {"kappa": _kappa(sums, cells, weights)}


def of_classes(sums: Sums) -> dict[str, Floats]:
    """Return precision, recall and F1, ``(R, K)`` each; NaN where a class is never predicted or never true."""
    return {
        "precision": _ratio(sums.right, sums.predicted),
        "recall": _ratio(sums.right, sums.true),
        "f1": _ratio(2 * sums.right, sums.true + sums.predicted),
    }


def _ratio(part: Floats, whole: Floats) -> Floats:
    found = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


def _mean(values: Floats) -> Floats:
    """Return the mean over the classes of which a value is known."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))


def _matthews(sums: Sums, cells: Floats) -> Floats:
    """Return Matthews' correlation for several classes (Gorodkin 2004); 0 where all are of one class."""
    together = (sums.true * sums.predicted).sum(axis=1)
    spread_true = cells**2 - (sums.true**2).sum(axis=1)
    spread_predicted = cells**2 - (sums.predicted**2).sum(axis=1)
    found = _ratio(sums.right.sum(axis=1) * cells - together, np.sqrt(spread_true * spread_predicted))
    return np.nan_to_num(found, nan=0.0)


def _kappa(sums: Sums, cells: Floats, weights: Floats) -> Floats:
    """Return weighted kappa (Cohen 1968): 1 less the cost of the mistakes over that of chance."""
    by_chance = ((sums.true @ weights) * sums.predicted).sum(axis=1) / cells
    return 1 - _ratio(sums.cost, by_chance)
