"""Taking uneven background light off an image, before nuclei are told from it. Thresholds are in `segment`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_BACKGROUND_BLOCKS = 6


def without_background(
    values: NDArray[np.float32], smoothing: float, distance: float, z_ratio: float = 1.0
) -> NDArray[np.float32]:
    """Smooth, and take off what changes slowly: the opening of a coarse image of block means, smoothed.

    Parameters
    ----------
    values
        ``(Y, X)`` or ``(Z, Y, X)``; each plane by itself.
    smoothing
        Standard deviation of the blur against noise, in pixels.
    distance
        What changes over more pixels than this is background; 0: only a constant is taken off.
    z_ratio
        How much further apart planes lie than pixels.

    Returns
    -------
    ndarray
        float32 of that shape; about 0 in the background.
    """
    sigma = (smoothing / z_ratio, smoothing, smoothing)[-values.ndim :]
    smooth = ndimage.gaussian_filter(values, sigma) if smoothing else values
    if not distance:
        return np.asarray(smooth - np.percentile(smooth[..., ::4, ::4], 5), dtype=np.float32)
    planes = smooth.reshape(-1, *smooth.shape[-2:])
    return np.stack([_flattened(plane, distance) for plane in planes]).reshape(smooth.shape)


def _flattened(plane: NDArray[np.float32], distance: float) -> NDArray[np.float32]:
    step = max(1, round(distance / _BACKGROUND_BLOCKS))
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % step), (0, -width % step)), mode="edge")
    coarse = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step).mean(
        axis=(1, 3), dtype=np.float32
    )
    opened = ndimage.grey_opening(coarse, size=2 * _BACKGROUND_BLOCKS + 1, mode="nearest")
    slow = ndimage.gaussian_filter(opened, _BACKGROUND_BLOCKS / 2, mode="nearest")
    slow = _between(height, step, len(slow)) @ slow.astype(np.float32) @ _between(width, step, slow.shape[1]).T
    return np.asarray(plane - slow, dtype=np.float32)


def _between(length: int, step: int, count: int) -> NDArray[np.float32]:
    """Return the weights, ``(length, count)``, that interpolate linearly between the centres of blocks of `step`."""
    places = np.clip((np.arange(length) + 0.5) / step - 0.5, 0, count - 1)
    low = np.minimum(places.astype(int), max(0, count - 2))
    weights = np.zeros((length, count + 1), dtype=np.float32)
    rows = np.arange(length)
    weights[rows, low], weights[rows, low + 1] = low + 1 - places, places - low
    return weights[:, :count]
