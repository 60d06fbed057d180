"""A real napari window with the dock in it, and a user's mouse and keys. No test in here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

PLUGIN, WIDGET = "napari-cellstage", "Cellstage"
PATIENCE = 240_000  # ms; far more than anything takes, as the machine may be busy


class Bench:
    """A window, its dock, and what a user does in it.

    Parameters
    ----------
    viewer
        A shown napari viewer.
    qtbot
        Waits.
    """

    def __init__(self, viewer: Any, qtbot: Any) -> None:
        self.viewer, self.qtbot = viewer, qtbot
        viewer.window._qt_window.resize(1280, 800)
        self.open_dock()
        qtbot.waitExposed(viewer.window._qt_window)

    def open_dock(self) -> None:
        """Open Plugins > Cellstage."""
        _wrapper, self.dock = self.viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
        self.session = self.dock.session
        self.qtbot.wait(100)

    def close_dock(self) -> None:
        """Press the × of the dock."""
        wrapper = self.dock.parentWidget()
        self.click(wrapper.title.close_button)
        self.qtbot.wait(50)

    @property
    def native(self) -> QWidget:
        """The canvas."""
        return self.viewer.window._qt_viewer.canvas.native

    def click(self, widget: QWidget) -> None:
        """Click in the middle of a button."""
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def step(self, name: str) -> None:
        """Open a step by its tab."""
        bar = self.dock.tabs.tabBar()
        place = next(i for i in range(bar.count()) if bar.tabText(i) == name)
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(place).center())
        assert self.dock.tabs.currentIndex() == place

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key on the canvas."""
        QTest.keyClick(self.native, key, modifier)

    def place_of(self, row: int) -> QPoint:
        """Where a cell of the current image is on the canvas."""
        cells, viewer = self.session.cells(), self.viewer
        point = np.array([cells.y[row], cells.x[row]])
        scale = np.asarray(self.dock.link.layers.cells_layer.scale)[-2:]
        camera, (height, width) = viewer.scene.camera, viewer.window._qt_viewer.canvas.size
        down, right = (point * scale - camera.center[-2:]) * camera.zoom
        return QPoint(round(width / 2 + right), round(height / 2 + down))

    def click_cell(self, row: int) -> None:
        """Click a cell."""
        QTest.mouseClick(self.native, Qt.MouseButton.LeftButton, pos=self.place_of(row))

    def hover(self, row: int) -> str:
        """Move the mouse over a cell; return what the status bar says."""
        QTest.mouseMove(self.native, self.place_of(row) + QPoint(1, 1))
        QTest.mouseMove(self.native, self.place_of(row))
        self.qtbot.wait(200)
        return str(self.viewer.status)

    def wait_for_end(self) -> None:
        """Wait until nothing runs."""
        self.qtbot.waitUntil(lambda: not self.dock.runner.busy, timeout=PATIENCE)
        self.qtbot.wait(50)

    def open_files(self, *paths: Path) -> None:
        """Drop files on the dock."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(self.dock, QDragEnterEvent(QPoint(20, 20), copy, data, left, none))
        QApplication.sendEvent(self.dock, QDropEvent(QPointF(20, 20), copy, data, left, none))
        self.qtbot.waitUntil(lambda: not self.dock.data.opening.busy, timeout=PATIENCE)
        self.qtbot.wait(100)
