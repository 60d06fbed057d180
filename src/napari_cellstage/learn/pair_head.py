"""A linear and a kernel classifier together: the geometric mean of what both say, or weighed where trials are for it.

A plane sees what many features say together, likeness sees curved bounds; they err on different cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.learn.kernel_head import KernelHead, Sharpness
from napari_cellstage.learn.linear_head import LinearHead
from napari_cellstage.learn.stacking import Weights, plain

Values = NDArray[np.float32]
Doubles = NDArray[np.float64]

LEAST = 1e-3  # probabilities below say no more than this: one sure mistake would rule else


@dataclass(frozen=True)
class Pair:
    """How the two are put together.

    Parameters
    ----------
    shrinkage, sharpness
        Of the linear and of the kernel classifier.
    temperatures
        By which the scores of each are divided.
    weights
        How much the word of each counts; None: the mean of both.
    """

    shrinkage: float
    sharpness: Sharpness
    temperatures: tuple[float, float]
    weights: Weights | None = None

    def said(self, linear: Doubles, kernel: Doubles) -> Doubles:
        """Return logarithms of both probabilities side by side, ``(N, 2 K)``, of the scores ``(N, K)`` of each."""
        from scipy.special import log_softmax

        warm = [log_softmax(scores / t, axis=1) for scores, t in zip((linear, kernel), self.temperatures, strict=True)]
        logs: Doubles = np.maximum(np.concatenate(warm, axis=1), np.log(LEAST))
        return logs

    def scores(self, linear: Doubles, kernel: Doubles) -> Doubles:
        """Return ``(N, K)`` scores of both together."""
        weights = self.weights or plain(linear.shape[1])
        return weights.scores(self.said(linear, kernel))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "shrinkage": self.shrinkage,
            "sharpness": list(self.sharpness),
            "temperatures": list(self.temperatures),
            "weights": self.weights.to_dict() if self.weights else None,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make what `to_dict` wrote."""
        ridge, few = map(float, values["sharpness"])
        first, second = map(float, values["temperatures"])
        weights = Weights.from_dict(values["weights"]) if values.get("weights") else None
        return cls(float(values["shrinkage"]), Sharpness(ridge, few), (first, second), weights)


@dataclass(frozen=True)
class PairHead:
    """Scores by both.

    Parameters
    ----------
    linear, kernel
        Trained on the same cells.
    pair
        How they are put together.
    """

    linear: LinearHead
    kernel: KernelHead
    pair: Pair

    @property
    def mean(self) -> Values:
        """Mean of each feature, ``(F,)``."""
        return self.linear.mean

    def scores(self, features: Values) -> Doubles:
        """Return ``(N, K)`` scores."""
        return self.pair.scores(self.linear.scores(features), self.kernel.scores(features))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of both by name; the pair is in the card."""
        parts: dict[str, dict[str, NDArray[Any]]] = {
            "linear": dict(self.linear.arrays()),
            "kernel": dict(self.kernel.arrays()),
        }
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], pair: Pair) -> Self:
        """Make what `arrays` gave.

        Raises
        ------
        KeyError
            If some are missing.
        """
        linear = LinearHead(**{name: arrays[f"linear.{name}"] for name in LinearHead.NAMES})
        return cls(linear, KernelHead(**{name: arrays[f"kernel.{name}"] for name in KernelHead.NAMES}), pair)
