"""A window with the dock on a project of its own, and pictures of it that are small enough for a page."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication, QScrollArea, QWidget

from napari_cellstage.demo import save_screenshot
from napari_cellstage.window import open_viewer

from .places import PICTURES

if TYPE_CHECKING:
    from napari import Viewer

    from napari_cellstage.session import Session
    from napari_cellstage.ui.dock import CellStageDock

SIZE = (1280, 800)
LARGEST = 240_000  # bytes; a picture above gets a palette
COLORS = (256, 144)  # of a palette, the first that makes it small enough: hardly a difference to be seen
FLAT, VIVID = 3, 40  # a third of them are vivid ones as they are: red, green and blue differ by more than this
LONGEST_S = 600
LABELS = "Ada"  # and not the user of the computer


class Shot:
    """A window on a project, and what pictures of it need.

    Parameters
    ----------
    viewer, dock
        The window.
    folder
        For files that a picture needs; gone afterwards.
    """

    def __init__(self, viewer: Viewer, dock: CellStageDock, folder: Path) -> None:
        self.viewer, self.dock, self.folder = viewer, dock, folder

    @property
    def session(self) -> Session:
        """The project that is shown."""
        return self.dock.session

    def settle(self, seconds: float = 1.5) -> None:
        """Let the window do what it has to do."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def wait(self, done: Callable[[], object]) -> None:
        """Wait until something is so, and let the window paint it."""
        end = time.monotonic() + LONGEST_S
        while not done():
            if time.monotonic() > end:
                raise TimeoutError(f"A picture waited for {LONGEST_S} s for something that didn't come.")
            self.settle(0.1)
        self.settle()

    def train_quickly(self) -> None:
        """Press Train, with the quick recipe only."""
        self.dock.go_to("Train")
        self.dock.train.plan.setCurrentText("quick only")
        self.dock.train.start()
        self.wait(lambda: not self.dock.runner.busy)
        if self.session.predictions() is None:
            raise RuntimeError("Training predicted nothing, so there is nothing to show. See what it said above.")

    def look_at(self, y: float, x: float, height: float) -> None:
        """Centre on a place of the current image and show so many of its pixels from top to bottom."""
        size = self.session.current.pixel_size_um if self.session.current else None
        _, scale_y, scale_x = size or (1.0, 1.0, 1.0)
        self.viewer.scene.camera.center = (0.0, y * scale_y, x * scale_x)
        self.viewer.scene.camera.zoom = (SIZE[1] - 56) / (height * scale_y)

    def scroll_to(self, part: QWidget) -> None:
        """Bring a part of the dock to the bottom of what is seen."""
        area = part.parent()
        while not isinstance(area, QScrollArea):
            area = area.parent()
        area.ensureWidgetVisible(part, 0, 8)

    def save(self, name: str, *, whole: bool = False) -> None:
        """Save the image and the dock, or the whole window with napari's own controls."""
        self.settle(1)
        save_screenshot(self.viewer, self.folder / name)
        self._keep(name, None if whole else self._image_and_dock())

    def _image_and_dock(self) -> tuple[int, int, int, int]:
        window = self.viewer.window._qt_window
        image = window.centralWidget().geometry()
        return image.left(), image.top(), window.width(), image.bottom()

    def save_dialog(self, dialog: QWidget, name: str) -> None:
        """Save a window of the dock's."""
        self.settle()
        dialog.grab().save(str(self.folder / name))
        self._keep(name, None)

    def _keep(self, name: str, part: tuple[int, int, int, int] | None) -> None:
        """Put a part of a picture (left, top, right, bottom) where the pages look for it, small enough for them."""
        with Image.open(self.folder / name) as opened:
            picture = opened.convert("RGB").crop(part)
        file = PICTURES / name
        picture.save(file, optimize=True)
        for count in COLORS:
            if file.stat().st_size > LARGEST:
                palette = _palette(picture, count)
                picture.quantize(palette=palette, dither=Image.Dither.NONE).save(file, optimize=True)
        print(f"{name}: {file.stat().st_size // 1000} kB")


@contextmanager
def window(project: str) -> Iterator[Shot]:
    """Open a window on a new project, and close it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CELLSTAGE_CONFIG"] = str(Path(folder) / "config")
        viewer, dock = open_viewer()
        viewer.window.resize(*SIZE)
        dock.session.new_project(Path(folder) / project)
        dock.session.annotator = LABELS
        try:
            yield Shot(viewer, dock, Path(folder))
        finally:
            viewer.close()


def _palette(picture: Image.Image, count: int) -> Image.Image:
    """Return the colours to keep: those of classes and buttons as they are, and the likeliest of all others."""
    colors, counts = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_counts=True)
    bright = np.where(np.ptp(colors.astype(int), axis=1) > VIVID, counts, 0)
    kept = np.argsort(bright)[-(count // FLAT) :]
    kept = kept[bright[kept] > 0]
    others = np.repeat(np.delete(colors, kept, axis=0), np.sqrt(np.delete(counts, kept)).astype(int), axis=0)
    likely = Image.fromarray(others[None]).quantize(count - count // FLAT, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*colors[kept].ravel().tolist(), *likely])
    return palette
