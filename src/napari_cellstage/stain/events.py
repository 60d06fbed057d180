"""What a training of a stain reports after each epoch. Plain values and arrays: safe to hand to another thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class StainPicture:
    """A place that nothing is learned from, as it is and as it is predicted; of a stack the plane in the middle.

    Parameters
    ----------
    stain_names
        S.
    input
        ``(h, w)`` first input channel, in the image's own units.
    truth, predicted
        ``(S, h, w)`` in the stains' own units; truth is NaN where it is not known.
    error
        ``(S, h, w)``, predicted less truth.
    """

    stain_names: tuple[str, ...]
    input: Floats
    truth: Floats
    predicted: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class StainEpoch:
    """One epoch of training is done, and images that it did not learn from were looked at.

    Parameters
    ----------
    epoch, epochs
        From 1; of all members together.
    train_loss
        Mean over the epoch, in scaled units.
    pearson
        Pearson r by stain's name, a mean over places of the validation part; without one of the held-out part, which
        is shown but chooses nothing. NaN where there is none.
    patches_per_second
        Training patches, preparation included.
    picture
        One of these places; None without any.
    chooses
        Whether the figures are of the validation part, by which the epoch is picked.
    """

    epoch: int
    epochs: int
    train_loss: float
    pearson: dict[str, float]
    patches_per_second: float
    picture: StainPicture | None = None
    chooses: bool = False
