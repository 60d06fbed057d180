"""Predictions of the open project's images: which answers still fit, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.store import Project

_SNAPSHOTS_KEPT = 3
TableOf = Callable[[int], CellTable | None]


class Answers:
    """The latest predictions of each image, and the tables that answers still to come will refer to."""

    def __init__(self) -> None:
        self._latest: dict[int, Predictions | None] = {}
        self._asked: dict[int, tuple[Mapping[int, int], TableOf]] = {}

    def expect(self, number: int, versions: Mapping[int, int], table_of: TableOf) -> None:
        """Remember what a snapshot holds, so that its answer can be placed.

        Parameters
        ----------
        number
            Version of the snapshot.
        versions
            Version of each image's segmentation.
        table_of
            Returns the cells of an image as the snapshot has them.
        """
        self._asked[number] = (versions, table_of)
        self._asked.pop(number - _SNAPSHOTS_KEPT, None)

    def of(self, image_id: int, image: AnnotatedImage, project: Project) -> Predictions | None:
        """Return the latest predictions of an image, read from the disk the first time."""
        if image_id not in self._latest:
            arrays = project.read_predictions(image_id, image.version)
            count = len(image.cells)
            self._latest[image_id] = Predictions.from_arrays(arrays, image.rows_of, count) if arrays else None
        return self._latest[image_id]

    def take(
        self, image_id: int, version: int, image: AnnotatedImage | None, answer: Predictions, number: int,
        project: Project,
    ) -> bool:  # fmt: skip
        """Keep the answer to a snapshot; False when the cells have been replaced since.

        Parameters
        ----------
        image_id, version
            The image, and the version of its segmentation now.
        image
            Its cells, None when they are not in memory; then nobody can have changed them.
        answer
            For the cells of the snapshot.
        number
            Which snapshot.
        project
            Where it is kept.
        """
        versions, table_of = self._asked.get(number, ({}, lambda _image_id: None))
        asked = table_of(image_id)
        if asked is None or versions.get(image_id, -1) != version or len(answer) != len(asked):
            return False
        cells = asked if image is None else image.cells
        if image is not None and asked is not cells:  # cells were changed by hand in between
            answer = answer.placed(image.rows_of(asked.t, asked.cell_id), len(cells))
        if not project.read_only:
            project.write_predictions(image_id, version, answer.to_arrays(cells))
        if image is not None or project.read_only:
            self._latest[image_id] = answer
        else:
            self._latest.pop(image_id, None)
        return True

    def forget(self, image_id: int) -> None:
        """Drop the predictions of an image whose segmentation was replaced; those of the new one are on the disk."""
        self._latest.pop(image_id, None)

    def follow(self, image_id: int, before: CellTable, image: AnnotatedImage) -> None:
        """Put the predictions of an image on its table after cells were changed by hand."""
        found = self._latest.get(image_id)
        if found is not None:
            self._latest[image_id] = found.placed(image.rows_of(before.t, before.cell_id), len(image.cells))
