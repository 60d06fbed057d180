"""Splits of labelled cells into training and held-out parts, and into folds. Nothing that trains belongs here.

Cells of one movie, well or image look alike, so a split never cuts through such a group: a score on cells whose
neighbours were trained on flatters. Only when there is a single group are its cells themselves split.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]
Groups = NDArray[Any]


def holdout(labels: Labels, groups: Groups, share: float, seed: int) -> NDArray[np.bool_]:
    """Choose the part that is kept out of training.

    Parameters
    ----------
    labels
        ``(N,)`` class of each cell, any integers.
    groups
        ``(N,)`` which movie, well or image each cell is from; any sortable values.
    share
        Wanted share of held-out cells, 0 to 0.5. Whole groups are held out, so the real share may differ.
    seed
        Same seed, same split.

    Returns
    -------
    ndarray
        ``(N,)`` bool, True where held out. Every class keeps a cell in training; nothing is held out where that
        is impossible, as when every class is in a group of its own.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    if share <= 0 or len(labels) == 0:
        return np.zeros(len(labels), dtype=bool)
    if len(np.unique(groups)) < 2:
        return _holdout_by_cell(labels, share, seed)
    fold = kfold(labels, groups, max(2, round(1 / max(share, 1 / len(labels)))), seed)
    held_out = min((fold == f for f in np.unique(fold)), key=lambda held: _badness(labels, held, share))
    return _keep_every_class(labels, groups, held_out)


def kfold(labels: Labels, groups: Groups, folds: int, seed: int) -> NDArray[np.int64]:
    """Give each cell the number of its fold, with like shares of each class in every fold.

    Parameters
    ----------
    labels, groups, seed
        As in `holdout`.
    folds
        Wanted number of folds; there are fewer when there are fewer groups (or, with one group, cells).

    Returns
    -------
    ndarray
        ``(N,)`` int64 from 0; all 0 when the cells can't be split.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    if len(np.unique(groups)) < 2:
        return _folds_by_cell(labels, folds, seed)
    largest_class = int(np.unique(labels, return_counts=True)[1].max())
    folds = min(folds, len(np.unique(groups)), largest_class)
    fold = np.zeros(len(labels), dtype=np.int64)
    if folds < 2:
        return fold
    from sklearn.model_selection import StratifiedGroupKFold  # takes a second, and who lists runs needs none of it

    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer cells than folds is no mistake here: rare stages are the rule.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, test) in enumerate(splitter.split(np.zeros(len(labels)), labels, groups)):
            fold[test] = number
    return np.unique(fold, return_inverse=True)[1].astype(np.int64)


def _shuffled_by_class(labels: Labels, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return rows with the classes one after the other, in random order inside each."""
    shuffled = rng.permutation(len(labels))
    return shuffled[np.argsort(labels[shuffled], kind="stable")]


def _folds_by_cell(labels: Labels, folds: int, seed: int) -> NDArray[np.int64]:
    fold = np.zeros(len(labels), dtype=np.int64)
    folds = min(folds, len(labels))
    if folds >= 2:
        fold[_shuffled_by_class(labels, np.random.default_rng(seed))] = np.arange(len(labels)) % folds
    return fold


def _holdout_by_cell(labels: Labels, share: float, seed: int) -> NDArray[np.bool_]:
    """Take every (1/share)-th cell of the list sorted by class, which keeps the shares of the classes."""
    rng = np.random.default_rng(seed)
    order = _shuffled_by_class(labels, rng)
    steps = np.floor(rng.uniform() + np.arange(len(labels) + 1) * min(share, 0.5))
    held_out = np.zeros(len(labels), dtype=bool)
    held_out[order] = np.diff(steps) > 0
    return _keep_every_class(labels, np.arange(len(labels)), held_out)


def _missing_classes(labels: Labels, held_out: NDArray[np.bool_]) -> NDArray[Any]:
    return np.setdiff1d(labels[held_out], labels[~held_out])


def _badness(labels: Labels, held_out: NDArray[np.bool_], share: float) -> tuple[int, float]:
    return len(_missing_classes(labels, held_out)), abs(float(held_out.mean()) - share)


def _keep_every_class(labels: Labels, groups: Groups, held_out: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give back to training the smallest group of each class that training has lost."""
    held_out = held_out.copy()
    while len(missing := _missing_classes(labels, held_out)):
        candidates, sizes = np.unique(groups[held_out & (labels == missing[0])], return_counts=True)
        held_out &= groups != candidates[sizes.argmin()]
    return held_out
