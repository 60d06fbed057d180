"""Two classifiers weighed by what each said of training cells that it was not shown, where that beats their mean.

Stacking (Wolpert 1992): a multinomial regression on the logarithms of their probabilities, pulled towards their plain
mean. It may believe one about some classes and the other about the rest. Whether it is used, and how hard it is pulled,
is chosen by cells that had no say in the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.calibration import best_temperature

Doubles = NDArray[np.float64]
Labels = NDArray[np.int64]

PULLS = (30.0, 100.0)  # of a weight towards the plain mean, against the summed log loss of the cells
MOST_STEPS = 300


@dataclass(frozen=True, eq=False)
class Weights:
    """How much each classifier's word on each class counts for each class.

    Parameters
    ----------
    slopes
        ``(2 K, K)`` on the logarithms of both classifiers' probabilities, side by side.
    bias
        ``(K,)``.
    """

    slopes: Doubles
    bias: Doubles

    def scores(self, said: Doubles) -> Doubles:
        """Return ``(N, K)`` scores of what both said, ``(N, 2 K)``."""
        found: Doubles = said @ self.slopes + self.bias
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"slopes": self.slopes.tolist(), "bias": self.bias.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make what `to_dict` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is damaged.
        """
        slopes, bias = (np.asarray(values[name], dtype=np.float64) for name in ("slopes", "bias"))
        if slopes.shape != (2 * len(bias), len(bias)):
            raise ValueError(f"weights of {slopes.shape} do not fit {len(bias)} classes")
        return cls(slopes, bias)


def plain(classes: int) -> Weights:
    """Return the weights that give the mean of both."""
    return Weights(np.concatenate([np.eye(classes) / 2] * 2), np.zeros(classes))


def chosen_weights(said: Doubles, labels: Labels, fold: Labels, worth: Doubles | None) -> tuple[Weights, Doubles]:
    """Choose weights, and say what such weights make of cells that had no say in them.

    Parameters
    ----------
    said
        ``(N, 2 K)`` logarithms of both probabilities, of cells that neither classifier was shown.
    labels, fold
        ``(N,)`` true classes, and which fold each cell was in.
    worth
        ``(N,)``; how much each cell counts; None: all alike.

    Returns
    -------
    weights, scores
        From all the cells; and ``(N, K)``, each from the cells of other folds.
    """
    mean = plain(said.shape[1] // 2)
    best, scores, lowest = mean, mean.scores(said), best_temperature(mean.scores(said), labels)[0]
    for pull in PULLS:
        fair = np.zeros_like(scores)
        for number in np.unique(fold):
            held = fold == number
            fair[held] = weighed(said[~held], labels[~held], _of(worth, ~held), pull).scores(said[held])
        loss = best_temperature(fair, labels)[0]
        if loss < lowest:
            best, scores, lowest = weighed(said, labels, worth, pull), fair, loss
    return best, scores


def weighed(said: Doubles, labels: Labels, worth: Doubles | None, pull: float) -> Weights:
    """Fit weights by L-BFGS; without cells they are the plain ones."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    classes = said.shape[1] // 2
    mean, truth = plain(classes), np.eye(classes)[labels]
    counts = np.ones(len(labels)) if worth is None else worth

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        slopes, bias = flat[:-classes].reshape(mean.slopes.shape), flat[-classes:]
        log_chances = log_softmax(said @ slopes + bias, axis=1)
        off = (np.exp(log_chances) - truth) * counts[:, None]
        pulled = ((slopes - mean.slopes) ** 2).sum() + (bias**2).sum()
        value = -((log_chances * truth).sum(axis=1) @ counts) + pull / 2 * pulled
        downhill = said.T @ off + pull * (slopes - mean.slopes), off.sum(axis=0) + pull * bias
        return float(value), np.concatenate([downhill[0].ravel(), downhill[1]])

    start = np.concatenate([mean.slopes.ravel(), mean.bias])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS}).x
    return Weights(found[:-classes].reshape(mean.slopes.shape), found[-classes:])


def _of(worth: Doubles | None, rows: NDArray[np.bool_]) -> Doubles | None:
    return None if worth is None else worth[rows]
