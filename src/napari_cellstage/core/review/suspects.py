"""Suspected label errors: labels that a model which had not seen the cell finds unlikely.

A cell is ranked by the probability of the label that it has, called self-confidence by Northcutt et al. 2021
("Confident learning"). Of 5 % flipped labels on mitocheck that found more than margins, entropies or thresholds of
each class did: a mix-up of like classes leaves the label some probability, a slip of the finger leaves none.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.unseen import Unseen

Rows = NDArray[np.int64]


def suspicion(unseen: Unseen) -> NDArray[np.float32]:
    """Return ``(N,)`` float32 from 0 to 1: how little the label fits; NaN where there is no answer for the cell."""
    chances = _chances(unseen)
    own = chances[np.arange(len(chances)), unseen.truth] if len(chances) else np.zeros(0)
    found: NDArray[np.float32] = (1 - own).astype(np.float32)
    return found


def find_errors(unseen: Unseen) -> Rows:
    """Return the rows whose label is probably wrong, most suspicious first.

    How many there are is estimated by confident learning (cleanlab): from how often a class gets the confidence that
    is usual for another. Labels that the model agrees with are never among them.
    """
    doubted = _doubted(unseen)
    if not doubted.any():
        return np.zeros(0, dtype=np.int64)
    answered = np.flatnonzero(np.isfinite(unseen.probabilities).all(axis=1))
    found = answered[_by_cleanlab(unseen.take(answered))]
    return _ranked(unseen, found[doubted[found]])


def _doubted(unseen: Unseen) -> NDArray[np.bool_]:
    """Tell which cells have an answer that is not their label."""
    doubted: NDArray[np.bool_] = np.isfinite(unseen.probabilities).all(axis=1) & (unseen.predicted != unseen.truth)
    return doubted


def _by_cleanlab(unseen: Unseen) -> NDArray[Any]:
    """Tell which labels are issues; cells of a class alone can't be estimated from, so each is one."""
    if len(np.unique(unseen.truth)) < 2:
        return np.ones(len(unseen), dtype=bool)
    from cleanlab.filter import find_label_issues

    with warnings.catch_warnings():
        # It warns of classes without labels and of rare ones, which are the rule here.
        warnings.simplefilter("ignore")
        found: NDArray[Any] = find_label_issues(
            unseen.truth, _chances(unseen), filter_by="low_self_confidence", n_jobs=1, verbose=False
        )
    return found


def _ranked(unseen: Unseen, rows: Rows) -> Rows:
    found: Rows = rows[np.argsort(-suspicion(unseen.take(rows)), kind="stable")]
    return found


def _chances(unseen: Unseen) -> NDArray[np.float64]:
    """Return probabilities that sum to 1 in double precision, which cleanlab insists on."""
    chances = unseen.probabilities.astype(np.float64)
    scaled: NDArray[np.float64] = chances / np.maximum(chances.sum(axis=1, keepdims=True), 1e-12)
    return scaled
