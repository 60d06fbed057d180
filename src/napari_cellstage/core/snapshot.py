"""Frozen copies of what work needs, taken on the main thread. Nothing that changes crosses a thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.images import ImageStack


@dataclass(frozen=True)
class ImageSnapshot:
    """One image with its cells and their labels.

    Parameters
    ----------
    image_id
        The project's number of the image.
    stack
        Lazy pixels.
    cells
        One row a cell.
    labels
        ``(T, Z, Y, X)`` segmentation; read, never written.
    class_ids
        ``(N,)`` int64; the label of each row, 0 where none.
    groups
        ``(N,)`` text: the well, movie or whatever cells share that a split must not cut; None: the image is the group.
    plate
        The plate the image is of; empty where nobody said. Images of one plate may share their intensity range.
    """

    image_id: int
    stack: ImageStack
    cells: CellTable
    labels: Labels
    class_ids: NDArray[np.int64]
    groups: NDArray[np.str_] | None = None
    plate: str = ""


@dataclass(frozen=True)
class WorkSnapshot:
    """All that training and prediction may look at.

    Parameters
    ----------
    images
        Every image of the project that has cells.
    scheme
        The classes.
    channels
        Which channels the network sees.
    version
        The session's version when this was taken; an answer for cells that are no longer there is dropped.
    """

    images: tuple[ImageSnapshot, ...]
    scheme: ClassScheme
    channels: tuple[int, ...]
    version: int = 0
