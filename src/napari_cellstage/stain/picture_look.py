"""What an epoch's validation picture looks like: input, truth, prediction and error as small colour pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_cellstage.stain.events import StainPicture

LOW_PERCENT, HIGH_PERCENT = 1.0, 99.8
TOO_LOW, TOO_HIGH = (86, 180, 233), (230, 159, 0)  # of the Okabe-Ito palette: blue and orange
GAIN = 2.0  # of errors against the stain
UNKNOWN = 110  # gray of pixels that nobody knows, such as those a corrected shift leaves empty
HEADS = ("input", "true", "predicted", "error")

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class StainLook:
    """One stain of a validation picture.

    Parameters
    ----------
    stain
        Its name.
    pictures
        Input, truth, prediction and error, each ``(h, w, 3)``. Truth and prediction have the same black and white.
    """

    stain: str
    pictures: tuple[Picture, Picture, Picture, Picture]


def looks_of(picture: StainPicture) -> tuple[StainLook, ...]:
    """Return the stains of a validation picture as they are shown.

    The error is predicted less true: blue where too little is predicted, orange where too much; half of the range of
    the true stain is as bright as can be, so that small errors are seen.
    """
    seen = _gray(picture.input, *_range(picture.input))
    made = []
    for stain, truth, predicted in zip(picture.stain_names, picture.truth, picture.predicted, strict=True):
        low, high = _range(truth)
        both = _gray(truth, low, high), _gray(predicted, low, high)
        made.append(StainLook(stain, (seen, *both, _error(GAIN * (predicted - truth) / (high - low)))))
    return tuple(made)


def _range(values: NDArray[Any]) -> tuple[float, float]:
    """Return what black and white are; a hot pixel does not rule."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(one) for one in np.percentile(finite, (LOW_PERCENT, HIGH_PERCENT)))
    return (low, high) if high > low else (low, low + 1.0)


def _gray(values: NDArray[Any], low: float, high: float) -> Picture:
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    gray = np.where(np.isfinite(share), np.nan_to_num(share) * 255, UNKNOWN).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=-1)


def _error(share: NDArray[Any]) -> Picture:
    strength = np.clip(np.abs(np.nan_to_num(share)), 0.0, 1.0)[..., None]
    color = np.where(np.nan_to_num(share)[..., None] < 0, np.array(TOO_LOW), np.array(TOO_HIGH))
    return np.where(np.isfinite(share)[..., None], strength * color, UNKNOWN).astype(np.uint8)
