"""The cells of all images as a queue sees them, from what is known of each image. Nothing large is copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.building import ImagePart
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.queue import Looks, Rows, Waiting


def every_cell(parts: Sequence[ImagePart]) -> CellRefs:
    """Return the cells of all parts, one after the other."""
    return CellRefs.joined(part.refs for part in parts)


def waiting_of(parts: Sequence[ImagePart], free: NDArray[np.bool_], looks: Looks | None) -> Waiting:
    """Return the cells of all parts, with what is thought of each."""
    return Waiting(
        free=free,
        label=_joined([part.class_ids for part in parts]),
        predicted=_joined([_none(part) if part.top is None else part.top.predicted for part in parts]),
        runner_up=_joined([_none(part) if part.top is None else part.top.runner_up for part in parts]),
        margin=_joined([np.full(len(part.cells), np.nan) if part.top is None else part.top.margin for part in parts]),
        looks=looks,
    )


def looks_of(parts: Sequence[ImagePart]) -> Looks | None:
    """Return what gives embeddings of rows, or else probabilities, which differ less; None without predictions.

    Images that were not predicted give NaN, and so do those predicted by a model of another kind than most.
    """
    arrays: list[NDArray[Any] | None] = [
        None if part.predictions is None else part.predictions.embedding for part in parts
    ]
    if all(one is None for one in arrays):
        arrays = [None if part.predictions is None else part.predictions.probabilities for part in parts]
    widths = [one.shape[1] for one in arrays if one is not None]
    if not widths:
        return None
    width = max(set(widths), key=widths.count)
    starts = np.cumsum([0, *(len(part.cells) for part in parts)])

    def looks(rows: Rows) -> NDArray[np.floating[Any]]:
        found = np.full((len(rows), width), np.nan, dtype=np.float32)
        of = np.searchsorted(starts, rows, side="right") - 1
        for place in np.unique(of).tolist():
            array = arrays[place]
            if array is not None and array.shape[1] == width:
                found[of == place] = array[rows[of == place] - starts[place]]
        return found

    return looks


def in_order(cells: CellRefs, current: int | None) -> CellRefs:
    """Return the cells image by image, the current image first: going to another one takes time."""
    away = (cells.image_id != current) if current is not None else np.zeros(len(cells), dtype=bool)
    return cells.take(np.lexsort((cells.cell_id, cells.t, cells.image_id, away)))


def _none(part: ImagePart) -> Rows:
    return np.zeros(len(part.cells), dtype=np.int64)


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)
