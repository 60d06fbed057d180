"""The open project in memory, kept equal to the disk: every edit is written first and then made here.

Knows what is where; what the user may do, and who is told, is in `session`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.annotations import AnnotatedImage, DrawnCell, DrawnChange, Edit
from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.core.store import Project

Rows = NDArray[np.int64]
_SNAPSHOTS_KEPT = 8


@dataclass
class Effects:
    """What an edit has changed.

    Parameters
    ----------
    edit
        The edit, with the journal's numbers of it.
    rows
        Rows whose label changed, by image.
    cells
        Images whose table is another now.
    """

    edit: Edit
    rows: dict[int, Rows] = field(default_factory=dict)
    cells: set[int] = field(default_factory=set)


class Workspace:
    """Images, cells, labels, classes and predictions of one open project.

    Parameters
    ----------
    project
        The project; closed with the workspace.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.scheme = project.journal.scheme()
        self.settings: dict[str, Any] = project.journal.settings()
        self.entries = project.images()
        self.problems: dict[int, str] = {}
        self._images: dict[int, AnnotatedImage] = {}
        self._predictions: dict[int, Predictions | None] = {}
        self._snapshots: dict[int, dict[int, tuple[int, CellTable]]] = {}
        self._version = 0

    def image(self, image_id: int) -> AnnotatedImage:
        """Return the cells of an image and their labels, read from the disk the first time."""
        if image_id not in self._images:
            self._images[image_id] = self._load(image_id)
        return self._images[image_id]

    def _load(self, image_id: int) -> AnnotatedImage:
        journal = self.project.journal
        version = journal.version(image_id)
        try:
            labels = self._volume(image_id, version)
        except ProjectError as error:
            self.problems[image_id] = str(error)
            labels = None
        else:
            labels = self._with_drawn(image_id, labels, journal.drawn(image_id, version))
        cells = CellTable.empty() if labels is None else CellTable.from_labels(labels)
        return AnnotatedImage(labels, cells, journal.names(image_id), version)

    def counts(self) -> dict[int, int]:
        """Return how many cells have each class of the scheme, over all images."""
        total = dict.fromkeys(self.scheme.ids, 0)
        for image_id in self.entries:
            for class_id, count in self._counts_of(image_id).items():
                total[class_id] = total.get(class_id, 0) + count
        return total

    def _counts_of(self, image_id: int) -> dict[int, int]:
        if image_id not in self._images:
            return self.project.journal.counts(image_id)
        counted = np.bincount(self._images[image_id].class_ids)
        return {int(i): int(counted[i]) for i in np.flatnonzero(counted) if i}

    def make(self, edit: Edit, how: str = "", volumes: dict[int, Labels] | None = None) -> Effects:
        """Write an edit, then make it; when it can't be written nothing changes.

        Parameters
        ----------
        edit
            What changes.
        how
            ``"undo"``, ``"redo"``, or empty for something new.
        volumes
            Label volumes of new segmentations by image, so that they need not be read back.
        """
        for image_id in edit.image_ids:
            self.image(image_id)
        replaced = {c.image_id: self._replacement(edit, c.image_id, c.after, volumes or {}) for c in edit.segmentations}
        batch = self.project.journal.write(edit, how)
        effects = Effects(edit if how else replace(edit, batches=(*edit.batches, batch)))
        for change in edit.segmentations:
            self._images[change.image_id].replace(*replaced[change.image_id], change.after)
            self._predictions.pop(change.image_id, None)
            self.problems.pop(change.image_id, None)
        for drawn in edit.drawn:
            if drawn.image_id not in replaced:
                self._draw(drawn)
        for label in edit.labels:
            rows = self._images[label.image_id].apply(label)
            effects.rows[label.image_id] = np.union1d(effects.rows.get(label.image_id, rows), rows)
        effects.cells = {c.image_id for c in (*edit.segmentations, *edit.drawn)}
        self.scheme = edit.scheme.after if edit.scheme else self.scheme
        return effects

    def _replacement(
        self, edit: Edit, image_id: int, version: int, volumes: dict[int, Labels]
    ) -> tuple[Labels | None, CellTable]:
        labels = volumes[image_id] if image_id in volumes else self._volume(image_id, version)
        drawn = {cell.cell_id: cell for cell in self.project.journal.drawn(image_id, version)}
        for change in edit.drawn:
            if (change.image_id, change.version) == (image_id, version):
                drawn.pop(change.cell.cell_id, None)
                if change.present:
                    drawn[change.cell.cell_id] = change.cell
        labels = self._with_drawn(image_id, labels, drawn.values())
        return labels, CellTable.empty() if labels is None else CellTable.from_labels(labels)

    def adopted(self, image_id: int, labels: NDArray[Any]) -> Labels:
        """Return a copy of labels made for an image as int32 ``(T, Z, Y, X)``; `CellsError` when they don't fit it."""
        from napari_cellstage.core.segment import adopt_labels

        stack = self.entries[image_id].stack
        if stack is None:
            raise ProjectError(self.entries[image_id].missing)
        return np.array(adopt_labels(labels, stack))

    def move_to(self, project: Project) -> None:
        """Go on in a copy of the project."""
        stacks = {image_id: entry.stack for image_id, entry in self.entries.items()}
        self.project = project
        for image_id, entry in project.images().items():
            self.entries[image_id] = ImageEntry(entry.record, entry.place, stacks[image_id])

    def _volume(self, image_id: int, version: int) -> Labels | None:
        return self.project.read_segmentation(image_id, version, self._shape(image_id))

    def _shape(self, image_id: int) -> tuple[int, ...]:
        frames, _, *volume = self.entries[image_id].record.shape
        return (frames, *volume)

    def _with_drawn(self, image_id: int, labels: Labels | None, drawn: Iterable[DrawnCell]) -> Labels | None:
        from napari_cellstage.core.segment import draw_disc  # scikit-image, slow to load

        for cell in drawn:
            if labels is None:
                labels = np.zeros(self._shape(image_id), dtype=np.int32)
            draw_disc(labels, cell.t, cell.z, cell.y, cell.x, cell.diameter, cell.cell_id)
        return labels

    def _draw(self, change: DrawnChange) -> None:
        """Draw or take away one cell by hand, touching nothing but its surroundings."""
        from napari_cellstage.core.segment import draw_disc

        image, cell = self._images[change.image_id], change.cell
        before = image.cells
        predictions = self.predictions(change.image_id)
        labels = np.zeros(self._shape(change.image_id), dtype=np.int32) if image.labels is None else image.labels
        labels = labels.copy() if image.lent else labels
        if change.present:
            draw_disc(labels, cell.t, cell.z, cell.y, cell.x, cell.diameter, cell.cell_id)
            cells = before.append(_measured(labels, cell))
        else:
            keep = (before.t != cell.t) | (before.cell_id != cell.cell_id)
            box = (cell.t, *_box(before.bbox[~keep][0]))
            labels[box][labels[box] == cell.cell_id] = 0
            cells = before.take(np.flatnonzero(keep))
        image.replace(labels, cells, image.version)
        if predictions is not None:
            rows = image.rows_of(before.t, before.cell_id)
            self._predictions[change.image_id] = predictions.placed(rows, len(cells))

    def predictions(self, image_id: int) -> Predictions | None:
        """Return the latest predictions of an image; None where there are none, or one of their classes is gone."""
        if image_id not in self._predictions:
            image = self.image(image_id)
            arrays = self.project.read_predictions(image_id, image.version)
            self._predictions[image_id] = (
                Predictions.from_arrays(arrays, image.rows_of, len(image.cells)) if arrays else None
            )
        found = self._predictions[image_id]
        return found if found and set(found.class_ids) <= set(self.scheme.ids) else None

    def set_predictions(self, image_id: int, predictions: Predictions, version: int) -> bool:
        """Take the answer to a snapshot; False when its cells or classes have been replaced since."""
        taken = self._snapshots.get(version, {}).get(image_id)
        image = self.image(image_id) if image_id in self.entries else None
        if taken is None or image is None or taken[0] != image.version or len(predictions) != len(taken[1]):
            return False
        if not set(predictions.class_ids) <= set(self.scheme.ids):
            return False
        if taken[1] is not image.cells:
            predictions = predictions.placed(image.rows_of(taken[1].t, taken[1].cell_id), len(image.cells))
        if not self.project.read_only:
            self.project.write_predictions(image_id, image.version, predictions.to_arrays(image.cells))
        self._predictions[image_id] = predictions
        return True

    def snapshot(self, channels: tuple[int, ...]) -> WorkSnapshot:
        """Freeze every image that has cells and whose pixels are at hand."""
        self._version += 1
        frozen = []
        for image_id, entry in self.entries.items():
            image = self.image(image_id)
            if len(image.cells) and image.labels is not None and entry.stack is not None:
                image.lent = True
                ids = image.class_ids.copy()
                frozen.append(ImageSnapshot(image_id, entry.stack, image.cells, image.labels, ids))
        self._snapshots[self._version] = {s.image_id: (self.image(s.image_id).version, s.cells) for s in frozen}
        self._snapshots.pop(self._version - _SNAPSHOTS_KEPT, None)
        return WorkSnapshot(tuple(frozen), self.scheme, channels, self._version)

    def put_setting(self, key: str, value: Any) -> None:
        """Change a setting; in memory only when the project is read-only."""
        if self.settings.get(key) == value:
            return
        if not self.project.read_only:
            self.project.journal.put_setting(key, value)
        self.settings[key] = value


