"""The Stain page in the dock: its tab, which is there for those who want it, and what it does in the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QTabWidget

from napari_cellstage.core.errors import CellStageError, ImageError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.session import Session
from napari_cellstage.ui.next_step import STAIN, STEPS
from napari_cellstage.ui.notices import show, shown
from napari_cellstage.ui.open_layers import axes_choices, image_layers, stack_from_layer
from napari_cellstage.ui.stain.split_view import SplitView
from napari_cellstage.ui.stain.step import StainStep
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Image

    from napari_cellstage.ui.predicted_layers import MapKind
    from napari_cellstage.ui.viewer_link import ViewerLink

WANTED = "stain page"  # setting of the project: somebody has asked for the page


class StainDoor(QObject):
    """Ties the page to dock and viewer.

    Signals
    -------
    cells_wanted : cells are to be found in a predicted stain.

    Parameters
    ----------
    viewer, session, runner, theme
        As for the dock.
    link
        Has the layers of the current image.
    is_shown
        Whether the project shows itself by a layer.
    """

    cells_wanted = Signal()

    def __init__(
        self,
        viewer: Viewer,
        session: Session,
        runner: JobRunner,
        theme: PanelTheme,
        link: ViewerLink,
        is_shown: Callable[[Image], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._link, self._is_shown = viewer, session, link, is_shown
        self._tabs: QTabWidget | None = None
        self._front = 0  # the channel to find cells in, when channels were put side by side
        self.split = SplitView(viewer)
        self.step = StainStep(session, runner, theme, self._layers)
        self.step.compare_wanted.connect(self._compare)
        self.step.map_wanted.connect(self._show_map)
        self.step.cells_wanted.connect(self.cells_wanted)
        for signal in (session.project_changed, session.stain_runs_changed, session.stains_changed):
            signal.connect(self._show_tab)
        # Before the layers show something else: what they looked like is given back to what they show still.
        session.current_changed.connect(self.step.end_looks, priority=1)
        session.stains_changed.connect(self._on_stains, priority=1)
        session.settings_changed.connect(self._on_settings, priority=1)

    def place(self, tabs: QTabWidget) -> None:
        """Note in which tabs the page is; it is seen where there is something of it to be seen."""
        self._tabs = tabs
        self._show_tab()

    def open(self) -> None:
        """Show the page, now and whenever this project is opened."""
        with shown():
            if self._session.project is not None and not self._session.read_only and not self._session.setting(WANTED):
                self._session.put_setting(WANTED, True)
        if self._tabs is not None:
            self._tabs.setTabVisible(STEPS.index(STAIN), True)
            self._tabs.setCurrentIndex(STEPS.index(STAIN))

    def close_link(self) -> None:
        """Give the view back, and close the window with the picture of a training."""
        self.split.close()
        self.step.close_link()

    def _show_tab(self, *_what: object) -> None:
        if self._tabs is not None:
            place = STEPS.index(STAIN)
            seen = self._tabs.currentIndex() == place
            self._tabs.setTabVisible(place, seen or self._in_use())

    def _in_use(self) -> bool:
        session = self._session
        asked = session.project is not None and bool(session.setting(WANTED))
        return asked or bool(session.stains()) or bool(session.stain_runs())  # the runs last: that reads their files

    def _layers(self) -> dict[str, Callable[[], ImageStack]]:
        """Return what makes an image of each layer that does not show the project."""
        layers = [one for one in image_layers(self._viewer) if not self._is_shown(one)]
        return {one.name: partial(_stack_of, one) for one in layers}

    def _on_stains(self, image_id: int) -> None:
        if image_id == self._session.current_id:
            self.step.end_looks()

    def _on_settings(self) -> None:
        if self.split.on and self._session.find_channel != self._front:
            self.step.end_looks()

    def _compare(self, channels: Sequence[int]) -> None:
        self.split.close()
        with self._shown_or_ended():
            if channels:
                self._put_beside(channels)

    def _put_beside(self, channels: Sequence[int]) -> None:
        layers = self._link.layers.channels
        if len(layers) != len(self._session.channel_names):
            raise ImageError("The layers of this image are not all shown, so they can't be put side by side.")
        beside = [layers[channel] for channel in channels]
        if gone := [one.name for one in beside if one not in self._viewer.layers]:
            raise ImageError(
                f"The layer '{gone[0]}' was removed, so it can't be put side by side with another. Show another image "
                "and this one again, or open the project again: that brings it back."
            )
        self._front = self._session.find_channel
        self.split.show(beside)

    def _show_map(self, name: str, kind: MapKind, on: bool) -> None:
        image_id, session = self._session.current_id, self._session
        with self._shown_or_ended():
            if image_id is not None and any(one.name == name for one in session.stains()):
                self._link.layers.predicted.show_map(session.stain_channel(image_id, name), kind, on)

    @contextmanager
    def _shown_or_ended(self) -> Iterator[None]:
        """Show an error, and let the button go that was pressed for what can't be seen."""
        try:
            yield
        except CellStageError as error:
            self.step.end_looks()
            show(error)


def _stack_of(layer: Image) -> ImageStack:
    """Return a layer as an image of one channel; what is no time point is taken for depth."""
    choices = axes_choices(layer)
    return stack_from_layer(layer, next((one for one in choices if "C" not in one), choices[0]))
