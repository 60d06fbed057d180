"""The choice between two models by the same held-out cells, and a score of it that the choice does not flatter.

The better of two scores on the same cells is too high on average: chance helps whichever wins. So each group's cells
are scored with the model that the other groups prefer: what is scored is the choosing, on cells that chose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores, score_unseen

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """Which of two models is kept, and how good that way of choosing is.

    Parameters
    ----------
    takes_second
        The second is better on all the held-out cells.
    scores
        Of the choosing; see the module.
    """

    takes_second: bool
    scores: Scores


def choose(first: Unseen, second: Unseen, seed: int = 0) -> Choice:
    """Choose between two models; where both are as good the first is kept.

    Parameters
    ----------
    first, second
        What each says about its held-out cells; cells that only one has are left out.
    seed
        How cells are halved where all are of one group.

    Raises
    ------
    TrainingError
        If they have no cell in common.
    """
    one, other = _on_same_cells(first, second)
    everything = np.ones(len(one), dtype=bool)
    return Choice(_is_better(other, one, everything), score_unseen(_cross_fitted(one, other, seed)))


def _cross_fitted(one: Unseen, other: Unseen, seed: int) -> Unseen:
    """Return for each part the answers of the model that does better on the other parts."""
    part = _parts(one, seed)
    taken = np.zeros(len(one), dtype=bool)
    for number in np.unique(part):
        here = part == number
        if not here.all():
            taken[here] = _is_better(other, one, ~here)
    mixed: dict[str, Any] = {
        name: _mixed(getattr(one, name), getattr(other, name), taken) for name in ("probabilities", "raw")
    }
    return replace(one, **mixed, embedding=None, unlike=None)


def _parts(unseen: Unseen, seed: int) -> NDArray[np.int64]:
    """Return the number of each cell's group; halves, each with its share of every class, where there is one group."""
    groups, number = np.unique(unseen.groups, return_inverse=True)
    if len(groups) > 1:
        return number.astype(np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(unseen))
    halves = np.zeros(len(unseen), dtype=np.int64)
    halves[shuffled[np.argsort(unseen.truth[shuffled], kind="stable")]] = np.arange(len(unseen)) % 2
    return halves


def _is_better(new: Unseen, old: Unseen, rows: Rows) -> bool:
    return _rank(new, rows) > _rank(old, rows)


def _rank(unseen: Unseen, rows: Rows) -> tuple[float, float]:
    """Return accuracy, and macro F1 where that is the same."""
    from sklearn.metrics import f1_score

    truth, predicted = unseen.truth[rows], unseen.predicted[rows]
    return float((truth == predicted).mean()), float(f1_score(truth, predicted, average="macro", zero_division=0))


def _mixed(one: NDArray[Any], other: NDArray[Any], taken: Rows) -> NDArray[Any]:
    return np.where(taken[:, None], other, one)


def _on_same_cells(first: Unseen, second: Unseen) -> tuple[Unseen, Unseen]:
    _, mine, theirs = np.intersect1d(first.names, second.names, return_indices=True)
    if not len(mine):
        raise TrainingError("The two models were held out from 0 common cells, so they can't be compared. Train again.")
    return first.take(mine), second.take(theirs)
