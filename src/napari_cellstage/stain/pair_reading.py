"""Parts of images as float32, cast when they are read and not before; moved by whole pixels where that is wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.image_stack import ImageStack

Floats = NDArray[np.float32]


def floats(stack: ImageStack, t: int, channels: tuple[int, ...], z: slice, y: slice, x: slice) -> Floats:
    """Read ``(C, Z, h, w)`` of one time point, NaN where a pixel is not finite.

    Raises
    ------
    ImageError
        If there is no such time point or channel, or its pixels can't be read.
    """
    planes = range(stack.shape[2])[z]
    parts = [stack.region(t, plane, channels, y, x) for plane in planes]
    if not parts:
        height, width = (len(range(n)[part]) for n, part in zip(stack.shape[3:], (y, x), strict=True))
        return np.empty((len(channels), 0, height, width), np.float32)
    with np.errstate(over="ignore"):
        made = np.stack(parts, axis=1).astype(np.float32)
    made[~np.isfinite(made)] = np.nan  # also what is too large for float32
    return made


def moved(
    stack: ImageStack, t: int, channels: tuple[int, ...], z: slice, y: slice, x: slice, shift: tuple[int, int]
) -> Floats:
    """Read as `floats` does, of the image moved down and right by `shift` pixels; NaN where nothing lies then."""
    rows, columns = (range(n)[part] for n, part in zip(stack.shape[3:], (y, x), strict=True))
    if shift == (0, 0):
        return floats(stack, t, channels, z, y, x)
    (there_y, into_y), (there_x, into_x) = (
        _source(one, by, n) for one, by, n in zip((rows, columns), shift, stack.shape[3:], strict=True)
    )
    depth = len(range(stack.shape[2])[z])
    made = np.full((len(channels), depth, len(rows), len(columns)), np.nan, np.float32)
    if there_y.stop > there_y.start and there_x.stop > there_x.start:
        made[..., into_y, into_x] = floats(stack, t, channels, z, there_y, there_x)
    return made


def _source(places: range, by: int, length: int) -> tuple[slice, slice]:
    """Return what to read of an axis for places of the moved image, and where to put it."""
    start, stop = places.start - by, places.stop - by
    first, last = min(max(start, 0), length), max(min(stop, length), 0)
    return slice(first, last), slice(first - start, max(last - start, first - start))
