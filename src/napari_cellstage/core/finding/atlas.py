"""Pieces of a mask put side by side in one small picture, so that what is done to nuclei leaves the background out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Box = tuple[slice, slice]


@dataclass(frozen=True)
class Atlas:
    """Where each piece of a plane lies in the picture of pieces; made by `packed`.

    Parameters
    ----------
    boxes
        Of each piece in the plane.
    places
        Of each piece in the picture, as large as its box.
    shape
        Of the picture.
    mask
        bool, of that shape: the pieces.
    """

    boxes: tuple[Box, ...]
    places: tuple[Box, ...]
    shape: tuple[int, int]
    mask: NDArray[np.bool_]

    def take(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Return the picture of a plane's values: those in the boxes, 0 between them."""
        picture = np.zeros(self.shape, plane.dtype)
        for box, place in zip(self.boxes, self.places, strict=True):
            picture[place] = plane[box]
        return picture

    def put(self, labels: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """Return the plane, of this shape, that a picture of labels is of."""
        plane = np.zeros(shape, labels.dtype)
        for box, place in zip(self.boxes, self.places, strict=True):
            np.maximum(plane[box], labels[place], out=plane[box])
        return plane


def packed(mask: NDArray[np.bool_], smallest: float, margin: int, step: int = 1) -> Atlas:
    """Put the connected pieces of a mask side by side; where that saves nothing, the plane stays as it is.

    Parameters
    ----------
    mask
        ``(Y, X)``.
    smallest
        Pieces of fewer pixels are left out.
    margin
        Pixels around each piece that belong to its box, and the least distance between boxes.
    step
        Boxes begin at multiples of this.
    """
    pieces, count = ndimage.label(mask)
    kept = np.bincount(pieces.ravel(), minlength=count + 1) >= smallest
    numbers = np.flatnonzero(kept[1:]) + 1
    boxes = _grown(
        [box for box, keep in zip(ndimage.find_objects(pieces), kept[1:], strict=True) if keep], margin, mask
    )
    places, shape = _shelves([(b[0].stop - b[0].start, b[1].stop - b[1].start) for b in boxes], margin, step)
    if shape[0] * shape[1] > mask.size:
        kept[0] = False
        whole = (slice(0, mask.shape[0]), slice(0, mask.shape[1]))
        return Atlas((whole,), (whole,), (mask.shape[0], mask.shape[1]), kept[pieces])
    picture = np.zeros(shape, dtype=bool)
    for number, box, place in zip(numbers, boxes, places, strict=True):
        np.equal(pieces[box], number, out=picture[place])
    return Atlas(tuple(boxes), tuple(places), shape, picture)


def _grown(boxes: Sequence[Box], margin: int, mask: NDArray[np.bool_]) -> list[Box]:
    height, width = mask.shape
    return [
        (
            slice(max(0, rows.start - margin), min(height, rows.stop + margin)),
            slice(max(0, columns.start - margin), min(width, columns.stop + margin)),
        )
        for rows, columns in boxes
    ]


def _shelves(sizes: Sequence[tuple[int, int]], margin: int, step: int) -> tuple[list[Box], tuple[int, int]]:
    """Place boxes on shelves, the highest first; return their places in the order given, and the shape of it all."""
    room = [(-(-(height + margin) // step) * step, -(-(width + margin) // step) * step) for height, width in sizes]
    edge = -(-margin // step) * step
    length = max([int(1.1 * sum(h * w for h, w in room) ** 0.5), *(w for _h, w in room), 1]) + edge
    places: list[Box] = [(slice(0), slice(0))] * len(sizes)
    top, left, shelf = edge, edge, 0
    for index in sorted(range(len(sizes)), key=lambda i: (-room[i][0], i)):
        if left + room[index][1] > length and shelf:
            top, left, shelf = top + shelf, edge, 0
        shelf = max(shelf, room[index][0])
        places[index] = (slice(top, top + sizes[index][0]), slice(left, left + sizes[index][1]))
        left += room[index][1]
    height, width = top + shelf, max((p[1].stop for p in places), default=0) + edge
    return places, (max(1, -(-height // step) * step), max(1, -(-width // step) * step))
