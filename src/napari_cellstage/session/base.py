"""What every part of the session shares: the project in memory, the current image, signals, one way to change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from psygnal import Signal

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.edits import Edit
from napari_cellstage.core.effects import NO_ROWS, Effects, Rows
from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.store import default_home
from napari_cellstage.core.workspace import Workspace

__all__ = ["NO_ROWS", "Base", "Effects", "Rows"]


class Base:
    """State and signals of a session; the parts beside this file add what can be asked and done."""

    project_changed = Signal()
    images_changed = Signal()
    current_changed = Signal()
    cells_changed = Signal(int)  # image_id
    scheme_changed = Signal()
    labels_changed = Signal(int, object)  # image_id, rows
    predictions_changed = Signal(int)  # image_id
    settings_changed = Signal()
    history_changed = Signal()
    carried = Signal(int, object)  # image_id, CarryOver: where the labels went when its cells were replaced

    def __init__(self, home: Path | None = None) -> None:
        self.home = home or default_home()
        self._space = Workspace()
        self._current: int | None = None
        self._snapshots = 0

    @property
    def scheme(self) -> ClassScheme:
        """The classes."""
        return self._space.scheme

    def disconnect_all(self) -> None:
        """Forget everyone who listens, as when the window that shows the session is closed."""
        for kind in type(self).__mro__:
            for name in (name for name, made in vars(kind).items() if isinstance(made, Signal)):
                getattr(self, name).disconnect()

    def _enter(self, space: Workspace) -> None:
        self._space.close()
        self._space = space
        self._current = space.last_current
        # The image before its classes: who shows the old one's cells must not colour them with the new one's labels.
        now = (self.project_changed, self.images_changed, self.current_changed, self.scheme_changed)
        for signal in (*now, self.settings_changed, self.history_changed):
            signal.emit()

    def _id(self, image_id: int | None) -> int:
        wanted = self._current if image_id is None else image_id
        if wanted is None or not self._space.entries:
            raise ProjectError("No image is open. Open one first.")
        if wanted not in self._space.entries:
            raise ProjectError(f"The project has no image number {wanted}. {_choice(self._space.entries)}")
        return wanted

    def _image(self, image_id: int | None) -> AnnotatedImage:
        """Return the cells of an image; none at all when none is asked for and none is current."""
        nothing_open = image_id is None and self._current is None
        return AnnotatedImage.empty() if nothing_open else self._space.image(self._id(image_id))

    def _do(self, edit: Edit, joins_last: bool = False) -> Effects:
        self._tell(effects := self._space.do(edit, joins_last))
        return effects

    def _tell(self, effects: Effects) -> None:
        if effects.edit.hidden:
            self._on_images()
        for image_id in effects.cells:
            self.cells_changed.emit(image_id)
        if effects.edit.scheme:
            self.scheme_changed.emit()
        for image_id in effects.predictions:
            self.predictions_changed.emit(image_id)
        for image_id, rows in effects.rows.items():
            self.labels_changed.emit(image_id, rows)
        self.history_changed.emit()

    def _on_images(self) -> None:
        """Tell that there are other images; work goes on with the next one when the current one has gone."""
        before, entries = self._current, self._space.entries
        if before not in entries:
            later = (image_id for image_id in entries if before is not None and image_id > before)
            self._current = next(later, max(entries, default=None))
        if self._current is not None:
            self._space.remember_current(self._current)
        self.images_changed.emit()
        if self._current != before:
            self.current_changed.emit()


def _choice(entries: Iterable[int]) -> str:
    """Say which numbers there are, in few words also when there are many."""
    numbers = sorted(entries)
    return f"Choose one of {', '.join(map(str, numbers))}." if len(numbers) < 20 else f"Choose 1 to {numbers[-1]}."
