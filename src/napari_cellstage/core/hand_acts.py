"""Merging, splitting, deleting and drawing cells by hand: builds the `Edit`, makes nothing.

Where the labels go: a merged cell has the label of its largest part, or of the largest part that has one; both parts of
a split cell keep its label; a deleted cell's label stays in the journal, and undo brings it back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from napari_cellstage.core.acts import ImageClass
from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.edits import Edit, LabelChange
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.hand_cells import Drawn, Line, disc, drawn_cell, renamed, split
from napari_cellstage.core.marks import Marks

Shape = tuple[int, ...]


def merge(image: AnnotatedImage, image_id: int, rows: ArrayLike) -> tuple[Edit, int]:
    """Make one cell of several; return its id too.

    Raises
    ------
    CellsError
        For fewer than two cells, or cells of several time points.
    """
    chosen = _rows(image, rows, "merge", least=2)
    frames = sorted({int(t) for t in image.cells.t[chosen]})
    if len(frames) > 1:
        raise CellsError(
            f"The chosen cells are of the time points {', '.join(map(str, frames))}. Choose cells of one time point "
            "to merge."
        )
    by_size = sorted(chosen, key=lambda row: -int(image.cells.area[row]))
    first, others = by_size[0], by_size[1:]
    cell_id = int(image.cells.cell_id[first])
    labelled = next((row for row in by_size if image.class_ids[row]), None)
    after = Marks() if labelled is None else _marks(image, [labelled], [cell_id])
    change = LabelChange.between(image_id, _marks(image, chosen), after)
    paint = renamed(image, image_id, others, cell_id)
    return Edit(f"merge {len(chosen)} cells", "cells", paint=paint, labels=(change,)), cell_id


def split_cell(image: AnnotatedImage, image_id: int, row: int, line: Line | None) -> tuple[Edit, int]:
    """Cut a cell in two along a line, or at its waist; return the id of the new cell too.

    Raises
    ------
    CellsError
        If it can't be cut so.
    """
    (row,) = _rows(image, [row], "split")
    cell_id = image.highest_id + 1
    paint = split(image, image_id, row, line, cell_id)
    change = LabelChange.between(image_id, Marks(), _marks(image, [row], [cell_id]))
    return Edit("split a cell", "cells", paint=(paint,), labels=(change,)), cell_id


def delete(image: AnnotatedImage, image_id: int, rows: ArrayLike) -> Edit:
    """Take cells away; their labels are cleared, and come back with undo."""
    chosen = _rows(image, rows, "delete")
    change = LabelChange.between(image_id, _marks(image, chosen), Marks())
    text = "delete a cell" if len(chosen) == 1 else f"delete {len(chosen)} cells"
    return Edit(text, "cells", paint=renamed(image, image_id, chosen, 0), labels=(change,))


def draw(
    image: AnnotatedImage, image_id: int, t: int, z: int, drawn: Drawn, image_class: ImageClass
) -> tuple[Edit, int]:
    """Draw a cell on the background of a plane; return its id too.

    Raises
    ------
    CellsError
        If there is no such plane, or no background there.
    """
    shape: Shape = image.labels.shape if image.labels is not None else (0, 0)
    if not (0 <= t < shape[0] and 0 <= z < shape[1]):
        raise CellsError(f"The place t {t}, z {z} is outside the image. Draw inside it.")
    cell_id = image.highest_id + 1
    paint = drawn_cell(image, image_id, t, z, drawn, cell_id)
    one = np.array([cell_id])
    marks = Marks(np.array([t]), one, one * 0 + image_class[0], one * 0 + image_class[1])
    change = LabelChange.between(image_id, Marks(), marks if image_class[0] else Marks())
    return Edit("add a cell", "cells", paint=(paint,), labels=(change,)), cell_id


def disc_at(image: AnnotatedImage, place: tuple[float, float, float, float], shape: Shape) -> Drawn:
    """Return a disc of the typical cell's size around t, z, y, x in an image of shape T, Z, Y, X.

    Raises
    ------
    CellsError
        If there is a cell already, or the place is outside.
    """
    t, z, y, x = place
    if not all(0 <= np.floor(c + 0.5) < n for c, n in zip(place, shape, strict=True)):
        raise CellsError(f"The place t {t:.0f}, z {z:.0f}, y {y:.0f}, x {x:.0f} is outside the image. Click inside it.")
    row = image.row_at(t, z, y, x)
    if row is not None:
        raise CellsError(
            f"There is already a cell at y {y:.0f}, x {x:.0f}: number {image.cells.cell_id[row]}. "
            "Click where there is none."
        )
    return disc(y, x, image.cells.typical_diameter)


def _rows(image: AnnotatedImage, rows: ArrayLike, act: str, least: int = 1) -> list[int]:
    chosen = np.unique(np.asarray(rows, dtype=np.int64)).tolist()
    if len(chosen) < least:
        raise CellsError(f"{len(chosen)} cells are chosen to {act}; choose at least {least}, with Ctrl+click.")
    count = len(image.cells)
    if chosen[0] < 0 or chosen[-1] >= count:
        raise CellsError(f"There is no cell in row {chosen[-1]}; the image has {count} cells. Click a cell again.")
    return [int(row) for row in chosen]


def _marks(image: AnnotatedImage, rows: Sequence[int], cell_ids: Sequence[int] | None = None) -> Marks:
    """Return the labels of rows, under other ids where those are given; without rows that have none."""
    at = np.array(rows, dtype=np.int64)
    ids = image.cells.cell_id[at].astype(np.int64) if cell_ids is None else np.array(cell_ids, dtype=np.int64)
    marks = Marks(image.cells.t[at].astype(np.int64), ids, image.class_ids[at], image.origins[at])
    return marks.where(marks.class_id > 0)
