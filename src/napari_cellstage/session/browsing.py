"""What is looked at, over all images: the chosen cells, those shown in the gallery, the one to go to.

Matrix, lists, map, gallery and viewer know each other by this only: whoever chooses cells says so here, and whoever
shows cells listens.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_cellstage.core import acts
from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.edits import Edit
from napari_cellstage.core.effects import Effects
from napari_cellstage.core.marks import origin_number
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.workspace import Workspace
from napari_cellstage.session.facts import FactsPart


@dataclass(frozen=True)
class Shown:
    """What the gallery shows.

    Parameters
    ----------
    cells
        In the order of whoever asked.
    title
        What they have in common, in words: "metaphase, predicted as prometaphase".
    order
        How to sort them at first; one of `core.review.orders.ORDERS`, or empty: as they are.
    """

    cells: CellRefs = field(default_factory=CellRefs)
    title: str = ""
    order: str = ""


class BrowsingPart(FactsPart):
    """Cells chosen and shown. None of it is kept on disk."""

    chosen_changed = Signal(object)  # CellRefs
    shown_changed = Signal(object)  # Shown
    cell_wanted = Signal(int, int, int)  # image_id, t, cell_id: the viewer is to go there

    _chosen = CellRefs()
    _in_gallery = Shown()

    @property
    def chosen(self) -> CellRefs:
        """The selected cells; the same in gallery, map, matrix and viewer."""
        return self._chosen

    def choose(self, cells: CellRefs) -> None:
        """Select these cells and no others."""
        if cells != self._chosen:
            self._chosen = cells
            self.chosen_changed.emit(cells)

    @property
    def shown(self) -> Shown:
        """What the gallery shows."""
        return self._in_gallery

    def show_cells(self, cells: CellRefs, title: str, order: str = "") -> None:
        """Fill the gallery."""
        self._in_gallery = Shown(cells, title, order)
        self.shown_changed.emit(self._in_gallery)

    def visit(self, image_id: int, t: int, cell_id: int) -> None:
        """Show a cell in the viewer: its image, time point and plane."""
        if self._id(image_id) != self.current_id:
            self.set_current(image_id)
        self.cell_wanted.emit(image_id, t, cell_id)

    def rows_of(self, cells: CellRefs) -> NDArray[np.int64]:
        """Return the row of each cell in the table of its image; -1 where it is not there any more."""
        rows = np.full(len(cells), -1, dtype=np.int64)
        for image_id, places in cells.by_image().items():
            if image_id in self._space.entries:
                rows[places] = self._space.image(image_id).rows_of(cells.t[places], cells.cell_id[places])
        return rows

    def label_refs(self, cells: CellRefs, class_id: int, origin: str = "review", continues: bool = False) -> CellRefs:
        """Give cells of any images a class, 0 to clear; one undo takes all back.

        Cells that are not there any more are passed over. With `continues` it is undone together with the call before.

        Returns
        -------
        CellRefs
            Those whose label changed.
        """
        if class_id != UNLABELLED:
            self.scheme.by_id(class_id)
        by_image = {i: cells.take(places) for i, places in cells.by_image().items() if i in self._space.entries}
        edits = [edit for i, some in by_image.items() if (edit := self._label_edit(i, some, class_id, origin))]
        if not edits:
            return CellRefs()
        changes = tuple(change for edit in edits for change in edit.labels)
        text = acts.label_text(sum(len(change.t) for change in changes), class_id)
        self._do(replace(edits[0], text=text, labels=changes), continues)
        return CellRefs.joined(CellRefs(np.full(len(c.t), c.image_id), c.t, c.cell_id) for c in changes)

    def _enter(self, space: Workspace) -> None:
        """Begin with nothing chosen or shown: the same numbers are other cells in another project."""
        self.choose(CellRefs())
        self.show_cells(CellRefs(), "")
        super()._enter(space)

    def _tell(self, effects: Effects) -> None:
        """Cells that were found again have other names: none of those before stays chosen or shown."""
        if again := [one.image_id for one in effects.edit.segmentations]:
            self.choose(self._chosen.take(~np.isin(self._chosen.image_id, again)))
            shown, gone = self._in_gallery, np.isin(self._in_gallery.cells.image_id, again)
            if gone.any():
                self.show_cells(shown.cells.take(~gone), shown.title, shown.order)
        super()._tell(effects)

    def _label_edit(self, image_id: int, cells: CellRefs, class_id: int, origin: str) -> Edit | None:
        image = self._space.image(image_id)
        rows = image.rows_of(cells.t, cells.cell_id)
        restate = self._restates(class_id, origin)
        return acts.label_cells(image, image_id, rows[rows >= 0], class_id, origin_number(origin), restate)
