"""`Verdicts`: what a model says of cells, and where they lie in what it sees of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.space import Space

Values = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Verdicts:
    """One model's answers for N cells; rows that were not reached before a stop are NaN.

    Parameters
    ----------
    probabilities
        ``(N, K)`` float32, calibrated.
    embedding, unlike
        ``(N, E)`` float16 and ``(N,)`` float32, see `core.review.space`; None with a model that has no space.
    """

    probabilities: Values
    embedding: NDArray[np.float16] | None = None
    unlike: Values | None = None

    @classmethod
    def made(cls, probabilities: Values, features: Values, space: Space | None) -> Self:
        """Put together probabilities ``(N, K)`` and what the model saw, ``(n, F)`` of the first `n` cells."""
        if space is None or not len(features):
            return cls(probabilities)
        embedded, unlike = placed(space, features)
        half = embedded.astype(np.float16)
        return cls(probabilities, _filled_up(half, len(probabilities)), _filled_up(unlike, len(probabilities)))


def placed(space: Space, features: Values) -> tuple[Values, Values]:
    """Return where cells lie, ``(N, E)``, and how unlike the training cells they are, ``(N,)``."""
    embedded = space.embed(features)
    return embedded, space.unlike(embedded)


def _filled_up(values: NDArray[Any], count: int) -> NDArray[Any]:
    whole = np.full((count, *values.shape[1:]), np.nan, dtype=values.dtype)
    whole[: len(values)] = values
    return whole
