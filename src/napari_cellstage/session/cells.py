"""The cells of an image: the segmentation, the table, and changes by hand."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from napari_cellstage.core import hand_acts
from napari_cellstage.core.carry_over import CarryOver
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.edits import Edit
from napari_cellstage.core.hand_cells import Drawn, Line, polygon, rectangle
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.core.workspace import NO_CLASS
from napari_cellstage.session.base import Base


class CellsPart(Base):
    """Segmentations and their cells."""

    def labels(self, image_id: int | None = None) -> LabelVolume | None:
        """Return the segmentation ``(T, Z, Y, X)``, None when there is none; not to be written to."""
        return self._image(image_id).labels

    def cells(self, image_id: int | None = None) -> CellTable:
        """Return the table of cells; empty when there are none."""
        return self._image(image_id).cells

    def set_labels(
        self, labels: Any, image_id: int | None = None, continues: bool = False, found_in: str = ""
    ) -> CarryOver:
        """Put a segmentation in place; labels and hand-drawn cells go with the cells they lie on.

        They are integers, 0 is background, ``(T, Z, Y, X)`` or without axes of length 1, and are copied: an array,
        or a `LabelVolume`, which may be larger than memory. Returned is which labels kept their cell's name, moved to
        another, or lost their cell; undo brings all back. With `continues` it is undone together with the call before,
        which was for another image, unless something else was done in between. `found_in` names predicted channels
        that the cells were found in: exports say so.
        """
        effects, result = self._space.replace_cells(self._id(image_id), labels, continues, found_in)
        self._tell(effects)
        self.carried.emit(effects.edit.image_ids[0], result)
        return result

    def found_in(self, image_id: int | None = None) -> str:
        """Return the predicted channel that the cells of an image were found in; empty where it was the file's own."""
        wanted = self._id(image_id)
        return self._space.found_in.get((wanted, self._space.tally.versions.get(wanted, 0)), "")

    def cell_at(self, t: float, z: float, y: float, x: float) -> int | None:
        """Return the row of the cell at a place in the current image, None for background and outside."""
        return self._image(None).row_at(t, z, y, x)

    def row_of(self, t: int, cell_id: int) -> int | None:
        """Return the row of a cell of the current image by its name, None when it is not there."""
        return self._image(None).row_of(t, cell_id)

    def add_cell(self, t: int, z: float, y: float, x: float) -> int:
        """Draw a cell of the typical size in the current image where there is none; return its row."""
        wanted = self._id(None)
        image = self._space.ready_to_paint(wanted)
        place, shape = (float(t), float(z), float(y), float(x)), self._space.shape(wanted)
        return self._draw(wanted, t, round(z), hand_acts.disc_at(image, place, shape))

    def add_box(self, t: int, z: int, y0: float, x0: float, y1: float, x1: float) -> int:
        """Draw a cell that fills a box in the current image, where there is background; return its row."""
        return self._draw(self._id(None), t, z, rectangle(y0, x0, y1, x1))

    def draw_cell(self, t: int, z: int, outline: ArrayLike) -> int:
        """Draw a cell in a plane of the current image, where there is background; return its row.

        Parameters
        ----------
        t, z
            The plane.
        outline
            ``(n, 2)`` y, x; closed by itself.
        """
        return self._draw(self._id(None), t, z, polygon(outline))

    def merge_cells(self, rows: ArrayLike) -> int:
        """Make one cell of several of the current image; return its row.

        It has the label of the largest, or of the largest that has one.
        """
        wanted = self._id(None)
        edit, cell_id = hand_acts.merge(self._space.ready_to_paint(wanted), wanted, rows)
        return self._changed(edit, wanted, cell_id)

    def split_cell(self, row: int, line: Line | None = None) -> tuple[int, int]:
        """Cut a cell of the current image in two; both have its label. Return their rows, the larger first.

        Parameters
        ----------
        row
            Which cell.
        line
            Two points y, x of the line to cut along; None cuts at the waist.
        """
        wanted = self._id(None)
        image = self._space.ready_to_paint(wanted)
        edit, cell_id = hand_acts.split_cell(image, wanted, row, line)
        t, old = edit.paint[0].t, int(image.cells.cell_id[row])
        new = self._changed(edit, wanted, cell_id)
        return self._row(wanted, t, old), new

    def delete_cells(self, rows: ArrayLike) -> None:
        """Take cells of the current image away; undo brings them and their labels back."""
        wanted = self._id(None)
        self._do(hand_acts.delete(self._space.ready_to_paint(wanted), wanted, rows))

    def _draw(self, image_id: int, t: int, z: int, drawn: Drawn) -> int:
        image = self._space.ready_to_paint(image_id)
        given = self._space.image_classes.get(image_id, NO_CLASS)
        edit, cell_id = hand_acts.draw(image, image_id, t, z, drawn, given)
        return self._changed(edit, image_id, cell_id)

    def _changed(self, edit: Edit, image_id: int, cell_id: int) -> int:
        """Make an edit and return the row of a cell it made."""
        self._do(edit)
        return self._row(image_id, edit.paint[0].t, cell_id)

    def _row(self, image_id: int, t: int, cell_id: int) -> int:
        row = self._space.image(image_id).row_of(t, cell_id)
        assert row is not None
        return row