def _box(bbox: NDArray[np.int32]) -> tuple[slice, slice, slice]:
    z0, y0, x0, z1, y1, x1 = (int(n) for n in bbox)
    return slice(z0, z1), slice(y0, y1), slice(x0, x1)


def _around(cell: DrawnCell) -> tuple[slice, slice, slice]:
    reach = cell.diameter / 2 + 2
    low, high = zip(*((max(0, int(c - reach)), int(c + reach) + 1) for c in (cell.z, cell.y, cell.x)), strict=True)
    return slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])


def _measured(labels: Labels, cell: DrawnCell) -> CellTable:
    """Measure one cell that was just drawn, looking at its surroundings only."""
    box = _around(cell)
    places = np.stack(np.nonzero(labels[(cell.t, *box)] == cell.cell_id), axis=1)
    places += [side.start for side in box]
    low, high = places.min(axis=0), places.max(axis=0) + 1
    z, y, x = places.mean(axis=0)[:, None]
    return CellTable(
        cell_id=np.array([cell.cell_id], dtype=np.int64),
        t=np.array([cell.t], dtype=np.int32),
        z=z,
        y=y,
        x=x,
        bbox=np.concatenate((low, high)).astype(np.int32)[None],
        area=np.array([len(places)], dtype=np.int64),
        at_border=np.array([low[1:].min() == 0 or (high[1:] == labels.shape[2:]).any()]),
    )
