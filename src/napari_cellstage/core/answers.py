"""Predictions of the open project's images: which answers still fit, and where they are kept."""

from __future__ import annotations

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.core.store import Project

_SNAPSHOTS_KEPT = 8


class Answers:
    """The latest predictions of each image, and the tables that answers still to come will refer to."""

    def __init__(self) -> None:
        self._latest: dict[int, Predictions | None] = {}
        self._asked: dict[int, dict[int, tuple[int, CellTable]]] = {}

    def expect(self, snapshot: WorkSnapshot, versions: dict[int, int]) -> None:
        """Remember what a snapshot holds, so that its answer can be placed.

        Parameters
        ----------
        snapshot
            Handed to work.
        versions
            Version of each image's segmentation.
        """
        self._asked[snapshot.version] = {s.image_id: (versions[s.image_id], s.cells) for s in snapshot.images}
        self._asked.pop(snapshot.version - _SNAPSHOTS_KEPT, None)

    def of(self, image_id: int, image: AnnotatedImage, project: Project) -> Predictions | None:
        """Return the latest predictions of an image, read from the disk the first time."""
        if image_id not in self._latest:
            arrays = project.read_predictions(image_id, image.version)
            count = len(image.cells)
            self._latest[image_id] = Predictions.from_arrays(arrays, image.rows_of, count) if arrays else None
        return self._latest[image_id]

    def take(self, image_id: int, image: AnnotatedImage, answer: Predictions, version: int, project: Project) -> bool:
        """Keep the answer to the snapshot of a version; False when the cells have been replaced since."""
        segmentation, asked = self._asked.get(version, {}).get(image_id, (-1, CellTable.empty()))
        if segmentation != image.version or len(answer) != len(asked):
            return False
        if asked is not image.cells:  # cells were drawn by hand in between
            answer = answer.placed(image.rows_of(asked.t, asked.cell_id), len(image.cells))
        if not project.read_only:
            project.write_predictions(image_id, image.version, answer.to_arrays(image.cells))
        self._latest[image_id] = answer
        return True

    def forget(self, image_id: int) -> None:
        """Drop the predictions of an image whose segmentation was replaced; those of the new one are on the disk."""
        self._latest.pop(image_id, None)

    def follow(self, image_id: int, before: CellTable, image: AnnotatedImage) -> None:
        """Put the predictions of an image on its table after a cell was drawn or taken away."""
        found = self._latest.get(image_id)
        if found is not None:
            self._latest[image_id] = found.placed(image.rows_of(before.t, before.cell_id), len(image.cells))
