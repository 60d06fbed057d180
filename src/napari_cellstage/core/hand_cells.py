"""What the tools for changing cells by hand paint: discs, boxes, outlines; merged, split and deleted cells.

Nothing is painted here: each function returns the `PaintChange`s that do it. Drawn cells take background pixels only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.edits import PaintChange
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.painting import Corner, box_of

Mask = NDArray[np.bool_]
Line = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Drawn:
    """A shape in one plane: the corner y, x of its box, and ``(dy, dx)`` which pixels of it are in."""

    corner: tuple[int, int]
    mask: Mask

    def within(self, height: int, width: int) -> Drawn:
        """Return the part that lies in an image of this size."""
        y, x = self.corner
        low_y, low_x = max(0, -y), max(0, -x)
        mask = self.mask[low_y : max(low_y, height - y), low_x : max(low_x, width - x)]
        return Drawn((y + low_y, x + low_x), mask)


def disc(y: float, x: float, diameter: float) -> Drawn:
    """Return a disc around a place; the pixel in the middle is always in."""
    radius = diameter / 2
    top, left = int(np.floor(y - radius)), int(np.floor(x - radius))
    ys, xs = np.ogrid[top : int(y + radius) + 2, left : int(x + radius) + 2]
    mask = (ys - y) ** 2 + (xs - x) ** 2 <= radius**2
    mask[int(np.floor(y + 0.5)) - top, int(np.floor(x + 0.5)) - left] = True
    return Drawn((top, left), mask)


def rectangle(y0: float, x0: float, y1: float, x1: float) -> Drawn:
    """Return the pixels of a box between two opposite corners, those under the corners too."""
    (top, bottom), (left, right) = (sorted(int(np.floor(c + 0.5)) for c in pair) for pair in ((y0, y1), (x0, x1)))
    return Drawn((top, left), np.ones((bottom - top + 1, right - left + 1), dtype=bool))


def polygon(outline: ArrayLike) -> Drawn:
    """Return the pixels inside and on an outline, ``(n, 2)`` y, x.

    Raises
    ------
    CellsError
        If it has fewer than three points.
    """
    points = np.asarray(outline, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise CellsError(
            f"An outline of shape {points.shape} was drawn; at least three points y, x are needed. "
            "Drag around the cell with the mouse button down."
        )
    from skimage.draw import line, polygon2mask  # slow to load

    low = np.floor(points.min(axis=0)).astype(int)
    shape = tuple(np.ceil(points.max(axis=0)).astype(int) - low + 1)
    mask: Mask = np.asarray(polygon2mask(shape, points - low), dtype=np.bool_)  # type: ignore[no-untyped-call]
    corners = np.round(points - low).astype(int)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        mask[line(*start, *end)] = True  # type: ignore[no-untyped-call]
    return Drawn((int(low[0]), int(low[1])), mask)


def drawn_cell(image: AnnotatedImage, image_id: int, t: int, z: int, drawn: Drawn, cell_id: int) -> PaintChange:
    """Return the change that draws a cell where there is background.

    Raises
    ------
    CellsError
        If the shape lies outside the image, or on other cells altogether.
    """
    labels = image.labels
    assert labels is not None
    part = drawn.within(*labels.shape[2:])
    (y, x), (height, width) = part.corner, part.mask.shape
    if not part.mask.any():
        raise CellsError(f"What was drawn around y {y}, x {x} is outside the image. Draw inside it.")
    before = np.asarray(labels[t, z : z + 1, y : y + height, x : x + width]).astype(np.int64)
    after = np.where(part.mask[None] & (before == 0), cell_id, before)
    if (after == before).all():
        raise CellsError(
            f"There are other cells everywhere in what was drawn around y {y}, x {x}. Draw where there is none, or "
            "delete or split the cells that are there."
        )
    return PaintChange(image_id, image.version, t, (z, y, x), before, after)


def renamed(image: AnnotatedImage, image_id: int, rows: Sequence[int], cell_id: int) -> tuple[PaintChange, ...]:
    """Return the changes that give all pixels of cells to another cell, or to the background (0)."""
    changes = []
    for row in rows:
        corner, before = _box(image, row)
        after = np.where(before == image.cells.cell_id[row], cell_id, before)
        changes.append(PaintChange(image_id, image.version, int(image.cells.t[row]), corner, before, after))
    return tuple(changes)


def split(image: AnnotatedImage, image_id: int, row: int, line: Line | None, cell_id: int) -> PaintChange:
    """Return the change that gives the smaller part of a cell another id.

    Parameters
    ----------
    image, image_id, row
        Which cell.
    line
        Two points y, x of the line to cut along; None cuts at the waist.
    cell_id
        For the smaller part.

    Raises
    ------
    CellsError
        If the line leaves the cell whole, or it has a single pixel.
    """
    corner, before = _box(image, row)
    mask = before == image.cells.cell_id[row]
    side = _at_waist(mask) if line is None else _beside(mask, corner, line)
    part = mask & side
    if not part.any() or part.sum() == mask.sum():
        raise CellsError(
            f"Cell {image.cells.cell_id[row]} is not cut in two. Draw the line right across it, from edge to edge."
        )
    part = part if 2 * part.sum() <= mask.sum() else mask & ~part
    after = np.where(part, cell_id, before)
    return PaintChange(image_id, image.version, int(image.cells.t[row]), corner, before, after)


def _box(image: AnnotatedImage, row: int) -> tuple[Corner, NDArray[np.int64]]:
    assert image.labels is not None
    return box_of(image.labels, image.cells, row)


def _beside(mask: Mask, corner: Corner, line: Line) -> Mask:
    """Return on which side of a line each pixel of a box is."""
    (y0, x0), (y1, x1) = line
    ys, xs = np.ogrid[: mask.shape[1], : mask.shape[2]]
    side = (x1 - x0) * (ys + corner[1] - y0) - (y1 - y0) * (xs + corner[2] - x0) > 0
    return np.broadcast_to(side[None], mask.shape)


def _at_waist(mask: Mask) -> Mask:
    """Return one of the two parts that a watershed on the distance to the edge makes; halves without a waist."""
    from scipy import ndimage  # slow to load
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    padded = np.pad(mask, 1)
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(padded), 1.0)
    apart = max(2, round(float(depth.max())))
    peaks = peak_local_max(depth, min_distance=apart, labels=padded.astype(int), num_peaks=2)  # type: ignore[no-untyped-call]
    if len(peaks) < 2:
        return _across(mask)
    seeds = np.zeros(padded.shape, dtype=np.int32)
    seeds[tuple(peaks.T)] = (1, 2)
    parts = watershed(-depth, seeds, mask=padded)  # type: ignore[no-untyped-call]
    return np.asarray(parts[1:-1, 1:-1, 1:-1] == 1, dtype=bool)


def _across(mask: Mask) -> Mask:
    """Return the pixels on one side of the middle of a cell's long axis."""
    places = np.argwhere(mask).astype(np.float64)
    centred = places - places.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    side = np.zeros(mask.shape, dtype=bool)
    side[mask] = centred @ axes[0] > 0
    return side
