"""Images brought to another pixel size and back, part by part: what comes out does not depend on the parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from napari_cellstage.core.boxes import Ranges, slice_of
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.reading.planes import Planes

Floats = NDArray[np.float32]
SAME = 0.03  # pixel sizes that differ by less are the same


@dataclass(frozen=True)
class Line:
    """Resampling along one axis; both ends of the axis stay where they are.

    Parameters
    ----------
    source, length
        Pixels before and after.
    """

    source: int
    length: int

    @property
    def step(self) -> float:
        """How many pixels before make one after."""
        return self.source / self.length

    def part(self, start: int, stop: int) -> tuple[slice, csr_matrix]:
        """Return which pixels before are needed for some after, and the weights ``(after, before)``.

        They are those of linear interpolation; where pixels become larger, over so many that none is skipped.
        """
        centres = (np.arange(start, stop) + 0.5) * self.step - 0.5
        reach = max(self.step, 1.0)
        first = np.floor(centres - reach).astype(np.intp) + 1
        places = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 1)
        weights = np.maximum(1 - np.abs(places - centres[:, None]) / reach, 0)
        weights[(places < 0) | (places >= self.source)] = 0
        weights /= weights.sum(axis=1, keepdims=True)
        used = weights > 0
        low, high = int(places[used].min()), int(places[used].max()) + 1
        rows = np.broadcast_to(np.arange(len(centres))[:, None], places.shape)
        entries = (weights[used].astype(np.float32), (rows[used], places[used] - low))
        return slice(low, high), csr_matrix(entries, shape=(len(centres), high - low))


def resampled_part(
    read: Callable[[slice, slice], NDArray[Any]], down: Line, across: Line, rows: range, columns: range
) -> Floats:
    """Return ``(..., h, w)`` float32 of some rows and columns after resampling.

    Parameters
    ----------
    read
        Gives ``(..., h, w)`` of rows and columns before.
    down, across
        Along rows and columns.
    rows, columns
        Wanted, upwards and without gaps.
    """
    tall, over_rows = down.part(rows.start, rows.stop)
    wide, over_columns = across.part(columns.start, columns.stop)
    values = np.asarray(read(tall, wide), dtype=np.float32)
    made = np.empty((*values.shape[:-2], len(rows), len(columns)), np.float32)
    for place in np.ndindex(*values.shape[:-2]):
        made[place] = (over_columns @ (over_rows @ values[place]).T).T
    return made


class ResampledPlanes(Planes):
    """An image at another pixel size, resampled as it is read.

    Parameters
    ----------
    whole
        The image.
    down, across
        Along rows and columns.
    """

    def __init__(self, whole: Planes, down: Line, across: Line) -> None:
        frames, channels, depth = whole.shape[:3]
        super().__init__((frames, channels, depth, down.length, across.length), np.dtype(np.float32), whole.chunks)
        self._whole, self._down, self._across = whole, down, across

    def read(self, ranges: Ranges) -> NDArray[Any]:
        """Read the image there and around, and resample it."""
        rows, columns = (range(min(r), max(r) + 1) for r in ranges[3:])
        before = tuple(slice_of(one) for one in ranges[:3])
        made = resampled_part(lambda y, x: self._whole[(*before, y, x)], self._down, self._across, rows, columns)
        picks = [[place - span.start for place in r] for r, span in zip(ranges[3:], (rows, columns), strict=True)]
        return made[..., picks[0], :][..., picks[1]]


def resampled(stack: ImageStack, wanted: tuple[float, float]) -> ImageStack:
    """Return an image with pixels of another height and width in micrometres; it must say how large they are."""
    assert stack.pixel_size_um is not None
    lines = [
        Line(length, max(1, round(length * own / other)))
        for length, own, other in zip(stack.shape[3:], stack.pixel_size_um[1:], wanted, strict=True)
    ]
    pixels = ResampledPlanes(stack.pixels, *lines)
    return replace(stack, pixels=pixels, pyramid=(), pixel_size_um=(stack.pixel_size_um[0], *wanted))


def differs(own: tuple[float, ...] | None, other: tuple[float, ...] | None) -> bool:
    """Return whether pixels of two images, both known, differ in height or width by more than a few per cent."""
    if own is None or other is None:
        return False
    return any(abs(a / b - 1) > SAME for a, b in zip(own[1:], other[1:], strict=True))
