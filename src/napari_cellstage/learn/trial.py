"""How a classifier does on training cells that it was not shown, which chooses between several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.calibration import best_temperature

Labels = NDArray[np.int64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Tried:
    """How a candidate did on cells that it had not seen."""

    loss: float
    temperature: float
    accuracy: float


class Trial:
    """Scores of one candidate on the cells that it did not see."""

    def __init__(self, labels: Labels, classes: int) -> None:
        self._labels = labels
        self.scores = np.full((len(labels), classes), np.nan)

    def add(self, rows: Rows, scores: NDArray[np.float64], seen: Labels) -> None:
        """Keep scores of some cells; those of a class that training lacked (not in `seen`) say nothing."""
        fair = np.isin(self._labels[rows], seen)
        self.scores[rows] = np.where(fair[:, None], scores, np.nan)

    @property
    def rows(self) -> Rows:
        """The cells that it was tried on, ``(N,)``."""
        tried: Rows = np.isfinite(self.scores[:, 0])
        return tried

    def on(self, rows: Rows) -> Tried:
        """Return how it did on some of its cells."""
        scores, truth = self.scores[rows], self._labels[rows]
        return Tried(*best_temperature(scores, truth), float((scores.argmax(axis=1) == truth).mean()))
