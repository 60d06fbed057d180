"""The dock in a real window: opening it loads no torch, closing it gives everything back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractSpinBox, QApplication

from napari_cellstage.core.images import from_array
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.tracks import Tracks
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.ui import contributions, training_work
from napari_cellstage.ui.dock import CellStageDock
from napari_cellstage.ui.pieces import Folded

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:.*PyQt5.*")]


@pytest.fixture
def viewer(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import napari

    monkeypatch.setenv("NAPARI_CELLSTAGE_HOME", str(tmp_path / "projects"))
    monkeypatch.setenv("NAPARI_CELLSTAGE_CONFIG", str(tmp_path / "config"))
    made = napari.Viewer(show=True)
    yield made
    if made in napari.viewer.Viewer._instances:
        made.close()
    qtbot.wait(10)


def open_dock(viewer: Any) -> CellStageDock:
    _wrapper, dock = viewer.window.add_plugin_dock_widget("napari-cellstage", "Cellstage")
    QApplication.processEvents()
    return dock


def fill(dock: CellStageDock) -> None:
    labels = np.zeros((40, 50), np.int32)
    for number in range(6):
        labels[5:12, 8 * number + 1 : 8 * number + 7] = number + 1
    dock.session.add_image(from_array(np.arange(2000, dtype=np.uint16).reshape(40, 50), "YX", "field"))
    dock.session.set_labels(labels)
    dock.session.use_template("cell cycle")
    dock.session.label_cells([0, 1], 1)
    dock.session.label_cells([2, 3], 2)


def test_it_gives_back_keys_callbacks_and_layers_when_its_cross_is_pressed(viewer: Any, qtbot: Any) -> None:
    mine = viewer.add_image(np.zeros((9, 9)), name="mine")
    callbacks = list(viewer.mouse_drag_callbacks), list(viewer.mouse_move_callbacks), dict(viewer.keymap)
    dock = open_dock(viewer)
    fill(dock)
    assert len(viewer.layers) > 1
    dock.parentWidget().title.close_button.click()
    qtbot.wait(20)
    assert dock.session.project is None
    assert list(viewer.layers) == [mine]
    assert (list(viewer.mouse_drag_callbacks), list(viewer.mouse_move_callbacks), dict(viewer.keymap)) == callbacks


def test_hiding_it_is_not_closing(viewer: Any, qtbot: Any) -> None:
    dock = open_dock(viewer)
    fill(dock)
    dock.parentWidget().title.hide_button.click()
    qtbot.wait(20)
    assert dock.session.project is not None
    dock.parentWidget().show()
    assert len(dock.session.cells()) == 6


def test_floating_it_is_not_closing(viewer: Any, qtbot: Any) -> None:
    dock = open_dock(viewer)
    fill(dock)
    for floating in (True, False):
        dock.parentWidget().setFloating(floating)
        qtbot.wait(20)
    assert dock.session.project is not None


def test_a_window_closed_while_training_keeps_the_answer(
    viewer: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_cellstage.core.predictions import Predictions
    from napari_cellstage.learn.job import Answer

    dock = open_dock(viewer)
    fill(dock)

    def work(should_stop: Callable[[], bool]) -> Any:
        while not should_stop():
            yield BatchDone("epoch 1/1", 1, 2)
        found = Predictions(np.tile(np.array([0.9, 0.1], np.float32), (6, 1)), (1, 2), np.zeros(6, np.uint8))
        return Answer("quick", {dock.session.current_id: found}, None, run="")

    monkeypatch.setattr(training_work, "training", lambda *_args: work)
    folder = dock.session.project.folder
    dock.train.train.click()
    with qtbot.waitSignal(dock.runner.job.progressed, timeout=20000):
        pass
    assert any("training" in line for line in viewer.window._task_status_manager.get_status())
    before = len(notification_manager.records)
    viewer.close()
    qtbot.wait(20)
    assert len(notification_manager.records) == before
    assert dock.session.project is None
    dock.session.open_project(folder)
    assert dock.session.predictions().predicted.tolist() == [1] * 6
    assert dock.session.counts()[1] == 2
    dock.session.close()


def test_a_layer_open_in_napari_is_used_as_it_is(viewer: Any, qtbot: Any) -> None:
    layer = viewer.add_image(np.arange(600.0).reshape(20, 30), name="mine", scale=(2, 2))
    dock = open_dock(viewer)
    qtbot.waitUntil(lambda: dock.layers_box.layers.count() == 1, timeout=20_000)
    dock.layers_box.use.click()
    qtbot.waitUntil(lambda: dock.layers_box.isHidden(), timeout=20_000)
    assert dock.session.current.name == "mine"
    assert layer in viewer.layers
    assert [one.name for one in viewer.layers] == ["mine"]


def test_a_labels_layer_of_the_user_is_offered_and_ours_are_not(viewer: Any, qtbot: Any) -> None:
    dock = open_dock(viewer)
    fill(dock)
    qtbot.wait(20)
    assert dock.cells.layers.count() == 0
    viewer.add_labels(np.ones((40, 50), int), name="from Cellpose")
    qtbot.waitUntil(lambda: dock.cells.layers.count() == 1, timeout=20_000)


def test_a_project_folder_opened_in_napari_opens_in_the_dock(viewer: Any, qtbot: Any) -> None:
    dock = open_dock(viewer)
    fill(dock)
    folder = dock.session.project.folder
    dock.parentWidget().title.close_button.click()
    qtbot.wait(20)
    viewer.open(str(folder), plugin="napari-cellstage")
    again = contributions.find_dock(viewer)
    assert again is not None
    assert again is not dock
    assert again.session.counts()[1] == 2
    assert "Cells" in {layer.name for layer in viewer.layers}


def test_layers_of_the_project_saved_as_a_project_are_a_copy_with_all_labels(viewer: Any, tmp_path: Path) -> None:
    dock = open_dock(viewer)
    fill(dock)
    target = str(tmp_path / "copy.cellstage")
    viewer.layers.save(target, plugin="napari-cellstage")
    assert str(dock.session.project.folder) == target
    assert dock.session.counts()[2] == 2


def test_add_mode_and_armed_class_go_both_ways(viewer: Any) -> None:
    dock = open_dock(viewer)
    fill(dock)
    dock.edit.tools["add"].click()
    assert dock.link.add_mode
    dock.link.armed_class = 2
    assert not dock.edit.tools["add"].isChecked()
    assert dock.label.classes.armed_id == 2
    dock.link.disarm()
    assert dock.label.classes.armed_id == 0


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_follows_the_theme(viewer: Any, theme: str) -> None:
    viewer.theme = theme
    dock = open_dock(viewer)
    assert (dock.theme.text.lightness() > 127) == (theme == "dark")
    viewer.theme = "light" if theme == "dark" else "dark"
    assert (dock.theme.text.lightness() > 127) == (theme == "light")


LONG = "a name that is far longer than there is room for in the dock, whatever it is the name of"


def crowd(dock: CellStageDock) -> None:
    """Let every part of the steps be there, each with as much to say as it ever has."""
    session = dock.session
    fill(dock)
    labels = np.zeros((2, 1, 40, 50), np.int32)
    for number in range(6):
        labels[:, 0, 5:12, 8 * number + 1 : 8 * number + 7] = number + 1
    labels[1][labels[1] > 0] += 6
    session.add_image(from_array(np.arange(4000, dtype=np.uint16).reshape(2, 40, 50), "TYX", LONG))
    session.set_labels(labels)
    session.set_tracks(Tracks(np.tile(np.arange(1, 7), 2)))
    for number in range(10):
        session.add_class(f"{LONG} {number}")
    session.annotator = LONG
    session.label_cells([0, 1], 1)
    session.label_cells([2, 3], session.scheme.ids[-1])
    chances = np.full((12, len(session.scheme)), 1 / len(session.scheme), np.float32)
    found = Predictions(chances, session.scheme.ids, np.zeros(12, np.uint8), "run")
    session.set_predictions({session.current_id or 0: found}, session.snapshot().version)
    session.queue_mode = "class"
    dock.next.show_cell(8)
    for part in dock.findChildren(Folded):
        part.head.setChecked(True)


def test_enter_in_a_field_does_not_accept_a_prediction(viewer: Any) -> None:
    dock = open_dock(viewer)
    fill(dock)
    ids = dock.session.scheme.ids[:2]
    answer = Predictions(np.tile(np.float32([0.1, 0.9]), (6, 1)), ids, np.zeros(6, np.uint8), "run")
    dock.session.set_predictions({dock.session.current_id: answer}, dock.session.snapshot().version)
    dock.link.selected_row = 5
    dock.go_to("Cells")
    field = next(one for one in dock.cells.findChildren(QAbstractSpinBox) if one.isVisible())
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert dock.session.class_ids()[5] == 0
    dock.cells.find.setFocus()
    QTest.keyClick(dock.cells.find, Qt.Key.Key_Return)
    assert dock.session.class_ids()[5] == ids[1]  # elsewhere it does


def test_nothing_is_cut_off_in_a_small_window(viewer: Any, qtbot: Any) -> None:
    viewer.window._qt_window.resize(1280, 800)
    dock = open_dock(viewer)
    crowd(dock)
    for step in range(dock.tabs.count()):
        dock.tabs.setCurrentIndex(step)
        qtbot.wait(30)
        area = dock.tabs.currentWidget()
        assert area.widget().minimumSizeHint().width() <= _room(dock, area)
    assert dock.mapTo(viewer.window._qt_window, dock.rect().bottomRight()).y() <= 800


def _room(dock: CellStageDock, area: Any) -> int:
    """Return the width that a step has where the dock is as narrow as it gets, beside its scroll bar."""
    bar = area.verticalScrollBar()
    beside = 0 if bar.isVisible() else bar.sizeHint().width()
    return int(area.viewport().width() - beside - (dock.width() - dock.minimumWidth()))


def test_opening_the_dock_loads_no_torch() -> None:
    script = (
        "import sys, napari_cellstage.ui.dock, napari_cellstage.ui.contributions;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'xgboost')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
