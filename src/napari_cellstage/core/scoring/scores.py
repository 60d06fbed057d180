"""How good predictions are on cells that were not trained on. Pure functions of true and predicted classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import f1_score, recall_score

from napari_cellstage.core.errors import TrainingError

CONFIDENCE_LEVEL = 0.95


@dataclass(frozen=True)
class Scores:
    """Figures of one comparison of predicted with true classes.

    Parameters
    ----------
    accuracy
        Share of cells predicted right, 0 to 1.
    low, high
        Its 95 % interval (Wilson 1927). Cells of one image are not independent, so the true one is wider.
    balanced_accuracy
        Mean over the true classes of the share predicted right: chance is 1 / number of classes.
    macro_f1
        Mean F1 over the classes that are true or predicted somewhere.
    n
        Number of cells.
    confusion
        ``(K, K)`` int64 counts; rows are true, columns predicted classes.
    classes
        Names of the K classes.
    """

    accuracy: float
    low: float
    high: float
    balanced_accuracy: float
    macro_f1: float
    n: int
    confusion: NDArray[np.int64]
    classes: tuple[str, ...]

    @property
    def text(self) -> str:
        """Accuracy, interval and count, such as ``"0.86 (0.79–0.91), 212 cells"``."""
        return f"{self.accuracy:.2f} ({self.low:.2f}–{self.high:.2f}), {self.n} cell{'s' if self.n != 1 else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        names = ("accuracy", "low", "high", "balanced_accuracy", "macro_f1", "n")
        figures = {name: getattr(self, name) for name in names}
        return figures | {"confusion": self.confusion.tolist(), "classes": list(self.classes)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Scores:
        """Make the scores that `to_dict` wrote."""
        confusion = np.asarray(values["confusion"], dtype=np.int64)
        return cls(**{**values, "confusion": confusion, "classes": tuple(values["classes"])})


def score(
    truth: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], classes: tuple[str, ...] | list[str]
) -> Scores:
    """Compare predicted with true classes.

    Parameters
    ----------
    truth, predicted
        ``(N,)`` indices into `classes`.
    classes
        Names of the K classes, in order.

    Raises
    ------
    TrainingError
        If there is no cell to score on.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if len(truth) == 0:
        raise TrainingError("There are 0 cells to score on. Label more cells, or hold a larger share out.")
    right = int((truth == predicted).sum())
    interval = binomtest(right, len(truth)).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    present = np.unique(truth)
    return Scores(
        accuracy=right / len(truth),
        low=float(interval.low),
        high=float(interval.high),
        balanced_accuracy=float(recall_score(truth, predicted, labels=present, average="macro", zero_division=0)),
        macro_f1=float(f1_score(truth, predicted, average="macro", zero_division=0)),
        n=len(truth),
        confusion=_confusion(truth, predicted, len(classes)),
        classes=tuple(classes),
    )


def _confusion(truth: NDArray[np.integer[Any]], predicted: NDArray[np.integer[Any]], size: int) -> NDArray[np.int64]:
    # scikit-learn's confusion_matrix warns when there is a single class, which is no mistake for few cells.
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return counts
