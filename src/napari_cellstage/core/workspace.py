"""The open project in memory, kept equal to the disk: every edit is written first and then made here.

Without a project it is empty, but for classes and settings chosen early. What each act of the user changes is in
`core.acts`; who is told is the business of `session`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core import acts, drawn
from napari_cellstage.core.annotations import AnnotatedImage, DrawnCell, DrawnChange, Edit, History
from napari_cellstage.core.answers import Answers
from napari_cellstage.core.carry_over import CarryOver
from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import ProjectError, ReadOnlyError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.core.store import Project

Rows = NDArray[np.int64]


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
    predictions
        Images whose predictions are others now, or shown again, or hidden.
    """

    edit: Edit
    rows: dict[int, Rows] = field(default_factory=dict)
    cells: tuple[int, ...] = ()
    predictions: tuple[int, ...] = ()


class Workspace:
    """Images, cells, labels, classes and predictions of one open project.

    Parameters
    ----------
    project
        The project; closed with the workspace. None for none yet.
    """

    def __init__(self, project: Project | None = None) -> None:
        self._project = project
        self.scheme = project.journal.scheme() if project else ClassScheme()
        self.settings: dict[str, Any] = project.journal.settings() if project else {}
        self.entries = project.images() if project else {}
        self.history = History()
        self.problems: dict[int, str] = {0: project.reason} if project and project.reason else {}
        self._images: dict[int, AnnotatedImage] = {}
        self._answers = Answers()

    @classmethod
    def create(cls, folder: Path | str, early: Workspace) -> Self:
        """Make a project; classes and settings that were chosen while there was none go into it."""
        space = cls(Project.create(folder))
        if early.has_project:
            return space
        try:
            if len(early.scheme):
                space._make(acts.change_scheme("choose classes", space.scheme, early.scheme), "", {})
            for key, value in early.settings.items():
                space.put_setting(key, value)
        except ProjectError:
            space.close()
            raise
        return space

    @property
    def has_project(self) -> bool:
        """True when there is a project behind it."""
        return self._project is not None

    @property
    def project(self) -> Project:
        """The project; `ProjectError` when there is none."""
        if self._project is None:
            raise ProjectError("No project is open. Open an image or a project first.")
        return self._project

    @property
    def writable(self) -> Project:
        """The project, to write to; `ReadOnlyError` when it is open read-only."""
        if self.project.read_only:
            raise ReadOnlyError(self.project.reason)
        return self.project

    @property
    def last_current(self) -> int | None:
        """Image that was worked on last, else the first; None when there is none."""
        wanted = self.settings.get("current")
        return wanted if wanted in self.entries else next(iter(self.entries), None)

    def close(self) -> None:
        """Close the project."""
        if self._project:
            self._project.close()

    def move_to(self, project: Project) -> None:
        """Go on in a copy of the project."""
        self.close()
        self._project = project
        self.problems.pop(0, None)
        for image_id, entry in project.images().items():
            self.entries[image_id] = entry.opened_as(self.entries[image_id])

    def take_image(self, stack: ImageStack) -> ImageEntry:
        """Return the entry of an image, added to the project when it is not there."""
        entry = next((e for e in self.entries.values() if e.record.is_image(stack)), None)
        if entry is None:
            entry = self.writable.add_image(stack)
        elif entry.missing and stack.path is not None and not self.project.read_only:
            entry = self.project.relocate(entry, stack.path)
        self.entries[entry.image_id] = entry
        return entry

    def relocate(self, image_id: int, path: Path) -> None:
        """Note the new place of an image that has moved."""
        self.entries[image_id] = self.writable.relocate(self.entries[image_id], path)

    def replace_cells(self, image_id: int, labels: NDArray[Any]) -> tuple[Effects, CarryOver]:
        """Store a segmentation of an image and put it in place of the present one, labels carried over."""
        image, project = self.image(image_id), self.writable
        volume = self._adopted(image_id, labels)
        by_hand = project.journal.drawn(image_id, image.version)
        version = project.write_segmentation(image_id, volume)
        edit, result = acts.replace_cells(image, image_id, volume, version, by_hand)
        return self.do(edit, volumes={image_id: volume}), result

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

    def all_images(self) -> dict[int, AnnotatedImage]:
        """Return the cells and labels of every image."""
        return {image_id: self.image(image_id) for image_id in self.entries}

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
        image = self._images[image_id]
        strays = np.array(list(image.strays.values()), dtype=np.int64)
        counted = np.bincount(np.concatenate((image.class_ids, strays)))
        return {int(i): int(counted[i]) for i in np.flatnonzero(counted) if i}

    def do(self, edit: Edit, joins_last: bool = False, volumes: dict[int, Labels] | None = None) -> Effects:
        """Write something new, then make it; when it can't be written nothing changes.

        Parameters
        ----------
        edit
            What changes.
        joins_last
            Undone together with the edit before it.
        volumes
            Label volumes of new segmentations by image, so that they need not be read back.
        """
        effects = self._make(edit, "", volumes or {})
        self.history.push(effects.edit, joins_last)
        return effects

    def undo(self) -> Effects | None:
        """Take the last edit back; None when there is none."""
        edit = self.history.last
        if edit is None:
            return None
        effects = self._make(edit.inverse(), "undo", {})
        self.history.step_back()
        return effects

    def redo(self) -> Effects | None:
        """Do the last undone edit again; None when there is none."""
        edit = self.history.next
        if edit is None:
            return None
        effects = self._make(edit, "redo", {})
        self.history.step_forward()
        return effects

    def _make(self, edit: Edit, how: str, volumes: dict[int, Labels]) -> Effects:
        for image_id in edit.image_ids:
            self.image(image_id)
        unseen = [c.image_id for c in edit.drawn if c.image_id in self.problems and not edit.segmentations]
        if unseen:
            raise ProjectError(self.problems[unseen[0]])  # ids of cells that can't be read might be given again
        replaced = {c.image_id: self._replacement(edit, c.image_id, c.after, volumes) for c in edit.segmentations}
        if self.has_project:
            batch = self.writable.journal.write(edit, how)
            edit = edit if how else replace(edit, batches=(batch,))
        effects = Effects(edit)
        for change in edit.segmentations:
            self._images[change.image_id].replace(*replaced[change.image_id], change.after)
            self._answers.forget(change.image_id)
            self.problems.pop(change.image_id, None)
        for one in edit.drawn:
            if one.image_id not in replaced:
                self._draw(one)
        for label in edit.labels:
            rows = self._images[label.image_id].apply(label)
            effects.rows[label.image_id] = np.union1d(effects.rows.get(label.image_id, rows), rows)
        effects.cells = edit.images_with_other_cells
        effects.predictions = effects.cells
        if edit.scheme:
            self.scheme = edit.scheme.after
            gone_or_new = set(edit.scheme.before.ids) ^ set(edit.scheme.after.ids)
            effects.predictions = tuple(self.entries) if gone_or_new else effects.cells
        return effects

    def _replacement(
        self, edit: Edit, image_id: int, version: int, volumes: dict[int, Labels]
    ) -> tuple[Labels | None, CellTable]:
        labels = volumes[image_id] if image_id in volumes else self._volume(image_id, version)
        present = {cell.cell_id: cell for cell in self.project.journal.drawn(image_id, version)}
        for change in edit.drawn:
            if (change.image_id, change.version) == (image_id, version):
                present.pop(change.cell.cell_id, None)
                if change.present:
                    present[change.cell.cell_id] = change.cell
        labels = self._with_drawn(image_id, labels, present.values())
        return labels, CellTable.empty() if labels is None else CellTable.from_labels(labels)

    def _adopted(self, image_id: int, labels: NDArray[Any]) -> Labels:
        """Return a copy of labels made for an image as int32 ``(T, Z, Y, X)``; `CellsError` when they don't fit it."""
        from napari_cellstage.core.segment import adopt_labels

        stack = self.entries[image_id].stack
        if stack is None:
            raise ProjectError(self.entries[image_id].missing)
        return np.array(adopt_labels(labels, stack))

    def _volume(self, image_id: int, version: int) -> Labels | None:
        return self.project.read_segmentation(image_id, version, self.shape(image_id))

    def shape(self, image_id: int) -> tuple[int, ...]:
        """Return T, Z, Y, X of an image."""
        frames, _, *volume = self.entries[image_id].record.shape
        return (frames, *volume)

    def _with_drawn(self, image_id: int, labels: Labels | None, cells: Iterable[DrawnCell]) -> Labels | None:
        for cell in cells:
            if labels is None:
                labels = np.zeros(self.shape(image_id), dtype=np.int32)
            drawn.paint(labels, cell)
        return labels

    def _draw(self, change: DrawnChange) -> None:
        """Draw or take away one cell by hand."""
        image = self._images[change.image_id]
        before = image.cells
        if image.labels is None:
            labels: Labels = np.zeros(self.shape(change.image_id), dtype=np.int32)
        else:
            labels = image.labels.copy() if image.lent else image.labels
        cells = drawn.draw(labels, before, change.cell) if change.present else drawn.erase(labels, before, change.cell)
        image.replace(labels, cells, image.version)
        self._answers.follow(change.image_id, before, image)

    def predictions(self, image_id: int) -> Predictions | None:
        """Return the latest predictions of an image; None where there are none, or one of their classes is gone."""
        found = self._answers.of(image_id, self.image(image_id), self.project)
        return found if found and set(found.class_ids) <= set(self.scheme.ids) else None

    def set_predictions(self, image_id: int, answer: Predictions, version: int) -> bool:
        """Take the answer to a snapshot; False when its cells or classes have been replaced since."""
        fits = image_id in self.entries and set(answer.class_ids) <= set(self.scheme.ids)
        return fits and self._answers.take(image_id, self.image(image_id), answer, version, self.project)

    def snapshot(self, channels: tuple[int, ...], number: int) -> WorkSnapshot:
        """Freeze every image that has cells and whose pixels are at hand; `number` is not used again."""
        frozen, versions = [], {}
        for image_id, entry in self.entries.items():
            image = self.image(image_id)
            if len(image.cells) and image.labels is not None and entry.stack is not None:
                image.lent = True
                versions[image_id] = image.version
                ids = image.class_ids.copy()
                frozen.append(ImageSnapshot(image_id, entry.stack, image.cells, image.labels, ids))
        snapshot = WorkSnapshot(tuple(frozen), self.scheme, channels, number)
        self._answers.expect(snapshot, versions)
        return snapshot

    def remember_current(self, image_id: int) -> None:
        """Note which image is worked on; a full disk is no reason not to show it."""
        with contextlib.suppress(ProjectError):
            self.put_setting("current", image_id)

    def put_setting(self, key: str, value: Any) -> None:
        """Change a setting; in memory only when the project can't be written."""
        if self.settings.get(key) == value:
            return
        if self.has_project and not self.project.read_only:
            self.project.journal.put_setting(key, value)
        self.settings[key] = value
