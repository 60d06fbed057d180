"""Which cell to label next, over all images; and predictions accepted as labels.

Cells come in batches: chosen together, so that they are unlike each other, and gone through image by image. A batch
ends when its cells are labelled or passed; new predictions, another way of choosing and blind labelling end it too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from psygnal import Signal

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.effects import NO_ROWS, Effects, Rows
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.review.batch import Batch, BatchProgress
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.queue import IN_ORDER, MODES, UNCERTAIN
from napari_cellstage.core.workspace import Workspace
from napari_cellstage.session.choosing import ChoosingPart, check_mode

BATCH = 16
_MODE = "next cells"
Name = tuple[int, int, int]


class NextCellsPart(ChoosingPart):
    """Queues of cells."""

    queue_changed = Signal()  # another batch, another way of choosing

    _batch = Batch()
    _passed = CellRefs()

    @property
    def queue_mode(self) -> str:
        """How the next cell is chosen: one of `core.review.queue.MODES`. Kept with the project.

        Until somebody has chosen it is "in order", and "uncertain" once there is a model.
        """
        stored = self.setting(_MODE)
        if stored in MODES:
            return str(stored)
        predicted = any(one.predicted for one in self.image_states())
        return UNCERTAIN if predicted and not self.blind else IN_ORDER

    @queue_mode.setter
    def queue_mode(self, mode: str) -> None:
        check_mode(mode)
        if mode != self.setting(_MODE):
            self.put_setting(_MODE, mode)
            self._end_batch()

    @property
    def batch(self) -> Batch:
        """The cells that are gone through now."""
        return self._batch

    def batch_left(self) -> CellRefs:
        """Return the cells of the batch that are still there, have no label and were not passed."""
        cells = self._batch.cells
        there = self.rows_of(cells) >= 0
        return cells.take(there & (self._ids_today(cells) == UNLABELLED) & ~cells.isin(self._passed))

    def batch_progress(self) -> BatchProgress:
        """Return how far the batch has come."""
        cells = self._batch.cells
        ids, rows = self._ids_today(cells), self.rows_of(cells)
        accepted = corrected = 0
        for image_id, places in cells.by_image().items():
            here = places[(rows[places] >= 0) & (ids[places] != UNLABELLED)]
            if not len(here):  # nor may its image be there any more
                continue
            found = None if self.blind else self.predictions(image_id)
            accepted += int((self.origins(image_id, rows[here]) == "accepted").sum())
            corrected += 0 if found is None else int((found.take(rows[here]).predicted != ids[here]).sum())
        return BatchProgress(len(cells), len(cells) - len(self.batch_left()), accepted, corrected)

    def next_cell(self, after: int | None = None) -> Name | None:
        """Return the next cell to label as image, time point and cell id; None when none is left.

        Parameters
        ----------
        after
            Row of the current image that is shown now: a cell of the batch that is left without a label is passed.
        """
        if self.queue_mode == IN_ORDER:
            found = self._after(after)
        else:
            self._pass(after)
            found = self.batch_left()
            if not len(found):
                found = self._new_batch()
        return (int(found.image_id[0]), int(found.t[0]), int(found.cell_id[0])) if len(found) else None

    def accept_predictions(self, rows: ArrayLike, continues: bool = False) -> Rows:
        """Give cells of the current image the class that the model predicts; they are recorded as accepted.

        Returns
        -------
        ndarray
            The rows whose label changed.

        Raises
        ------
        CellsError
            If one of them has no prediction that may be shown.
        """
        wanted = np.atleast_1d(np.asarray(rows, dtype=np.int64))
        found = None if self.blind else self.predictions()
        ids = np.zeros(len(wanted), dtype=np.int64) if found is None else found.take(wanted).predicted
        if not len(wanted) or (ids == UNLABELLED).any():
            raise CellsError(_nothing_to_accept(self.blind))
        changed = [NO_ROWS]
        for class_id in np.unique(ids).tolist():
            joins = continues or len(changed) > 1
            changed.append(self.label_cells(wanted[ids == class_id], class_id, None, joins, "accepted"))
        return np.concatenate(changed)

    # what ends a batch

    def set_predictions(self, answers: dict[int, Predictions], version: int) -> bool:
        """Take the answers to the snapshot of a version, see `WorkPart`; the next batch is chosen by them."""
        kept = super().set_predictions(answers, version)
        self._end_batch()
        return kept

    def _enter(self, space: Workspace) -> None:
        self._batch, self._passed = Batch(), CellRefs()
        super()._enter(space)
        self.queue_changed.emit()

    def _tell(self, effects: Effects) -> None:
        if effects.edit.segmentations:  # the names of the batch are those of other cells now
            self._end_batch()
        super()._tell(effects)

    def _look(self, blind: bool) -> None:
        super()._look(blind)
        self._end_batch()

    def _end_batch(self) -> None:
        self._batch, self._passed = Batch(self.queue_mode), CellRefs()
        self.queue_changed.emit()

    # choosing

    def _new_batch(self) -> CellRefs:
        self._batch = self._choose(self.queue_mode, BATCH, self._passed)
        if not len(self._batch.cells) and len(self._passed):  # once round: those that were passed come again
            self._passed = CellRefs()
            self._batch = self._choose(self.queue_mode, BATCH, self._passed)
        self.queue_changed.emit()
        return self._batch.cells

    def _pass(self, row: int | None) -> None:
        if row is None or self._current is None:
            return
        shown = CellRefs.of(self._current, self.cells(), np.array([row]))
        if shown.isin(self._batch.cells)[0] and self.class_ids()[row] == UNLABELLED:
            self._passed = CellRefs.joined((self._passed, shown))


def _nothing_to_accept(blind: bool) -> str:
    if blind:
        return "Blind labelling is on, so there is no prediction to accept. Press a number key."
    return "The model says nothing of this cell, so there is nothing to accept. Press a number key, or train first."
