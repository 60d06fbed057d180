"""The tie between one napari viewer and one session: layers, mouse, keys, status bar. The dock knows only this.

Holds what belongs to the viewer and not to the project: which cell is selected, which class is armed, add mode and
overlay settings. `close` gives the viewer back as it was, but for the user's own layers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error
from psygnal import Signal

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.errors import CellStageError
from napari_cellstage.ui.chosen_link import ChosenLink
from napari_cellstage.ui.edit_tools import EditTools
from napari_cellstage.ui.keys import KeyBinder
from napari_cellstage.ui.label_scope import LabelScope
from napari_cellstage.ui.layers import CellLayers
from napari_cellstage.ui.overlay_settings import OverlaySettings
from napari_cellstage.ui.picking import Picker
from napari_cellstage.ui.selection import Selection
from napari_cellstage.ui.status import HoverStatus
from napari_cellstage.ui.track_layer import TrackLayer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_cellstage.session import Session


class ViewerLink:
    """Show a session in a viewer and turn clicks and keys into its methods.

    Parameters
    ----------
    viewer
        A `napari.Viewer`, or a `ViewerModel` where there is no window.
    session
        What is shown.
    on_error
        Called with each `CellStageError` that a click or key met; by default napari's notification.

    Attributes
    ----------
    layers
        The napari layers of the current image.
    tracks
        The layer of its tracks.
    scope
        Whether a class goes to a cell in one frame or in all.
    auto_advance
        After a class was given by key, go on to the next cell without one.
    """

    selection_changed = Signal(object)  # row of the current image, or None
    armed_changed = Signal(int)  # class id; 0: no class is armed
    mode_changed = Signal(bool)  # True: a click on the background adds a cell
    settings_changed = Signal(OverlaySettings)

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        on_error: Callable[[CellStageError], None] | None = None,
    ) -> None:
        self.viewer = viewer
        self.session = session
        self.auto_advance = False
        self._on_error = on_error or _notify
        self._armed_class = UNLABELLED
        self.layers = CellLayers(viewer, session, self._on_error)
        self.selection = Selection(session)
        self.tools = EditTools(self)
        self.tracks = TrackLayer(viewer, session, lambda: self.layers.placement)
        self.scope = LabelScope(session)
        self._picker = Picker(self)
        self._keys = KeyBinder(viewer, self.key_actions())
        self._status = HoverStatus(viewer, session, lambda: self._picker.hovered_row)
        self._picker.hovered.connect(self._status.show)
        self._closed = False
        self._connect()
        self._chosen = ChosenLink(session, self.selection, lambda row: self.layers.centre_on(row))

    # what the dock reads and sets

    @property
    def settings(self) -> OverlaySettings:
        """How the overlay is drawn."""
        return self.layers.settings

    def set_settings(self, settings: OverlaySettings) -> None:
        """Draw the overlay another way."""
        if settings != self.settings:
            self.layers.set_settings(settings)
            self.settings_changed.emit(settings)

    @property
    def selected_row(self) -> int | None:
        """Row of the selected cell in the current image's table, or None."""
        return self.selection.row

    @selected_row.setter
    def selected_row(self, row: int | None) -> None:
        self.selection.choose(*(() if row is None else (row,)))

    @property
    def hovered_row(self) -> int | None:
        """Row of the cell under the mouse, or None."""
        return self._picker.hovered_row

    @property
    def armed_class(self) -> int:
        """Class that a click gives, 0 when none is armed."""
        return self._armed_class

    @armed_class.setter
    def armed_class(self, class_id: int) -> None:
        if class_id == self._armed_class:
            return
        self._armed_class = class_id
        if class_id:
            self.tools.tool = ""
        self.armed_changed.emit(class_id)

    @property
    def add_mode(self) -> bool:
        """Whether a click on the background adds a cell."""
        return self.tools.tool == "add"

    @add_mode.setter
    def add_mode(self, on: bool) -> None:
        if on != self.add_mode:
            self.tools.toggle("add")

    def place(self, event: Any) -> tuple[float, ...] | None:
        """Return t, z, y, x under the mouse, which may lie outside the image; None where no image is shown."""
        return self._picker.coords_of(event)

    # what keys and the dock's buttons do

    def give_class(self, class_id: int) -> None:
        """Give a class (0: none) to the selected cells, or to the one under the mouse when none is selected."""
        if self.selection.rows and self._chosen.elsewhere:
            self.guard(lambda: self.session.label_refs(self.session.chosen, class_id))
            return
        rows = self.selection.rows or (() if self.hovered_row is None else (self.hovered_row,))
        if not rows:
            self.viewer.status = "Click a cell first, then press its number key."
            return
        if self.guard(lambda: self.scope.label(list(rows), class_id)) and self.auto_advance and class_id:
            self.go_to_next()

    def go_to(self, row: int) -> None:
        """Select a cell, centre the camera on it and move the sliders to its time point and plane."""
        self.selected_row = row
        self.layers.centre_on(row)

    def accept(self) -> None:
        """Make the prediction of the selected cells, or of the one under the mouse, their label."""
        rows = self.selection.rows or (() if self.hovered_row is None else (self.hovered_row,))
        if not rows:
            self.viewer.status = "Click a cell first, or press N; then Enter accepts what the model says of it."
        elif self.guard(lambda: self.session.accept_predictions(list(rows))) and self.auto_advance:
            self.go_to_next()

    def go_to_next(self) -> None:
        """Go to the next cell to label, in whichever image, or say that there is none."""
        found: list[tuple[int, int, int] | None] = []
        if not self.guard(lambda: found.append(self.session.next_cell(self.selected_row))):
            return
        if found[0] is None:
            self.viewer.status = self.session.batch.why or "Every cell has a label."
        else:
            self.guard(partial(self.session.visit, *found[0]))

    def go_to_image(self, step: int) -> None:
        """Go to the next image (1) or the one before (-1), or say that there is none."""
        went: list[bool] = []
        if self.guard(lambda: went.append(self.session.go_to_image(step))) and not went[0]:
            self.viewer.status = "This is the last image." if step > 0 else "This is the first image."

    def undo(self) -> None:
        """Take the last labelling back."""
        self.guard(self.session.undo)

    def redo(self) -> None:
        """Do again what was taken back."""
        self.guard(self.session.redo)

    def disarm(self) -> None:
        """Put the tool down and let go of the armed class; when there is neither, of the selected cells."""
        if not self.tools.tool and not self.armed_class:
            self.selected_row = None
        self.tools.tool = ""
        self.armed_class = UNLABELLED

    def press_key(self, key: str) -> bool:
        """Do what a key does on the canvas, such as ``"3"`` or ``"Ctrl+Z"``; False when it is no key of ours."""
        action = self.key_actions().get(key)
        if action is None:
            return False
        action()
        return True

    def key_actions(self) -> dict[str, Callable[[], None]]:
        """Return what each key does."""
        numbers = {str(n): lambda n=n: self._give_number(str(n)) for n in range(1, 10)}
        return (
            numbers
            | self.tools.key_actions()
            | {
                "0": lambda: self.give_class(UNLABELLED),
                "N": self.go_to_next,
                "Enter": self.accept,
                "PageDown": lambda: self.go_to_image(1),
                "PageUp": lambda: self.go_to_image(-1),
                "T": self._cycle_scope,
                "Escape": self.disarm,
                "Ctrl+Z": self.undo,
                "Ctrl+Shift+Z": self.redo,
            }
        )

    def use_layer(self, layer: Image, image_id: int) -> None:
        """Show this image by the user's own layer instead of new channel layers, with its scale and place."""
        self.layers.use_layer(layer, image_id)
        self.tracks.rebuild()

    def guard(self, change: Callable[[], object]) -> bool:
        """Run a change of the session; show a `CellStageError` and return False."""
        try:
            change()
        except CellStageError as error:
            self._on_error(error)
            return False
        return True

    def close(self) -> None:
        """Give back keys and mouse and remove the layers made here."""
        if self._closed:
            return
        self._closed = True
        self.session.current_changed.disconnect(self._on_current_changed)
        self.session.scheme_changed.disconnect(self._on_scheme_changed)
        self.session.cells_changed.disconnect(self._on_cells_changed)
        self._chosen.close()
        self.tools.drawing.hide()
        self._status.close()
        self._keys.close()
        self._picker.close()
        self.tracks.close()
        self.layers.close()

    def _connect(self) -> None:
        self.selection.changed.connect(self._on_selected)
        self.tools.changed.connect(self._on_tool)
        self.session.current_changed.connect(self._on_current_changed)
        self.session.scheme_changed.connect(self._on_scheme_changed)
        self.session.cells_changed.connect(self._on_cells_changed)

    def _on_current_changed(self) -> None:
        self._chosen.on_image()

    def _on_cells_changed(self, image_id: int) -> None:
        if image_id == self.session.current_id:
            self.selection.follow()

    def _on_selected(self, rows: tuple[int, ...]) -> None:
        self.layers.mark(*rows)
        self.selection_changed.emit(self.selection.row)

    def _on_scheme_changed(self) -> None:
        if self._armed_class and self._armed_class not in self.session.scheme.ids:
            self.armed_class = UNLABELLED

    def _give_number(self, key: str) -> None:
        one = self.session.scheme.for_key(key)
        if one is None:
            self.viewer.status = f"No class has the key {key} yet."
        else:
            self.give_class(one.id)

    def _cycle_scope(self) -> None:
        self.viewer.status = self.scope.cycle()

    def _on_tool(self, tool: str) -> None:
        self.mode_changed.emit(tool == "add")


def _notify(error: CellStageError) -> None:
    show_error(str(error))
