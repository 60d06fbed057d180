"""Two answers to the same cells compared: of two models, of a person and a model, of two persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.scoring.figures import Floats
from napari_cellstage.core.scoring.intervals import Interval, mean_interval

Places = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]

_SIGNS = 10_000
_SIGNS_ALL = 13  # groups up to which every flip of signs is tried


@dataclass(frozen=True, eq=False)
class Paired:
    """How B does where A was before, on the same cells.

    Parameters
    ----------
    won, lost, both_right, both_wrong
        ``(N,)`` bool: right by B alone, by A alone, by both, by neither.
    accuracy_a, accuracy_b
        Shares that are right.
    difference
        Accuracy of B less that of A.
    interval
        Its 95 % interval: a bootstrap over groups, over cells where there are none.
    p
        McNemar's exact test on the cells that one alone has right, from statsmodels. It takes cells as independent.
    p_groups
        The same question asked of groups, by flipping the sign of each group's gain; None where there are none.
        Trust this one where cells of an image are alike.
    groups
        How many groups there are; 0 for none.
    """

    won: Mask
    lost: Mask
    both_right: Mask
    both_wrong: Mask
    accuracy_a: float
    accuracy_b: float
    difference: float
    interval: Interval
    p: float
    p_groups: float | None = None
    groups: int = 0

    @property
    def n(self) -> int:
        """How many cells."""
        return len(self.won)

    @property
    def text(self) -> str:
        """The comparison in a line: ``"+0.03 (0.01–0.05), 12 won, 4 lost of 212 cells, p = 0.08"``."""
        low, high = self.interval
        p = self.p if self.p_groups is None else self.p_groups
        chance = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
        counts = f"{int(self.won.sum()):,} won, {int(self.lost.sum()):,} lost of {self.n:,} cells"
        return f"{self.difference:+.3f} ({low:+.3f} to {high:+.3f}), {counts}, {chance}"


def compare(
    truth: Places, predicted_a: Places, predicted_b: Places, groups: NDArray[Any] | None = None, seed: int = 0
) -> Paired:
    """Compare two answers to the same cells.

    Parameters
    ----------
    truth, predicted_a, predicted_b
        ``(N,)`` classes, in any one numbering.
    groups
        ``(N,)``; image, well or movie of each cell.
    seed
        Same seed, same interval.

    Raises
    ------
    TrainingError
        If there is no cell that both have answered.
    """
    truth, a, b = (np.asarray(one) for one in (truth, predicted_a, predicted_b))
    if not len(truth):
        raise TrainingError("There are 0 cells that both have answered. Compare runs that scored the same cells.")
    right_a, right_b = a == truth, b == truth
    won, lost = right_b & ~right_a, right_a & ~right_b
    gain = won.astype(np.float64) - lost
    group = None if groups is None else np.unique(groups, return_inverse=True)[1]
    several = group is not None and int(group.max()) > 0
    return Paired(
        won=won,
        lost=lost,
        both_right=right_a & right_b,
        both_wrong=~right_a & ~right_b,
        accuracy_a=float(right_a.mean()),
        accuracy_b=float(right_b.mean()),
        difference=float(gain.mean()),
        interval=mean_interval(gain, group if several else None, seed),
        p=mcnemar_p(int(won.sum()), int(lost.sum())),
        p_groups=flipped_p(np.bincount(group, weights=gain).astype(np.float64), seed)
        if several and group is not None
        else None,
        groups=0 if group is None else int(group.max()) + 1,
    )


def mcnemar_p(won: int, lost: int) -> float:
    """Return how likely so uneven a share of the cells that one alone has right would be by chance.

    The exact test at any count: the chi-squared one only approximates it, and saves nothing here.
    """
    from statsmodels.stats.contingency_tables import mcnemar

    return min(1.0, float(mcnemar(np.array([[0, lost], [won, 0]]), exact=True).pvalue)) if won + lost else 1.0


def flipped_p(gains: Floats, seed: int = 0) -> float:
    """Return the share of flipped signs that give a sum as far from 0: all flips of few groups, else random ones."""
    known = gains[gains != 0]
    if len(known) <= _SIGNS_ALL:
        bits = np.arange(2 ** len(known))[:, None] >> np.arange(len(known)) & 1
        sums = np.abs((1 - 2 * bits) @ known)
        return float((sums >= abs(known.sum()) - 1e-9).mean())
    return _random_flips(known, np.random.default_rng(seed))


def _random_flips(gains: Floats, rng: np.random.Generator) -> float:
    wanted, met = abs(gains.sum()) - 1e-9, 1  # the flip that was seen counts as one
    step = max(1, 2_000_000 // len(gains))
    for start in range(0, _SIGNS, step):
        signs = rng.integers(0, 2, (min(step, _SIGNS - start), len(gains))) * 2.0 - 1
        met += int((np.abs(signs @ gains) >= wanted).sum())
    return met / (_SIGNS + 1)
