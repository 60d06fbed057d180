"""The session: the one place where state lives. Scripts, the command line and the dock all work through it.

Every change goes through a method, on the main thread, and is on the disk when the method returns; then signals tell
whoever shows it. Knows neither Qt nor napari nor torch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from platformdirs import user_documents_path
from psygnal import Signal

from napari_cellstage.core import acts
from napari_cellstage.core.annotations import AnnotatedImage, Edit, History
from napari_cellstage.core.carry_over import CarryOver
from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.errors import ProjectError, ReadOnlyError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.predictions import Predictions, annotation_frame
from napari_cellstage.core.reading_order import next_in_order
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.core.store import Project, find_project, free_folder
from napari_cellstage.core.workspace import Effects, Workspace

if TYPE_CHECKING:
    import pandas as pd

    from napari_cellstage.core.segment import SegmentSettings

Rows = NDArray[np.int64]
HOME_VARIABLE = "NAPARI_CELLSTAGE_HOME"
# Names under which the channel that shows nuclei goes.
_NUCLEAR = ("dapi", "hoechst", "h2b", "dna", "nucle", "draq", "sytox")


def default_home() -> Path:
    """Return where projects without a chosen place go: ``NAPARI_CELLSTAGE_HOME``, or Cellstage in the documents."""
    return Path(os.environ.get(HOME_VARIABLE) or user_documents_path() / "Cellstage").expanduser()


def nuclear_channel(names: Sequence[str]) -> int:
    """Return the place of the first channel named after a stain of nuclei, 0 when none is."""
    return next((i for i, name in enumerate(names) if any(n in name.lower() for n in _NUCLEAR)), 0)


class Session:
    """Images, cells, classes, labels and predictions of one viewer.

    Where a method takes `image_id`, None means the current image.

    Parameters
    ----------
    home
        Where projects without a chosen place go; `default_home` when None.
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

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()
        self._space: Workspace | None = None
        self._history = History()
        self._current: int | None = None
        self._loose_scheme = ClassScheme()  # chosen before there is a project

    # Project

    @property
    def project(self) -> Project | None:
        """The open project, None when there is none."""
        return self._space.project if self._space else None

    @property
    def read_only(self) -> bool:
        """True when nothing can be changed."""
        return bool(self.read_only_reason)

    @property
    def read_only_reason(self) -> str:
        """Why nothing can be changed, as a sentence; empty when it can."""
        project = self.project
        return f"'{project.name}' is open read-only: {project.reason}" if project and project.read_only else ""

    @property
    def problems(self) -> tuple[str, ...]:
        """What the user should know about the open project, each as a sentence; empty when all is well."""
        if not self._space:
            return ()
        found = (self.read_only_reason, *self._space.problems.values(), *(e.missing for e in self.images))
        return tuple(text for text in found if text)

    def open_project(self, folder: Path | str) -> None:
        """Open a project; the one that was open stays so when that fails, with `ProjectError`."""
        folder = Path(folder).expanduser().absolute()
        if self.project and self.project.folder == folder:
            return
        self._enter(Workspace(Project(folder)))

    def new_project(self, folder: Path | str) -> None:
        """Make an empty project and open it; classes that were chosen before there was a project go into it."""
        scheme = self._loose_scheme
        self._enter(Workspace(Project.create(folder)))
        if len(scheme):
            self._do(acts.change_scheme("choose classes", ClassScheme(), scheme))
            self._history = History()
            self.history_changed.emit()

    def save_project_as(self, folder: Path | str) -> None:
        """Copy the project to another folder and go on there; undo goes on working."""
        space = self._need()
        copy = space.project.copy_to(folder)
        space.project.close()
        space.move_to(copy)
        self.project_changed.emit()
        self.images_changed.emit()

    def close(self) -> None:
        """Close the project; everything is on the disk already."""
        if self._space:
            self._leave()
            self._tell_all()

    def _enter(self, space: Workspace) -> None:
        self._leave()
        self._space = space
        wanted = space.settings.get("current")
        self._current = wanted if wanted in space.entries else next(iter(space.entries), None)
        self._tell_all()

    def _leave(self) -> None:
        if self._space:
            self._space.project.close()
        self._space, self._current, self._history = None, None, History()
        self._loose_scheme = ClassScheme()

    def _tell_all(self) -> None:
        for signal in (self.project_changed, self.images_changed, self.scheme_changed, self.settings_changed):
            signal.emit()
        self.history_changed.emit()
        self.current_changed.emit()

    def _need(self) -> Workspace:
        if not self._space:
            raise ProjectError("No project is open. Open an image or a project first.")
        return self._space

    def _writable(self) -> Workspace:
        space = self._need()
        if self.read_only:
            raise ReadOnlyError(self.read_only_reason)
        return space

    def _id(self, image_id: int | None) -> int:
        wanted = self._current if image_id is None else image_id
        if wanted is None:
            raise ProjectError("No image is open. Open one first.")
        if wanted not in self._need().entries:
            raise ProjectError(f"The project has no image number {wanted}. Choose one of {list(self._need().entries)}.")
        return wanted

    def _image(self, image_id: int | None) -> AnnotatedImage:
        return self._need().image(self._id(image_id))

    # Images

    @property
    def images(self) -> tuple[ImageEntry, ...]:
        """The images, in the order they were added."""
        return tuple(self._space.entries.values()) if self._space else ()

    @property
    def current_id(self) -> int | None:
        """Number of the image that is worked on."""
        return self._current

    @property
    def current(self) -> ImageStack | None:
        """The image that is worked on; None when there is none or its file is missing."""
        return self._need().entries[self._current].stack if self._current is not None else None

    def add_image(self, stack: ImageStack) -> int:
        """Add an image, or find it again, and make it current.

        With no project open this opens the one in `home` that holds the image, or makes one named after it.

        Returns
        -------
        int
            Its number in the project.
        """
        if not self._space:
            known = find_project(self.home, stack)
            if known:
                self.open_project(known)
            else:
                self.new_project(free_folder(self.home, stack.name))
        space = self._need()
        entry = next((e for e in self.images if e.record.is_image(stack)), None)
        if entry is None:
            entry = self._writable().project.add_image(stack)
        elif entry.missing and not self.read_only and stack.path is not None:
            entry = space.project.relocate(entry, stack.path)
        space.entries[entry.image_id] = entry
        self.images_changed.emit()
        self.set_current(entry.image_id)
        return entry.image_id

    def relocate(self, image_id: int, path: Path | str) -> None:
        """Say where the file of an image is now; `ImageError` when that is another image."""
        space = self._writable()
        entry = space.entries[self._id(image_id)]
        space.entries[image_id] = space.project.relocate(entry, Path(path).expanduser().absolute())
        self.images_changed.emit()
        if image_id == self._current:
            self.current_changed.emit()

    def set_current(self, image_id: int) -> None:
        """Work on another image."""
        if self._id(image_id) != self._current or image_id != self._need().settings.get("current"):
            self._need().put_setting("current", image_id)
        self._current = image_id
        self.current_changed.emit()

    # Settings

    @property
    def find_channel(self) -> int:
        """Channel in which cells are found; by default the first one named after a stain of nuclei."""
        names = self._channel_names()
        chosen = self._setting("find_channel")
        if isinstance(chosen, int) and 0 <= chosen < max(1, len(names)):
            return chosen
        return nuclear_channel(names)

    @find_channel.setter
    def find_channel(self, channel: int) -> None:
        self._set("find_channel", int(channel))

    @property
    def network_channels(self) -> tuple[int, ...]:
        """Channels that the network sees; all of them until chosen."""
        count = len(self._channel_names())
        chosen = tuple(c for c in self._setting("network_channels") or () if 0 <= c < count)
        return chosen or tuple(range(count))

    @network_channels.setter
    def network_channels(self, channels: Sequence[int]) -> None:
        self._set("network_channels", sorted({int(c) for c in channels}))

    @property
    def segment_settings(self) -> SegmentSettings:
        """How cells are found."""
        from napari_cellstage.core.segment import SegmentSettings  # scikit-image, slow to load

        stored = self._setting("segment") or {}
        known = {f.name for f in fields(SegmentSettings)}
        return SegmentSettings(**{key: value for key, value in stored.items() if key in known})

    @segment_settings.setter
    def segment_settings(self, settings: SegmentSettings) -> None:
        self._set("segment", asdict(settings))

    def _channel_names(self) -> tuple[str, ...]:
        return self._space.entries[self._current].record.channel_names if self._space and self._current else ()

    def _setting(self, key: str) -> Any:
        return self._space.settings.get(key) if self._space else None

    def _set(self, key: str, value: Any) -> None:
        self._need().put_setting(key, value)
        self.settings_changed.emit()

    # Cells

    def labels(self, image_id: int | None = None) -> Labels | None:
        """Return the segmentation ``(T, Z, Y, X)``, None when there is none; not to be written to."""
        return self._image(image_id).labels if self._has(image_id) else None

    def cells(self, image_id: int | None = None) -> CellTable:
        """Return the table of cells; empty when there are none."""
        return self._image(image_id).cells if self._has(image_id) else CellTable.empty()

    def set_labels(self, labels: ArrayLike, image_id: int | None = None) -> CarryOver:
        """Put a segmentation in place; labels and hand-drawn cells go with the cells they lie on.

        Parameters
        ----------
        labels
            Integers, 0 is background: ``(T, Z, Y, X)``, or without axes of length 1. Copied.

        Returns
        -------
        CarryOver
            Which labels kept their cell's name, moved to another, or lost their cell; undo brings all back.
        """
        space, wanted = self._writable(), self._id(image_id)
        volume = space.adopted(wanted, np.asarray(labels))
        version = space.project.write_segmentation(wanted, volume)
        image = space.image(wanted)
        drawn = space.project.journal.drawn(wanted, image.version)
        edit, result = acts.replace_cells(image, wanted, volume, version, drawn)
        self._do(edit, volumes={wanted: volume})
        return result

    def cell_at(self, t: float, z: float, y: float, x: float) -> int | None:
        """Return the row of the cell at a place in the current image, None for background and outside."""
        if self._current is None:
            return None
        return self._image(None).row_at(round(t), round(z), round(y), round(x))

    def add_cell(self, t: int, z: float, y: float, x: float) -> int:
        """Draw a cell of the typical size where there is none; return its row."""
        self._writable()
        wanted = self._id(None)
        self._do(acts.add_cell(self._image(wanted), wanted, (t, z, y, x)))
        return len(self.cells(wanted)) - 1

    # Classes

    @property
    def scheme(self) -> ClassScheme:
        """The classes."""
        return self._space.scheme if self._space else self._loose_scheme

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
        images = {e.image_id: self._image(e.image_id) for e in self.images}
        self._do(acts.delete_class(images, self.scheme, class_id))

    def use_template(self, name: str) -> None:
        """Put a template's classes in place of ones that no cell has; `ClassSchemeError` when one has."""
        self._do(acts.use_template(self.scheme, name, sum(self.counts().values())))

    def _change_scheme(self, text: str, scheme: ClassScheme) -> None:
        if scheme != self.scheme:
            self._do(acts.change_scheme(text, self.scheme, scheme))

    # Labels

    def class_ids(self, image_id: int | None = None) -> Rows:
        """Return the class id of each row, 0 for not labelled; a live view, not to be written to."""
        if not self._has(image_id):
            return np.zeros(0, dtype=np.int64)
        view = self._image(image_id).class_ids.view()
        view.flags.writeable = False
        return view

    def counts(self) -> dict[int, int]:
        """Return how many cells have each class, over all images."""
        return self._space.counts() if self._space else dict.fromkeys(self.scheme.ids, 0)

    def label_cells(
        self, rows: ArrayLike, class_id: int, image_id: int | None = None, *, continues: bool = False
    ) -> Rows:
        """Give cells a class, 0 to clear.

        Parameters
        ----------
        rows
            Rows of the table.
        continues
            Part of the same stroke as the last call: undone together with it.

        Returns
        -------
        ndarray
            Rows whose class changed.
        """
        self._writable()
        wanted = self._id(image_id)
        if class_id != UNLABELLED:
            self.scheme.by_id(class_id)
        edit = acts.label_cells(self._image(wanted), wanted, np.unique(np.asarray(rows, dtype=np.int64)), class_id)
        return self._do(edit, joins_last=continues).rows[wanted] if edit else np.zeros(0, dtype=np.int64)

    def next_unlabelled(self, after: int | None = None) -> int | None:
        """Return the next row of the current image without a label, in reading order, starting over at the end."""
        return next_in_order(self.cells(), self.class_ids() == UNLABELLED, after)

    @property
    def can_undo(self) -> bool:
        """True when there is something to undo."""
        return self._history.last is not None

    @property
    def can_redo(self) -> bool:
        """True when there is something to do again."""
        return self._history.next is not None

    def undo(self) -> Rows:
        """Take the last edit back; return the rows of the then current image whose label changed."""
        return self._step(self._history.last, "undo")

    def redo(self) -> Rows:
        """Do the last undone edit again; return the rows of the then current image whose label changed."""
        return self._step(self._history.next, "redo")

    def _step(self, edit: Edit | None, how: str) -> Rows:
        if edit is None:
            return np.zeros(0, dtype=np.int64)
        effects = self._made(edit.inverse() if how == "undo" else edit, how)
        if how == "undo":
            self._history.step_back()
        else:
            self._history.step_forward()
        if edit.image_ids and self._current not in edit.image_ids:
            self.set_current(edit.image_ids[0])  # show what is undone
        self._tell(effects)
        return effects.rows.get(self._current or 0, np.zeros(0, dtype=np.int64))

    def _do(self, edit: Edit, joins_last: bool = False, volumes: dict[int, Labels] | None = None) -> Effects:
        effects = self._made(edit, volumes=volumes)
        self._history.push(effects.edit, joins_last)
        self._tell(effects)
        return effects

    def _made(self, edit: Edit, how: str = "", volumes: dict[int, Labels] | None = None) -> Effects:
        if self._space:
            return self._writable().make(edit, how, volumes)
        self._loose_scheme = edit.scheme.after if edit.scheme else self._loose_scheme
        return Effects(edit)

    def _tell(self, effects: Effects) -> None:
        for image_id in sorted(effects.cells):
            self.cells_changed.emit(image_id)
            self.predictions_changed.emit(image_id)
        for image_id, rows in effects.rows.items():
            self.labels_changed.emit(image_id, rows)
        if effects.edit.scheme:
            self.scheme_changed.emit()
        self.history_changed.emit()

    # Work and its answers

    def snapshot(self) -> WorkSnapshot:
        """Freeze what training and prediction need."""
        return self._need().snapshot(self.network_channels)

    def set_predictions(self, answers: dict[int, Predictions], version: int) -> bool:
        """Take the answer to the snapshot of a version.

        Returns
        -------
        bool
            False when cells or classes of an image have been replaced since; that image's answer is dropped.
        """
        space = self._space
        kept = {i: space is not None and space.set_predictions(i, answer, version) for i, answer in answers.items()}
        for image_id in (i for i, taken in kept.items() if taken):
            self.predictions_changed.emit(image_id)
        return all(kept.values())

    def predictions(self, image_id: int | None = None) -> Predictions | None:
        """Return the latest predictions, None when there are none."""
        return self._need().predictions(self._id(image_id)) if self._has(image_id) else None

    def table(self, image_id: int | None = None) -> pd.DataFrame:
        """Return the table that ``predictions.csv`` holds; without predictions, the columns up to label."""
        name = self._need().entries[self._id(image_id)].name
        found, cells, ids = self.predictions(image_id), self.cells(image_id), self.class_ids(image_id)
        if found is None:
            return annotation_frame(name, cells, ids, self.scheme)
        return found.to_frame(name, cells, ids, self.scheme)

    def _has(self, image_id: int | None) -> bool:
        return image_id is not None or self._current is not None
