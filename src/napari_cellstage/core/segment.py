"""Finding nuclei in images, adopting labels that others made, and painting a missed cell by hand.

Steps: smooth, subtract the background, threshold, fill holes, split touching nuclei (`splitting`), then fit every
nucleus to its own brightness and keep those of a fitting size. Lengths are pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label

from napari_cellstage.core.background import without_background
from napari_cellstage.core.cells import Labels
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.segment_settings import SegmentSettings
from napari_cellstage.core.splitting import fill_holes, split_touching

__all__ = ["SegmentSettings", "adopt_labels", "draw_disc", "find_cells", "find_cells_in_stack"]

_NOISE_FLOOR = 8.0
_OWN_LEVEL = 0.4
_HOLE_SHARE = 0.25
_SAMPLE = 1 << 18


def find_cells(volume: NDArray[Any], settings: SegmentSettings) -> NDArray[np.int32]:
    """Find nuclei in one plane or volume.

    Parameters
    ----------
    volume
        ``(Y, X)`` or ``(Z, Y, X)``, any real dtype. Values that are not finite count as dark.
    settings
        How; `channel` is not used here.

    Returns
    -------
    ndarray
        int32 labels of that shape, ids 1..n from top to bottom.

    Raises
    ------
    CellsError
        If the image has no contrast, or nothing is found.
    """
    light = without_background(_finite(volume), settings.smoothing, settings.background)
    mask = _threshold(light, settings)
    mask = _fill_small_holes(mask, _size_of(settings.min_diameter, 2))
    labels = split_touching(mask, light, settings.split)
    labels = _fit_to_own_brightness(labels, light, settings)
    labels, count = _keep_sizes(fill_holes(labels), settings)
    if not count:
        largest = f"{settings.max_diameter:g}" if settings.max_diameter else "any size"
        raise CellsError(
            f"No cells were found with sensitivity {settings.sensitivity:g} and diameters from "
            f"{settings.min_diameter:g} to {largest}. "
            "Raise the sensitivity, change the size limits, or choose the channel in which the nuclei are bright."
        )
    return labels


def find_cells_in_stack(
    stack: ImageStack, settings: SegmentSettings, should_stop: Callable[[], bool] = lambda: False
) -> Generator[tuple[int, int], None, NDArray[np.int32]]:
    """Find nuclei in every time point, in 3D where there are planes.

    Parameters
    ----------
    stack
        Read one time point after the other.
    settings
        How, and in which channel.
    should_stop
        Asked before each time point; the frames after a stop stay empty.

    Yields
    ------
    tuple of int
        Time points done, and all.

    Returns
    -------
    ndarray
        ``(T, Z, Y, X)`` int32; ids are unique over all time points.

    Raises
    ------
    CellsError
        If the stack has no such channel, or there are no cells in any time point.
    """
    frames, channels, *volume_shape = stack.shape
    if settings.channel >= channels:
        raise CellsError(
            f"Channel {settings.channel} was chosen for finding cells, but '{stack.name}' has channels 0 to "
            f"{channels - 1}. Choose one of those."
        )
    labels = np.zeros((frames, *volume_shape), dtype=np.int32)
    last_id, problem = 0, None
    for t in range(frames):
        if should_stop():
            return labels
        try:
            found = _find_in_frame(stack.volume(t, settings.channel), settings)
        except CellsError as error:  # one dark frame of a movie must not cost the others
            problem = error
        else:
            labels[t] = np.where(found, found + last_id, 0)
            last_id += int(found.max())
        yield t + 1, frames
    if not last_id and problem is not None:
        raise problem
    return labels


def adopt_labels(array: Any, stack: ImageStack) -> Labels:
    """Take over labels that someone else made, as ``(T, Z, Y, X)`` integers.

    Parameters
    ----------
    array
        numpy or dask; integers, bool, or floats that are whole numbers. Axes of length 1 may be missing.
    stack
        The image they belong to.

    Raises
    ------
    CellsError
        If shape, axes or values do not fit.
    """
    frames, _, depth, height, width = stack.shape
    wanted = (frames, depth, height, width)
    shape = tuple(array.shape)
    if tuple(n for n in shape if n != 1) != tuple(n for n in wanted if n != 1) or len(shape) > 4:
        raise CellsError(
            f"The labels have the shape {shape}, but '{stack.name}' needs (T, Z, Y, X) = {wanted}. "
            "Choose labels that were made for this image, one for every time point and plane."
        )
    values = np.asarray(array).reshape(wanted)
    values = _whole_numbers(values)
    if values.min() < 0:
        raise CellsError(
            f"The labels hold {values.min()}, but cells are numbered from 1. Renumber them, 0 is background."
        )
    return values


def draw_disc(labels: Labels, t: int, z: int, y: float, x: float, diameter: float, cell_id: int) -> None:
    """Paint a cell that was missed, in place, on background pixels only; at least the pixel that was clicked.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)``.
    t, z
        Plane.
    y, x
        Centre.
    diameter
        Of the disc.
    cell_id
        Value to paint.

    Raises
    ------
    CellsError
        If the place is outside the image, or belongs to a cell already.
    """
    plane = labels[t, z]
    row, column = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
    if not (0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]):
        raise CellsError(f"The place y = {y:.0f}, x = {x:.0f} is outside the image. Click inside it.")
    if plane[row, column]:
        raise CellsError(f"There is a cell already at y = {y:.0f}, x = {x:.0f}: number {plane[row, column]}.")
    reach = int(np.ceil(diameter / 2)) + 1
    top, left = max(0, row - reach), max(0, column - reach)
    window = plane[top : row + reach + 1, left : column + reach + 1]
    rows, columns = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
    disc = (rows - y) ** 2 + (columns - x) ** 2 <= (diameter / 2) ** 2
    window[disc & (window == 0)] = cell_id
    plane[row, column] = cell_id


def _find_in_frame(volume: NDArray[Any], settings: SegmentSettings) -> NDArray[np.int32]:
    return find_cells(volume, settings) if volume.shape[0] > 1 else find_cells(volume[0], settings)[None]


def _finite(volume: NDArray[Any]) -> NDArray[np.float32]:
    values = np.asarray(volume, dtype=np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        if not finite.any():
            raise CellsError("All pixels are NaN or infinite, so there is nothing to find. Choose another channel.")
        values = np.where(finite, values, values[finite].min())
    low, high = values.min(), values.max()
    if low == high:
        raise CellsError(f"All pixels have the same value, {low:g}, so no cells can be found. Choose another channel.")
    return values


def _threshold(light: NDArray[np.float32], settings: SegmentSettings) -> NDArray[np.bool_]:
    """Tell nuclei from background.

    Mitotic nuclei can be ten times as bright as others, and would pull Otsu's threshold above the dim ones; so it is
    found on asinh of the light in units of its noise, which is linear in the noise and logarithmic above.
    """
    sample = light.ravel()[:: max(1, light.size // _SAMPLE)]
    level = float(np.median(sample[sample <= np.percentile(sample, 60)]))
    below = sample[sample <= level]
    noise = max(1.4826 * float(np.median(level - below)), 1e-3 * float(sample.max() - sample.min()), 1e-12)
    compressed = np.arcsinh((sample - level) / (_NOISE_FLOOR * noise))
    cut = level + _NOISE_FLOOR * noise * float(np.sinh(threshold_otsu(compressed)))  # type: ignore[no-untyped-call]
    cut = level + (cut - level) / settings.sensitivity
    if settings.method == "otsu":
        return np.asarray(light > cut)
    width = max(settings.background, 4 * settings.min_diameter, 20.0) / 4
    around = ndimage.uniform_filter(light, (0,) * (light.ndim - 2) + (int(2 * width),) * 2)
    return np.asarray((light > around / settings.sensitivity) & (light > level + (cut - level) / 2))


def _fill_small_holes(mask: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_]:
    """Fill holes, which would split nuclei: nucleoli, and the middle of a ring of chromosomes.

    Gaps between nuclei in a ring are holes as well; they stay when larger than a part of a typical nucleus.
    """
    pieces = np.bincount(ndimage.label(mask)[0].ravel())[1:]
    nuclei = pieces[pieces >= smallest]
    limit = max(smallest, _HOLE_SHARE * float(np.median(nuclei)) if len(nuclei) else 0)
    holes, _ = ndimage.label(~mask)
    small = np.bincount(holes.ravel()) <= limit
    small[0] = True
    return np.asarray(small[holes])


def _fit_to_own_brightness(
    labels: NDArray[np.int32], light: NDArray[np.float32], settings: SegmentSettings
) -> NDArray[np.int32]:
    """Cut each nucleus at a share of its own brightness, and part what comes apart.

    A threshold that finds dim nuclei draws bright mitotic ones with their halo, both plates of an anaphase in one.
    """
    index = np.arange(1, labels.max(initial=0) + 1)
    if not len(index):
        return labels
    inside = labels > 0
    order = np.argsort(labels[inside], kind="stable")
    ids, values = labels[inside][order], light[inside][order]
    ends = np.searchsorted(ids, index, side="right")
    starts = np.searchsorted(ids, index, side="left")
    own = np.array([np.percentile(values[a:b], 90) if b > a else 0 for a, b in zip(starts, ends, strict=True)])
    cut = np.concatenate(([np.inf], own * _OWN_LEVEL / max(settings.sensitivity, 1.0))).astype(np.float32)
    kept = light > cut[labels]
    pieces = label(np.where(kept, labels, 0), connectivity=1)  # type: ignore[no-untyped-call]
    return np.asarray(pieces, dtype=np.int32)


def _keep_sizes(labels: NDArray[np.int32], settings: SegmentSettings) -> tuple[NDArray[np.int32], int]:
    """Drop labels of other sizes than wanted and number the rest 1..n; return them and n."""
    dimensions = labels.ndim if labels.ndim == 3 and labels.shape[0] > 1 else 2
    sizes = np.bincount(labels.ravel())
    wanted = sizes >= _size_of(settings.min_diameter, dimensions)
    if settings.max_diameter:
        wanted &= sizes <= _size_of(settings.max_diameter, dimensions)
    wanted[0] = False
    numbers = np.where(wanted, np.cumsum(wanted), 0).astype(np.int32)
    return numbers[labels], int(wanted.sum())


def _size_of(diameter: float, dimensions: int) -> float:
    """Return the pixels of a disc; of a ball, flattened to a third, as planes lie further apart than pixels."""
    return np.pi / 4 * diameter**2 if dimensions == 2 else np.pi / 18 * diameter**3


def _whole_numbers(values: NDArray[Any]) -> Labels:
    if values.dtype.kind in "iu":
        return values
    if values.dtype.kind == "b":
        raise CellsError(
            "The labels are only True and False, so touching cells are one. Choose labels in which each cell has its "
            "own number, or find the cells here."
        )
    if values.dtype.kind != "f" or not np.isfinite(values).all() or (values != np.floor(values)).any():
        raise CellsError(
            f"The labels hold {values.dtype} values that are no whole numbers. "
            "Choose labels in which each cell has its own whole number and background is 0."
        )
    return values.astype(np.int64)
