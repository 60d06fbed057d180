"""Cells followed over time: their tracks, and a class for a whole track."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_cellstage.core import choices
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.link_settings import LinkSettings
from napari_cellstage.core.snapshot import Images, WorkSnapshot
from napari_cellstage.core.store import Project
from napari_cellstage.core.track_files import TrackFiles
from napari_cellstage.core.tracks import Tracks
from napari_cellstage.session.base import Rows
from napari_cellstage.session.work import WorkPart


class TracksPart(WorkPart):
    """Tracks of images. They are no labels: following the cells again is the way back, undo leaves them alone."""

    tracks_changed = Signal(int)  # image_id

    link_settings = choices.link_settings()

    _track_files: TrackFiles
    _tracks_of: Project | None = None

    def tracks(self, image_id: int | None = None) -> Tracks | None:
        """Return the track of each row, None when the cells of this segmentation have not been followed."""
        if image_id is None and self._current is None:
            return None
        wanted = self._id(image_id)
        return self._files().of(wanted, self._image(wanted))

    def set_tracks(self, tracks: Tracks, image_id: int | None = None) -> None:
        """Keep which cells are one; `tracks` has an entry for each row.

        Raises
        ------
        CellsError
            If they are of another table.
        """
        wanted = self._id(image_id)
        image = self._image(wanted)
        if len(tracks) != len(image.cells):
            raise CellsError(
                f"The tracks are of {len(tracks)} cells, but the image has {len(image.cells)}: "
                "its cells have changed meanwhile. Follow them again."
            )
        self._files().put(wanted, image, tracks)
        self.tracks_changed.emit(wanted)

    def rows_of_tracks(self, rows: ArrayLike, from_here: bool = False, image_id: int | None = None) -> Rows:
        """Return the rows of the tracks that some rows are in, and those rows themselves.

        With `from_here` only those in the frame of each given row and later. A track stops where its cell divides.
        """
        some, found = np.atleast_1d(np.asarray(rows, dtype=np.int64)), self.tracks(image_id)
        if found is None:
            return some
        return found.rows_with(some, self.cells(image_id).t if from_here else None)

    def label_track(
        self,
        rows: ArrayLike,
        class_id: int,
        from_here: bool = False,
        image_id: int | None = None,
        continues: bool = False,
    ) -> Rows:
        """Give the tracks of some rows (or of one) a class, 0 to clear; return the rows whose class changed.

        With `from_here` earlier frames keep theirs. All of it is one undo. A cell in no track gets it alone.
        """
        wanted = self.rows_of_tracks(rows, from_here, image_id)
        return self.label_cells(wanted, class_id, image_id, continues, origin="track")

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need.

        Of a project with one movie, mother and daughters in all their frames are one group: a cell that was trained
        on must not be asked about in its next frame. Of several images, each is a group already.
        """
        frozen = super().snapshot()
        labelled = [state.image_id for state in self.image_states() if state.labelled]
        if len(labelled) != 1 or not isinstance(frozen.images, Images):
            return frozen
        groups = self._groups(labelled[0])
        extras = {} if groups is None else {labelled[0]: {"groups": groups}}
        return replace(frozen, images=frozen.images.with_extras(extras))

    def _track_ids(self, image_id: int | None) -> NDArray[np.int64] | None:
        found = self.tracks(image_id)
        return None if found is None else found.track_id

    def _groups(self, image_id: int) -> NDArray[np.str_] | None:
        found = self.tracks(image_id)
        if found is None:
            return None
        own = np.where(found.track_id > 0, found.family, -1 - np.arange(len(found)))  # by itself, if in no track
        return np.char.add("track ", own.astype(np.str_))

    def follow_cells(self, settings: LinkSettings | None = None, image_id: int | None = None) -> Tracks:
        """Follow the cells of a movie from frame to frame, keep their tracks and return them; for scripts.

        `settings` is `link_settings` when None. The dock does the same in a worker: `core.linking.link_cells`.

        Raises
        ------
        CellsError
            If there are no cells, or one time point only.
        """
        from napari_cellstage.core.linking import link_cells

        wanted = self._id(image_id)
        labels, stack = self.labels(wanted), self._space.entries[wanted].stack
        if labels is None:
            raise CellsError("There are no cells to follow. Find the cells first, in all time points.")
        size = None if stack is None else stack.pixel_size_um
        steps = link_cells(labels, self.cells(wanted), settings or self.link_settings, size)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                self.set_tracks(end.value, wanted)
                return cast("Tracks", end.value)

    def _files(self) -> TrackFiles:
        project = self._space.project
        if self._tracks_of is not project:
            self._track_files, self._tracks_of = TrackFiles(project), project
        return self._track_files
