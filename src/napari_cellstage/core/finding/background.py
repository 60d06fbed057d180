"""Taking uneven background light off an image, before nuclei are told from it. Thresholds are in `segment`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_BACKGROUND_BLOCKS = 6


def without_background(values: NDArray[np.float32], smoothing: float, distance: float) -> NDArray[np.float32]:
    """Smooth, and take off what changes slowly: the opening of a coarse image of block means, smoothed.

    Parameters
    ----------
    values
        ``(Y, X)`` or ``(Z, Y, X)``; each plane by itself.
    smoothing
        Standard deviation of the blur against noise, in pixels.
    distance
        What changes over more pixels than this is background; 0: only a constant is taken off.

    Returns
    -------
    ndarray
        float32 of that shape; about 0 in the background.
    """
    sigma = (0,) * (values.ndim - 2) + (smoothing,) * 2
    smooth = ndimage.gaussian_filter(values, sigma) if smoothing else values
    if not distance:
        return np.asarray(smooth - np.percentile(smooth[..., ::4, ::4], 5), dtype=np.float32)
    planes = smooth.reshape(-1, *smooth.shape[-2:])
    return np.stack([_flattened(plane, distance) for plane in planes]).reshape(smooth.shape)


def _flattened(plane: NDArray[np.float32], distance: float) -> NDArray[np.float32]:
    step = max(1, round(distance / _BACKGROUND_BLOCKS))
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % step), (0, -width % step)), mode="edge")
    coarse = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step).mean(axis=(1, 3))
    opened = ndimage.grey_opening(coarse, size=2 * _BACKGROUND_BLOCKS + 1, mode="nearest")
    slow = ndimage.gaussian_filter(opened, _BACKGROUND_BLOCKS / 2, mode="nearest")
    rows = (np.arange(height) + 0.5) / step - 0.5
    columns = (np.arange(width) + 0.5) / step - 0.5
    return np.asarray(plane - _interpolated(_interpolated(slow, rows).T, columns).T, dtype=np.float32)


def _interpolated(values: NDArray[Any], places: NDArray[Any]) -> NDArray[Any]:
    """Interpolate linearly along the first axis."""
    low = np.clip(np.floor(places), 0, len(values) - 1).astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = np.clip(places - low, 0, 1).astype(np.float32)[:, None]
    between: NDArray[Any] = values[low] * (1 - share) + values[high] * share
    return between
