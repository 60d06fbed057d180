"""What training and prediction get, and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.predictions import Predictions, annotation_frame, with_notes
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.session.classes import ClassesPart

if TYPE_CHECKING:
    import pandas as pd


class WorkPart(ClassesPart):
    """Snapshots for work, predictions back, and the table of both."""

    _nobody_answers = False

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need."""
        if self._nobody_answers:
            return WorkPart.look(self)
        self._snapshots += 1
        return self._space.snapshot(self.network_channels, self._snapshots)

    def look(self) -> WorkSnapshot:
        """Freeze the same for work that nobody answers, such as a preview; as often as one likes."""
        return WorkSnapshot(self._space.frozen()[0], self.scheme, self.network_channels)

    def look_with_groups(self) -> WorkSnapshot:
        """Freeze the same with all that `snapshot` says of images; answers to earlier snapshots stay welcome."""
        self._nobody_answers = True
        try:
            return self.snapshot()
        finally:
            self._nobody_answers = False

    def set_predictions(self, answers: dict[int, Predictions], version: int) -> bool:
        """Take the answers to the snapshot of a version.

        An image whose cells or classes have been replaced since drops its answer; then this returns False.
        """
        kept = self._space.set_predictions(answers, version)
        for image_id in kept:
            self.predictions_changed.emit(image_id)
        return len(kept) == len(answers)

    def predictions(self, image_id: int | None = None) -> Predictions | None:
        """Return the latest predictions, None when there are none."""
        nothing_open = image_id is None and self._current is None
        return None if nothing_open else self._space.predictions(self._id(image_id))

    def table(self, image_id: int | None = None) -> pd.DataFrame:
        """Return the table that ``predictions.csv`` holds; without predictions, the columns up to label and origin."""
        name = self._space.entries[self._id(image_id)].name
        found, cells, ids = self.predictions(image_id), self.cells(image_id), self.class_ids(image_id)
        to_frame = found.to_frame if found else annotation_frame
        return with_notes(to_frame(name, cells, ids, self.scheme), self.origins(image_id), self._track_ids(image_id))

    def _track_ids(self, image_id: int | None) -> NDArray[np.int64] | None:  # noqa: ARG002 - for the part that knows
        return None
