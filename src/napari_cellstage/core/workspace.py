"""The open project in memory, kept equal to the disk: every change is written first, made after.

Without a project it holds classes and settings chosen early. What each act of the user changes is in `core.acts` and
`core.hand_acts`; who is told is the business of `session`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import numpy as np

from napari_cellstage.core import acts
from napari_cellstage.core.answers import Answers
from napari_cellstage.core.carry_over import CarryOver
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.edits import Edit
from napari_cellstage.core.effects import NO_ROWS, Effects
from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.loading import Cells
from napari_cellstage.core.marks import HAND
from napari_cellstage.core.own_labels import OwnLabels
from napari_cellstage.core.painting import paint
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.core.store import Project
from napari_cellstage.core.volumes import LabelVolume

NO_CLASS = (UNLABELLED, HAND)


class Workspace(OwnLabels):
    """Images, cells, labels, classes and predictions of one open project.

    Parameters
    ----------
    project
        The project; closed with the workspace. None for none yet.
    """

    def __init__(self, project: Project | None = None) -> None:
        super().__init__(project)
        self._answers = Answers()
        self._last_replaced: Edit | None = None

    @classmethod
    def create(cls, folder: Path | str, early: Workspace) -> Self:
        """Make a project; classes and settings that were chosen while there was none go into it."""
        space = cls(Project.create(folder))
        space.who = early.who
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

    def move_to(self, project: Project) -> None:
        """Go on in a copy of the project."""
        self.close()
        self._project = project
        self.problems.pop(0, None)
        for image_id, entry in project.images().items():
            mine = self.entries if image_id in self.entries else self.hidden
            mine[image_id] = entry.opened_as(mine[image_id])
        for image_id, image in self._images.items():
            if not image.bytes_held:  # what would read its pixels reads the project that was closed
                image.let_go(self._reading(image_id, image.version))

    def take_images(self, stacks: Sequence[ImageStack]) -> tuple[ImageEntry, ...]:
        """Return the entries of images, added where they are not there; those that were taken out come back."""
        entries = super().take_images(stacks)
        self.bring_back(entry.image_id for entry in entries)
        return entries

    def bring_back(self, image_ids: Iterable[int]) -> None:
        """Show those images again that were taken out of the project."""
        if gone := [image_id for image_id in dict.fromkeys(image_ids) if image_id in self.hidden]:
            self.do(acts.show_images(gone))

    def replace_cells(
        self, image_id: int, labels: Any, continues: bool = False, found_in: str = ""
    ) -> tuple[Effects, CarryOver]:
        """Store a segmentation of an image and put it in place of the present one, labels carried over.

        With `continues` it is undone together with that of another image, when nothing was done in between. `found_in`
        is the predicted channel it was found in.
        """
        self.refuse_unseen("find cells")
        image, project = self.image(image_id), self.writable
        volume = self._adopted(image_id, labels)
        table = CellTable.from_labels(volume) if volume.cells is None else volume.cells
        version = project.journal.next_version(image_id)
        project.segmentations.forget(image_id, version)  # files of an act that was never finished
        stored = project.segmentations.write(image_id, version, volume, table)
        if found_in != self.found_in.get((image_id, version), ""):  # which an act that was never finished may have left
            project.journal.put_found_in(image_id, version, found_in)
            self.found_in[image_id, version] = found_in
        given = self.image_classes.get(image_id, NO_CLASS)
        said = self.opinions(image_id)
        edit, result = acts.replace_cells(image, image_id, stored, table, version, given, said)
        last = self.history.last
        joins = continues and last is not None and last is self._last_replaced and image_id not in last.image_ids
        effects = self.do(edit, joins, {image_id: Cells(stored, table, table)})
        self._last_replaced = self.history.last
        return effects, result

    def _adopted(self, image_id: int, labels: Any) -> LabelVolume:
        """Return labels made for an image, not shared with the caller; `CellsError` when they don't fit it."""
        from napari_cellstage.core.segment import adopt_labels

        entry = self.entries[image_id]
        if entry.stack is None:
            raise ProjectError(entry.missing)
        own = np.array(labels) if isinstance(labels, np.ndarray) else labels
        return adopt_labels(own, entry.stack, self.project.cache / f"given-{uuid4().hex}.zarr")

    def counts(self) -> dict[int, int]:
        """Return how many cells have each class of the scheme, over all images."""
        return dict.fromkeys(self.scheme.ids, 0) | {i: count for i, count in self.tally.totals.items() if count}

    def delete_class(self, class_id: int) -> Effects:
        """Remove a class and clear its labels in every image."""
        journal = self.project.journal if self.has_project else None
        images = self.tally.with_class(class_id) if journal else ()
        labelled = {i: journal.labelled(i, class_id) for i in images} if journal else {}
        return self.do(acts.delete_class(labelled, self.image_classes, self.scheme, class_id))

    def do(self, edit: Edit, joins_last: bool = False, cells: dict[int, Cells] | None = None) -> Effects:
        """Write something new, then make it; when it can't be written nothing changes.

        Parameters
        ----------
        edit
            What changes.
        joins_last
            Undone together with the edit before it.
        cells
            New segmentations by image, as they are stored, so that they need not be read back.
        """
        effects = self._make(edit, "", cells or {})
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

    def _make(self, edit: Edit, how: str, new: dict[int, Cells]) -> Effects:
        edit = self._own(edit)
        replaced = {c.image_id: self._target(edit, c.image_id, c.after, new) for c in edit.segmentations}
        for change in edit.paint:
            if change.image_id not in replaced:
                self.ready_to_paint(change.image_id)
        if self.has_project:
            batch = self.writable.journal.write(edit, how, self.who)
            edit = edit if how else replace(edit, batches=(batch,))
        effects = Effects(edit, cells=edit.images_with_other_cells, predictions=edit.images_with_other_cells)
        self._put_cells(edit, replaced)
        if edit.segmentations:
            self._forget_own_histories()
        self._put_labels(edit, effects)
        self.hide(edit.hidden)
        if edit.scheme:
            self.scheme = edit.scheme.after
            if set(edit.scheme.before.ids) ^ set(edit.scheme.after.ids):
                effects.predictions = tuple(sorted({*self._images, *effects.cells} & self.entries.keys()))
        return effects

    def _target(self, edit: Edit, image_id: int, version: int, new: dict[int, Cells]) -> Cells:
        """Return the cells that an edit puts in place, with what it paints on them."""
        self.image(image_id)
        more = tuple(c for c in edit.paint if (c.image_id, c.version) == (image_id, version))
        if image_id not in new:
            before = self.project.journal.paint(image_id, version)
            return self.loader.cells(image_id, self.shape(image_id), version, before + more)
        found = new[image_id]
        if not more or callable(found.labels) or found.labels is None:
            return found
        return Cells(found.labels, paint(found.labels, found.table, more), found.base)

    def _put_cells(self, edit: Edit, replaced: dict[int, Cells]) -> None:
        for change in edit.segmentations:
            new = replaced[change.image_id]
            self._images[change.image_id].replace(new.labels, new.table, change.after, new.base)
            self.tally.versions[change.image_id] = change.after
            self._answers.forget(change.image_id)
            self.problems.pop(change.image_id, None)
        for image_id in {c.image_id for c in edit.paint} - replaced.keys():
            image = self._images[image_id]
            before = image.cells
            image.paint(tuple(c for c in edit.paint if c.image_id == image_id))
            self._answers.follow(image_id, before, image)
        for image_id in edit.images_with_other_cells:
            self.note_cells(image_id)

    def _put_labels(self, edit: Edit, effects: Effects) -> None:
        for change in edit.labels:
            if change.who != self.only:  # what a person said went with the cells; nobody shows it now
                continue
            image = self.known(change.image_id)
            rows = image.apply(change) if image else NO_ROWS
            self.tally.count(change)
            if change.image_id in self.entries:  # nobody shows the labels of an image that was taken out
                effects.rows[change.image_id] = np.union1d(effects.rows.get(change.image_id, rows), rows)
        for one in edit.image_classes:
            self.image_classes[one.image_id] = one.after
            if not one.after[0]:
                del self.image_classes[one.image_id]

    def predictions(self, image_id: int) -> Predictions | None:
        """Return the latest predictions of an image.

        None where there are none, where one of their classes is gone, and while only one person's labels are shown.
        """
        if self.only:
            return None
        found = self._answers.of(image_id, self.image(image_id), self.project)
        return found if found and set(found.class_ids) <= set(self.scheme.ids) else None

    def set_predictions(self, answers: dict[int, Predictions], number: int) -> tuple[int, ...]:
        """Take the answers to a snapshot; return the images whose cells and classes are still those of it."""
        kept = []
        for image_id, answer in answers.items():
            fits = image_id in self.entries and set(answer.class_ids) <= set(self.scheme.ids)
            version = self.tally.versions.get(image_id, 0)
            known = self.known(image_id)
            if fits and self._answers.take(image_id, version, known, answer, number, self.project):
                kept.append(image_id)
        versions = {image_id: self.tally.versions.get(image_id, 0) for image_id in kept}
        self.tally.predicted |= versions
        if kept and not self.project.read_only:
            self.project.journal.put_predicted(versions)
        return tuple(kept)

    def snapshot(self, channels: tuple[int, ...], number: int) -> WorkSnapshot:
        """Freeze every image that has cells and whose pixels are at hand; `number` is not used again."""
        images, versions, stored = self.frozen()
        self._answers.expect(number, versions, stored.table)
        return WorkSnapshot(images, self.scheme, channels, number, stored.moment[0])
