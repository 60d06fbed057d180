"""napari with the dock open, for the commands that need a window."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellstage.core.store import Project
from napari_cellstage.screen import ScreenError, has_screen

if TYPE_CHECKING:
    from napari import Viewer

    from napari_cellstage.ui.dock import CellStageDock


def open_viewer(*, show: bool = True) -> tuple[Viewer, CellStageDock]:
    """Open a viewer with the dock.

    Raises
    ------
    ScreenError
        If there is no Qt binding.
    """
    import napari

    from napari_cellstage.ui.contributions import open_dock

    warnings.filterwarnings("ignore", "System theme detection")  # of napari on PyQt5; nothing a user can do about
    try:
        viewer = napari.Viewer(title="napari-cellstage", show=show)
    except ImportError as error:
        raise ScreenError(
            f"napari can't open a window: {error}. Install a Qt binding: pip install 'napari-cellstage[pyqt5]'"
        ) from error
    dock = open_dock(viewer)
    if dock is None:
        raise ScreenError("napari opened no window, so the dock can't be shown. Start it on a screen.")
    return viewer, dock


def open_project(folder: Path) -> None:
    """Open a project in napari, and return when the window is closed.

    Raises
    ------
    CellStageError
        If there is no such project, or no screen.
    """
    Project(folder).close()  # a window takes seconds to open; what is wrong with the project is said before
    if not has_screen():
        raise ScreenError(f"There is no screen to show '{folder}' on. Run this on a computer with one.")
    import napari

    _, dock = open_viewer()
    dock.open_paths([folder])
    napari.run()
