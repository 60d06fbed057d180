"""What training and prediction get, and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.choices import network_choice
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.predictions import Predictions, annotation_frame, with_notes
from napari_cellstage.core.seeing import Seen, lacks, seeing
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
        seen = self._seen()
        if seen is not None:
            self._check_seen(seen)
        self._snapshots += 1
        frozen = self._space.snapshot(self.network_channels, self._snapshots)
        return frozen if seen is None else seeing(frozen, seen)

    def look(self) -> WorkSnapshot:
        """Freeze the same for work that nobody answers, such as a preview; as often as one likes."""
        frozen, seen = WorkSnapshot(self._space.frozen()[0], self.scheme, self.network_channels), self._seen()
        return frozen if seen is None else seeing(frozen, seen)

    def look_with_groups(self) -> WorkSnapshot:
        """Freeze the same with all that `snapshot` says of images; answers to earlier snapshots stay welcome."""
        self._nobody_answers = True
        try:
            return self.snapshot()
        finally:
            self._nobody_answers = False

    def _seen(self) -> Seen | None:
        """Return the channels that the network is to see where predicted ones are among them, else None.

        A stain that no image has any more is none that was chosen.
        """
        there = {one.stain.name for entry in self._space.entries.values() for one in entry.stains}
        own, chosen = network_choice(self)
        stains = tuple(name for name in chosen if name in there)
        return Seen((*own, *stains)) if stains else None

    def _check_seen(self, seen: Seen) -> None:
        """Raise `ImageError` when an image with cells lacks a channel that the network is to see."""
        without = {
            entry.name: lacking
            for image_id, entry in self._space.entries.items()
            if self._space.tally.cells.get(image_id, 1 if image_id in self._space.tally.versions else 0)
            and not entry.missing  # no work reads it
            and (lacking := seen.lacking(entry.channel_names, len(entry.record.channel_names)))
        }
        if without:
            first = next(iter(without))
            count = len(without) - 1
            more = f" {count} other image{'s lack' if count > 1 else ' lacks'} channels, too." if count else ""
            raise ImageError(lacks(first, without[first]) + more)

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
        """Return the table that ``predictions.csv`` holds; without predictions, it lacks their columns."""
        name = self._space.entries[self._id(image_id)].name
        found, cells, ids = self.predictions(image_id), self.cells(image_id), self.class_ids(image_id)
        to_frame = found.to_frame if found else annotation_frame
        frame, tracks = to_frame(name, cells, ids, self.scheme), self._track_ids(image_id)
        return with_notes(frame, self.origins(image_id), tracks, self.found_in(image_id))

    def _track_ids(self, image_id: int | None) -> NDArray[np.int64] | None:  # noqa: ARG002 - for the part that knows
        return None
