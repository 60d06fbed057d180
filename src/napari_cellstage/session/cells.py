"""The cells of an image: the segmentation, the table, and changes by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from napari_cellstage.core import acts
from napari_cellstage.core.carry_over import CarryOver
from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.session.base import Base


class CellsPart(Base):
    """Segmentations and their cells."""

    def labels(self, image_id: int | None = None) -> Labels | None:
        """Return the segmentation ``(T, Z, Y, X)``, None when there is none; not to be written to."""
        return self._image(image_id).labels

    def cells(self, image_id: int | None = None) -> CellTable:
        """Return the table of cells; empty when there are none."""
        return self._image(image_id).cells

    def set_labels(self, labels: ArrayLike, image_id: int | None = None) -> CarryOver:
        """Put a segmentation in place; labels and hand-drawn cells go with the cells they lie on.

        They are integers, 0 is background, ``(T, Z, Y, X)`` or without axes of length 1, and are copied. Returned is
        which labels kept their cell's name, moved to another, or lost their cell; undo brings all back.
        """
        effects, result = self._space.replace_cells(self._id(image_id), np.asarray(labels))
        self._tell(effects)
        return result

    def cell_at(self, t: float, z: float, y: float, x: float) -> int | None:
        """Return the row of the cell at a place in the current image, None for background and outside."""
        return self._image(None).row_at(t, z, y, x)

    def add_cell(self, t: int, z: float, y: float, x: float) -> int:
        """Draw a cell of the typical size in the current image where there is none; return its row."""
        wanted = self._id(None)
        self._do(acts.add_cell(self._space.image(wanted), wanted, (t, z, y, x), self._space.shape(wanted)))
        return len(self.cells(wanted)) - 1
