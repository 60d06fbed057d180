"""Keys, mouse and status bar in a real window, by real events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_cellstage.core.predictions import Predictions
from napari_cellstage.session import Session
from napari_cellstage.ui.overlay import UNLIKE
from napari_cellstage.ui.overlay_panel import OverlayPanel
from napari_cellstage.ui.viewer_link import ViewerLink

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("ignore:.*PyQt5.*"),
]


class Window:
    """A shown napari viewer, and its canvas as the mouse sees it."""

    def __init__(self, viewer: Any, link: ViewerLink) -> None:
        self.viewer = viewer
        self.link = link
        self.canvas = viewer.window._qt_viewer.canvas
        self.native = self.canvas.native

    def point(self, y: float, x: float) -> QPoint:
        """Where a pixel of the image is on the canvas."""
        camera = self.viewer.scene.camera
        height, width = self.canvas.size
        down, right = (np.array([y, x]) - camera.center[-2:]) * camera.zoom
        return QPoint(round(width / 2 + right), round(height / 2 + down))

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.native, key, modifier)

    def click(self, y: float, x: float) -> None:
        QTest.mouseClick(self.native, Qt.MouseButton.LeftButton, pos=self.point(y, x))

    def drag(self, *places: tuple[float, float], modifier: Qt.KeyboardModifier) -> None:
        first, *rest = [self.point(*place) for place in places]
        QTest.mousePress(self.native, Qt.MouseButton.LeftButton, modifier, first)
        for place in rest:
            QTest.qWait(30)  # the canvas takes so many moves a second and no more
            _move_pressed(self.native, place, modifier)
        QTest.mouseRelease(self.native, Qt.MouseButton.LeftButton, modifier, rest[-1])


def _move_pressed(native: Any, place: QPoint, modifier: Qt.KeyboardModifier) -> None:
    """Move with the button down; `QTest.mouseMove` forgets button and modifier."""
    from qtpy.QtCore import QEvent, QPointF
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    left = Qt.MouseButton.LeftButton
    there = QPointF(native.mapToGlobal(place))
    QApplication.sendEvent(native, QMouseEvent(QEvent.Type.MouseMove, QPointF(place), there, left, left, modifier))


@pytest.fixture
def window(qtbot: Any, make_session: Callable[..., Session]) -> Iterator[Window]:
    import napari

    viewer = napari.Viewer(show=True)
    session = make_session()
    link = ViewerLink(viewer, session)
    made = Window(viewer, link)
    qtbot.waitExposed(viewer.window._qt_window)
    qtbot.wait(50)
    yield made
    link.close()
    viewer.close()


def test_keys_with_each_kind_of_active_layer(window: Window) -> None:
    viewer, link = window.viewer, window.link
    session = link.session
    window.click(4, 16)
    assert link.selected_row == 1
    for add, data in (
        (viewer.add_image, np.zeros((40, 50))),
        (viewer.add_labels, np.zeros((40, 50), dtype=int)),
        (viewer.add_points, np.zeros((1, 2))),
    ):
        layer = add(data)
        assert viewer.layers.selection.active is layer
        for number, key in enumerate((Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4)):
            window.key(key)
            assert session.class_ids()[1] == session.scheme.ids[number]
        assert layer.mode == "pan_zoom"
        window.key(Qt.Key.Key_0)
        assert session.class_ids()[1] == 0
    window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.class_ids()[1] == session.scheme.ids[3]
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    window.key(Qt.Key.Key_Z, both)
    assert session.class_ids()[1] == 0
    window.key(Qt.Key.Key_A)
    assert link.add_mode
    window.key(Qt.Key.Key_Escape)
    assert not link.add_mode
    window.key(Qt.Key.Key_N)
    assert link.selected_row == 2
    labels = viewer.layers[-2]
    link.close()
    viewer.layers.selection.active = labels
    window.key(Qt.Key.Key_2)
    assert labels.mode == "paint"


def test_shift_drag_paints_and_a_plain_drag_pans(window: Window) -> None:
    session, camera = window.link.session, window.viewer.scene.camera
    window.link.armed_class = session.scheme.ids[0]
    before = camera.center
    window.drag((5, 4), (5, 25), (5, 43), modifier=Qt.KeyboardModifier.ShiftModifier)
    assert np.flatnonzero(session.class_ids()).tolist() == [0, 1, 2, 3]
    assert camera.center == before
    window.drag((30, 4), (30, 20), (30, 43), modifier=Qt.KeyboardModifier.NoModifier)
    assert np.flatnonzero(session.class_ids()).tolist() == [0, 1, 2, 3]
    assert camera.center != before


def test_status_bar_names_the_cell_under_the_mouse(
    window: Window, qtbot: Any, predict: Callable[[Session], Predictions]
) -> None:
    predict(window.link.session)
    bar = window.viewer.window._qt_window.statusBar()

    def hovered() -> bool:
        for place in ((20, 30), (4, 4)):
            QTest.mouseMove(window.native, window.point(*place))
            qtbot.wait(20)
        return bar._status.text().startswith("cell 1: interphase 0.40")

    qtbot.waitUntil(hovered, timeout=20_000)
    qtbot.wait(100)  # napari's own text, from its thread, does not win
    assert bar._status.text().endswith("· not labelled")


def test_a_label_changes_the_pixels_on_the_screen(window: Window, qtbot: Any) -> None:
    before = window.viewer.screenshot(canvas_only=True, flash=False).astype(int)
    window.click(4, 16)
    window.key(Qt.Key.Key_2)
    window.key(Qt.Key.Key_Escape)
    after = window.viewer.screenshot(canvas_only=True, flash=False).astype(int)
    changed = np.abs(after - before).max(axis=2) > 8
    place = window.point(2.5, 17)
    assert changed.any()
    assert after[place.y(), place.x()][:3] == pytest.approx([0xE6, 0x9F, 0x00], abs=6)
    assert changed.mean() < 0.15


def test_panel_and_link_follow_each_other(
    window: Window, qtbot: Any, predict: Callable[[Session], Predictions]
) -> None:
    predict(window.link.session)
    panel = OverlayPanel(window.link)
    qtbot.addWidget(panel)
    panel.more.setChecked(True)
    panel.show()
    panel.predicted.setChecked(False)
    assert not window.viewer.layers["Predicted"].visible
    panel.unsure.setValue(70)
    assert window.link.settings.unsure_below == pytest.approx(0.7)
    assert panel.unsure_value.text() == "70%"
    panel.confidence.setCurrentText("colour map")
    panel.style_choice.setCurrentText("contour")
    assert (window.link.settings.confidence, window.link.settings.style) == ("colour map", "contour")
    window.link.set_settings(replace(window.link.settings, show_predicted=True, confidence="off"))
    assert panel.predicted.isChecked()
    assert panel.confidence.currentText() == "off"
    assert not panel.grab().isNull()


def test_the_panel_says_how_many_cells_are_unlike_the_training_cells_and_stops_striping_them(
    window: Window, qtbot: Any, predict: Callable[[Session], Predictions]
) -> None:
    session = window.link.session
    found = predict(session)
    panel = OverlayPanel(window.link)
    qtbot.addWidget(panel)
    panel.show()
    assert not panel.unlike.isVisible()

    unlike = np.zeros(len(found), dtype=np.float32)
    unlike[:2] = 2
    session.set_predictions({session.current_id or 0: replace(found, unlike=unlike)}, session.snapshot().version)
    striped = np.asarray(window.viewer.layers["Predicted"].data).copy()
    assert panel.unlike.isVisible()
    assert panel.unlike.text().startswith(f"2 of {len(found)} cells are unlike the training cells")
    assert (striped == UNLIKE).any()

    panel.flag_unlike.setChecked(False)
    assert not (np.asarray(window.viewer.layers["Predicted"].data) == UNLIKE).any()
    assert not window.link.settings.flag_unlike
    assert not panel.grab().isNull()
