"""The session: the one place where state lives. Scripts, the command line and the dock all work through it.

Every change goes through a method, on the main thread, and is on the disk when the method returns; then signals tell
whoever shows it. Knows neither Qt nor napari nor torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from napari_cellstage.core import acts, choices
from napari_cellstage.core.annotations import AnnotatedImage, Edit
from napari_cellstage.core.carry_over import CarryOver
from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.predictions import Predictions, annotation_frame
from napari_cellstage.core.reading_order import next_in_order
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.core.store import Project, default_home, find_project, free_folder
from napari_cellstage.core.workspace import Effects, Workspace

if TYPE_CHECKING:
    import pandas as pd

Rows = NDArray[np.int64]
NO_ROWS: Rows = np.zeros(0, dtype=np.int64)


class Session:
    """Images, cells, classes, labels and predictions of one viewer.

    Where a method takes `image_id`, None means the current image. Projects without a chosen place go to `home`, which
    is `core.store.default_home` when None.
    """

    project_changed = Signal()
    images_changed = Signal()
    current_changed = Signal()
    cells_changed = Signal(int)  # image_id
    scheme_changed = Signal()
    labels_changed = Signal(int, object)  # image_id, rows
    predictions_changed = Signal(int)  # image_id
    settings_changed = Signal()
    history_changed = Signal()

    find_channel = choices.find_channel()
    network_channels = choices.network_channels()
    segment_settings = choices.segment_settings()

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()
        self._space = Workspace()
        self._current: int | None = None
        self._snapshots = 0

    # Project

    @property
    def project(self) -> Project | None:
        """The open project, None when there is none."""
        return self._space.project if self._space.has_project else None

    @property
    def read_only(self) -> bool:
        """True when nothing can be changed; `problems` says why."""
        return self.project is not None and self.project.read_only

    @property
    def problems(self) -> tuple[str, ...]:
        """What the user should know about the open project, each as a sentence; empty when all is well."""
        missing = (entry.missing for entry in self.images)
        return tuple(text for text in (*self._space.problems.values(), *missing) if text)

    def open_project(self, folder: Path | str) -> None:
        """Open a project, or try again to write to it; the one that was open stays so when that fails."""
        folder = Path(folder).expanduser().absolute()
        if not self.project or self.project.folder != folder or self.read_only:
            self._enter(Workspace(Project(folder)))

    def new_project(self, folder: Path | str) -> None:
        """Make an empty project and open it; classes and settings chosen while none was open go into it."""
        self._enter(Workspace.create(folder, self._space))

    def save_project_as(self, folder: Path | str) -> None:
        """Copy the project to another folder and go on there; undo goes on working."""
        self._space.move_to(self._space.project.copy_to(folder))
        self.project_changed.emit()
        self.images_changed.emit()

    def close(self) -> None:
        """Close the project; everything is on the disk already."""
        if self._space.has_project:
            self._enter(Workspace())

    def _enter(self, space: Workspace) -> None:
        self._space.close()
        self._space = space
        self._current = space.last_current
        now = (self.project_changed, self.images_changed, self.scheme_changed, self.settings_changed)
        for signal in (*now, self.history_changed, self.current_changed):
            signal.emit()

    def _id(self, image_id: int | None) -> int:
        wanted = self._current if image_id is None else image_id
        if wanted is None or not self._space.entries:
            raise ProjectError("No image is open. Open one first.")
        if wanted not in self._space.entries:
            raise ProjectError(f"The project has no image number {wanted}. Choose one of {list(self._space.entries)}.")
        return wanted

    def _image(self, image_id: int | None) -> AnnotatedImage:
        """Return the cells of an image; none at all when none is asked for and none is current."""
        nothing_open = image_id is None and self._current is None
        return AnnotatedImage.empty() if nothing_open else self._space.image(self._id(image_id))

    # Images

    @property
    def images(self) -> tuple[ImageEntry, ...]:
        """The images, in the order they were added."""
        return tuple(self._space.entries.values())

    @property
    def current_id(self) -> int | None:
        """Number of the image that is worked on."""
        return self._current

    @property
    def current(self) -> ImageStack | None:
        """The image that is worked on; None when there is none or its file is missing."""
        return None if self._current is None else self._space.entries[self._current].stack

    def add_image(self, stack: ImageStack) -> int:
        """Add an image, or find it again, make it current and return its number.

        With no project open this opens the one in `home` that holds the image, or makes one named after it.
        """
        if not self._space.has_project:
            if known := find_project(self.home, stack):
                self.open_project(known)
            else:
                self.new_project(free_folder(self.home, stack.name))
        entry = self._space.take_image(stack)
        self.images_changed.emit()
        self.set_current(entry.image_id)
        return entry.image_id

    def relocate(self, image_id: int, path: Path | str) -> None:
        """Say where the file of an image is now; `ImageError` when that is another image."""
        self._space.relocate(self._id(image_id), Path(path).expanduser().absolute())
        self.images_changed.emit()
        self.current_changed.emit()

    def set_current(self, image_id: int) -> None:
        """Work on another image."""
        self._current = self._id(image_id)
        self._space.remember_current(image_id)
        self.current_changed.emit()

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Channels of the current image; known even when its file is missing."""
        return () if self._current is None else self._space.entries[self._current].record.channel_names

    def setting(self, key: str) -> Any:
        """Return a setting of the project, None when it was never set."""
        return self._space.settings.get(key)

    def put_setting(self, key: str, value: Any) -> None:
        """Store a setting, plain JSON, with the project."""
        self._space.put_setting(key, value)
        self.settings_changed.emit()

    # Cells

    def labels(self, image_id: int | None = None) -> Labels | None:
        """Return the segmentation ``(T, Z, Y, X)``, None when there is none; not to be written to."""
        return self._image(image_id).labels

    def cells(self, image_id: int | None = None) -> CellTable:
        """Return the table of cells; empty when there are none."""
        return self._image(image_id).cells

    def set_labels(self, labels: ArrayLike, image_id: int | None = None) -> CarryOver:
        """Put a segmentation in place; labels and hand-drawn cells go with the cells they lie on.

        They are integers, 0 is background, ``(T, Z, Y, X)`` or without axes of length 1, and are copied. Returned is
        which labels kept their cell's name, moved to another, or lost their cell; undo brings all back.
        """
        effects, result = self._space.replace_cells(self._id(image_id), np.asarray(labels))
        self._tell(effects)
        return result

    def cell_at(self, t: float, z: float, y: float, x: float) -> int | None:
        """Return the row of the cell at a place in the current image, None for background and outside."""
        return self._image(None).row_at(t, z, y, x)

    def add_cell(self, t: int, z: float, y: float, x: float) -> int:
        """Draw a cell of the typical size in the current image where there is none; return its row."""
        wanted = self._id(None)
        self._do(acts.add_cell(self._space.image(wanted), wanted, (t, z, y, x), self._space.shape(wanted)))
        return len(self.cells(wanted)) - 1

    # Classes

    @property
    def scheme(self) -> ClassScheme:
        """The classes."""
        return self._space.scheme

    def add_class(self, name: str, color: str | None = None) -> int:
        """Add a class at the end; return its id."""
        self._change_scheme(f"add class {name}", self.scheme.add(name, color))
        return self.scheme.ids[-1]

    def rename_class(self, class_id: int, name: str) -> None:
        """Rename a class; its labels stay."""
        self._change_scheme(f"rename class to {name}", self.scheme.rename(class_id, name))

    def recolor_class(self, class_id: int, color: str) -> None:
        """Give a class another colour, ``"#rrggbb"``."""
        self._change_scheme("recolour class", self.scheme.recolor(class_id, color))

    def move_class(self, class_id: int, place: int) -> None:
        """Move a class to a place in the list, from 0."""
        self._change_scheme("move class", self.scheme.move(class_id, place))

    def labels_with(self, class_id: int) -> int:
        """Return how many cells have a class: what deleting it would clear."""
        return self.counts().get(class_id, 0)

    def delete_class(self, class_id: int) -> None:
        """Remove a class and clear its labels; one undo brings both back."""
        self._do(acts.delete_class(self._space.all_images(), self.scheme, class_id))

    def use_template(self, name: str) -> None:
        """Put a template's classes in place of ones that no cell has; `ClassSchemeError` when one has."""
        self._do(acts.use_template(self.scheme, name, sum(self.counts().values())))

    def _change_scheme(self, text: str, scheme: ClassScheme) -> None:
        if scheme != self.scheme:
            self._do(acts.change_scheme(text, self.scheme, scheme))

    # Labels

    def class_ids(self, image_id: int | None = None) -> Rows:
        """Return the class id of each row, 0 for not labelled; a live view that can't be written to."""
        return self._image(image_id).shown_ids

    def counts(self) -> dict[int, int]:
        """Return how many cells have each class, over all images."""
        return self._space.counts()

    def label_cells(self, rows: ArrayLike, class_id: int, image_id: int | None = None, continues: bool = False) -> Rows:
        """Give cells a class, 0 to clear; return the rows whose class changed.

        With `continues` it is part of the same stroke as the call before, and undone together with it.
        """
        wanted = self._id(image_id)
        if class_id != UNLABELLED:
            self.scheme.by_id(class_id)
        edit = acts.label_cells(self._space.image(wanted), wanted, np.asarray(rows), class_id)
        return self._do(edit, continues).rows[wanted] if edit else NO_ROWS

    def next_unlabelled(self, after: int | None = None) -> int | None:
        """Return the next row of the current image without a label, in reading order, starting over at the end."""
        return next_in_order(self.cells(), self.class_ids() == UNLABELLED, after)

    @property
    def can_undo(self) -> bool:
        """True when there is something to undo."""
        return self._space.history.last is not None

    @property
    def can_redo(self) -> bool:
        """True when there is something to do again."""
        return self._space.history.next is not None

    def undo(self) -> Rows:
        """Take the last edit back; return the rows of the image it was in, then current, whose label changed."""
        return self._shown(self._space.undo())

    def redo(self) -> Rows:
        """Do the last undone edit again; return the rows of its image, then current, whose label changed."""
        return self._shown(self._space.redo())

    def _shown(self, effects: Effects | None) -> Rows:
        if effects is None:
            return NO_ROWS
        touched = effects.edit.image_ids
        if touched and self._current not in touched:
            self.set_current(touched[0])  # so that the user sees what happens
        self._tell(effects)
        return effects.rows.get(self._current or 0, NO_ROWS)

    def _do(self, edit: Edit, joins_last: bool = False) -> Effects:
        self._tell(effects := self._space.do(edit, joins_last))
        return effects

    def _tell(self, effects: Effects) -> None:
        for image_id in effects.cells:
            self.cells_changed.emit(image_id)
        if effects.edit.scheme:
            self.scheme_changed.emit()
        for image_id in effects.predictions:
            self.predictions_changed.emit(image_id)
        for image_id, rows in effects.rows.items():
            self.labels_changed.emit(image_id, rows)
        self.history_changed.emit()

    # Work and its answers

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need."""
        self._snapshots += 1
        return self._space.snapshot(self.network_channels, self._snapshots)

    def set_predictions(self, answers: dict[int, Predictions], version: int) -> bool:
        """Take the answers to the snapshot of a version.

        An image whose cells or classes have been replaced since drops its answer; then this returns False.
        """
        kept = [i for i, answer in answers.items() if self._space.set_predictions(i, answer, version)]
        for image_id in kept:
            self.predictions_changed.emit(image_id)
        return len(kept) == len(answers)

    def predictions(self, image_id: int | None = None) -> Predictions | None:
        """Return the latest predictions, None when there are none."""
        nothing_open = image_id is None and self._current is None
        return None if nothing_open else self._space.predictions(self._id(image_id))

    def table(self, image_id: int | None = None) -> pd.DataFrame:
        """Return the table that ``predictions.csv`` holds; without predictions, the columns up to label."""
        name = self._space.entries[self._id(image_id)].name
        found, cells, ids = self.predictions(image_id), self.cells(image_id), self.class_ids(image_id)
        to_frame = found.to_frame if found else annotation_frame
        return to_frame(name, cells, ids, self.scheme)
