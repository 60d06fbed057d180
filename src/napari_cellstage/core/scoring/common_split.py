"""One split for several tasks: drawn on all labelled cells, so that a cell held out in one task trains none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.splits import Groups, Labels, holdout, kfold


@dataclass(frozen=True, eq=False)
class CommonSplit:
    """All labelled cells, and which of them a task has.

    Parameters
    ----------
    labels, groups
        ``(M,)``; class and image, well or movie of all labelled cells, those of left-out classes too.
    rows
        ``(N,)`` int64; places of the task's cells among them.
    """

    labels: Labels
    groups: Groups
    rows: NDArray[np.int64]

    def held_out(self, share: float, seed: int) -> NDArray[np.bool_]:
        """Return ``(N,)`` bool; which cells of the task are held out, as in `holdout` of all."""
        held: NDArray[np.bool_] = holdout(self.labels, self.groups, share, seed)[self.rows]
        return held

    def folds(self, folds: int, seed: int) -> NDArray[np.int64]:
        """Return ``(N,)`` int64 from 0; the fold of each cell of the task, as in `kfold` of all.

        There are fewer folds where one has no cell of the task.
        """
        found = kfold(self.labels, self.groups, folds, seed)[self.rows]
        return np.unique(found, return_inverse=True)[1].astype(np.int64)
