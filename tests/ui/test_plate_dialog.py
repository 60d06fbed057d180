"""The window of plates, by mouse and keys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMessageBox

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import open_image
from napari_cellstage.session import Session
from napari_cellstage.ui.plate_dialog import PlateLine
from napari_cellstage.ui.plate_grid import PlateGrid, WellLook
from napari_cellstage.ui.theme import PanelTheme

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
NAMES = ("run_A01_f1", "run_A02_f1", "run_B01_f1", "run_B02_f1", "overview")


@pytest.fixture
def session(tmp_path: Path):
    """Four images in wells and one in none."""
    made = Session(tmp_path / "home")
    (tmp_path / "p 1").mkdir()
    stacks = []
    for number, name in enumerate(NAMES):
        path = tmp_path / "p 1" / f"{name}.tif"
        tifffile.imwrite(path, np.random.default_rng(number).integers(0, 255, (16, 16)).astype(np.uint8))
        stacks.append(open_image(path))
    made.add_images(stacks)
    yield made
    made.close()


@pytest.fixture
def line(qtbot, session) -> PlateLine:
    made = PlateLine(session, PanelTheme(ViewerModel()))
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def window(qtbot, line):
    """The open window."""
    QTest.mouseClick(line.open, LEFT)
    qtbot.addWidget(line.dialog)
    qtbot.waitExposed(line.dialog)
    return line.dialog


def press(button) -> None:
    QTest.mouseClick(button, LEFT)


def cell(part, row: int, column: int) -> str:
    return part.model.index(row, column).data()


def test_a_pattern_is_guessed_and_shown_for_every_image(window):
    names = window.names
    assert names.pattern.text() == "{plate}_{well}_f{field}*"
    assert "<b>4 of 5 images fit</b> in 4 wells. The other one comes first below" in names.said.text()
    assert [cell(names, row, 0) for row in (0, 1)] == ["p 1/overview", "p 1/run_A01_f1"]
    assert [cell(names, 1, column) for column in range(1, 5)] == ["run", "A01", "1", ""]
    assert names.model.rows[1].spans == (("plate", 4, 7), ("well", 8, 11), ("field", 13, 14))
    assert window.apply.text() == "Apply to 4 images"


def test_names_that_tell_wells_are_noticed(line, session):
    assert line.text.text() == "The file names seem to tell the wells: press this to look, then Apply."
    session.set_facts({1: ImageFacts(treatment="noc")})
    assert line.text.text() == "1 treatment; nothing known of 4 images"


def test_applying_sets_what_is_shown_and_the_pattern_is_remembered(window, session, line):
    press(window.apply)
    assert session.facts(4) == ImageFacts("run", "B02", "1")
    assert session.facts(5) == ImageFacts()
    assert window.state.text() == "Applied."
    assert not window.apply.isEnabled()
    assert line.text.text() == "4 wells; nothing known of 1 image"
    assert session.setting("name pattern") == "{plate}_{well}_f{field}*"


def test_typing_a_pattern_changes_the_preview_at_once(window):
    window.names.pattern.clear()
    assert window.names.said.text() == "No pattern yet. Type one, or choose a ready one."
    assert not window.apply.isEnabled()
    QTest.keyClicks(window.names.pattern, "{treatment}_*")
    assert cell(window.names, 1, 4) == "run"
    window.names.pattern.setText("{wel}_*")
    assert "has a part {wel}. Parts are" in window.names.said.text()
    window.names._take_ready(1)
    assert window.names.pattern.text() == "r{row}c{column}f{field}*"


def test_typing_does_not_wait_for_many_names(window, qtbot, monkeypatch):
    monkeypatch.setattr("napari_cellstage.ui.plate_names._MOMENT_S", 0)
    window.names.pattern.setText("{plate}_{well}_*")
    assert window.names.said.text() == "Reading 5 names …"
    assert not window.apply.isEnabled()
    monkeypatch.setattr("napari_cellstage.ui.plate_names._MOMENT_S", 1)
    qtbot.waitUntil(lambda: "4 of 5 images fit" in window.names.said.text(), timeout=20_000)
    assert window.apply.isEnabled()


def test_a_new_pattern_leaves_what_it_does_not_name(window, session):
    press(window.apply)
    session.set_facts({1: ImageFacts("run", "A01", "1", treatment="noc")})
    window.names.pattern.setText("{plate}_{well}_*")
    assert window.names.proposed[1] == ImageFacts("run", "A01", "1", treatment="noc")


def test_a_plate_map_fills_in_treatments_and_says_what_is_amiss(window, session, tmp_path):
    press(window.apply)
    path = tmp_path / "map.csv"
    path.write_text("well;drug;dose (uM)\nA1;DMSO;0\nB02;noc;0,1\nQ77;x;1\n")
    window.tabs.setCurrentIndex(1)
    window.map.open_map(path)
    assert "<b>2 wells</b> in the map, which reach <b>2 of 5 images</b>. 3 remarks below." in window.map.said.text()
    problems = [window.map.problems.item(i).text() for i in range(window.map.problems.count())]
    assert "'map.csv', row 4: there is no well 'Q77'" in problems[-1]
    assert window.apply.text() == "Apply to 2 images"
    press(window.apply)
    assert session.facts(4) == ImageFacts("run", "B02", "1", "noc", "0.1 µM")


def test_a_file_that_is_no_map_is_said(window, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr("napari_cellstage.ui.notices.show_error", shown.append)
    monkeypatch.setattr(
        "napari_cellstage.ui.plate_map_part.QFileDialog.getOpenFileName", lambda *_: (str(tmp_path / "no.csv"), "")
    )
    window.tabs.setCurrentIndex(1)
    press(window.map.choose)
    assert "no.csv' can't be read: no such file or directory" in shown[0]


def test_wells_are_chosen_and_what_is_typed_is_set_for_their_images(window, session):
    press(window.apply)
    window.tabs.setCurrentIndex(2)
    part = window.plate
    QTest.mouseClick(part.grid, LEFT, pos=part.grid.place_of((1, 2)).center())
    QTest.mouseClick(part.grid, LEFT, CTRL, pos=part.grid.place_of((2, 2)).center())
    assert part.which.text() == "for 2 images"
    part.fact.setCurrentText("Dose")
    QTest.keyClicks(part.value, "0,1 uM")
    press(part.set)
    assert [session.facts(i).dose for i in (1, 2, 3, 4)] == ["", "0.1 µM", "", "0.1 µM"]
    part.by.setCurrentText("dose")
    assert part.grid._looks[2, 2].text == "0.1 µM"


def test_facts_are_typed_into_the_table_and_written_one_way(window, session):
    window.tabs.setCurrentIndex(2)
    assert not window.plate.none.isHidden()
    model = window.plate.model
    assert model.setData(model.index(4, 2), "c-5")
    assert session.facts(5).well == "C05"
    assert window.plate.none.isHidden()


def test_a_double_click_on_an_image_shows_it(window, session):
    window.tabs.setCurrentIndex(2)
    window.plate.table.doubleClicked.emit(window.plate.model.index(2, 0))
    assert session.current_id == 3


def test_forgetting_all_asks_first(window, session, monkeypatch):
    press(window.apply)
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *what: asked.append(what[2]) or QMessageBox.StandardButton.Yes)
    press(window.forget)
    assert asked == ["Forget plate, well, treatment and dose of 4 images? This can't be undone. Labels stay."]
    assert session.facts_all() == {}


def test_how_a_model_is_measured_is_chosen_here(window, session):
    window.plate.split.activated.emit(2)
    assert session.split_by == "well"


def test_the_window_opens_on_the_plate_where_there_is_one_and_closes_with_the_project(window, session, line):
    press(window.apply)
    press(window.done)
    assert line.dialog is None
    line.open_dialog()
    assert line.dialog.tabs.currentIndex() == 2
    session.close()
    assert line.dialog is None
    assert line.isHidden()


@pytest.fixture
def grid(qtbot) -> PlateGrid:
    made = PlateGrid(PanelTheme(ViewerModel()))
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show_wells({(r, c): WellLook(None, "x", f"{r},{c}") for r in range(1, 4) for c in range(1, 4)})
    made.show()
    return made


def test_a_drag_chooses_wells_and_a_click_beside_lets_go(grid):
    places = [grid.place_of(well).center() for well in ((1, 1), (2, 2))]
    QTest.mousePress(grid, LEFT, pos=places[0])
    grid.mouseMoveEvent(_moved(places[1]))
    QTest.mouseRelease(grid, LEFT, pos=places[1])
    assert grid.chosen == {(1, 1), (1, 2), (2, 1), (2, 2)}
    QTest.mouseClick(grid, LEFT, pos=QPoint(2, 2))
    assert not grid.chosen


def test_wells_are_chosen_by_keys(grid):
    grid.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Space):
        QTest.keyClick(grid, key)
    assert grid.chosen == {(1, 2)}
    assert grid.accessibleDescription() == "1,2"
    QTest.keyClick(grid, Qt.Key.Key_Left)
    QTest.keyClick(grid, Qt.Key.Key_Space, CTRL)
    assert grid.chosen == {(1, 1), (1, 2)}


@pytest.mark.parametrize(("well", "shape"), [((8, 12), (8, 12)), ((9, 1), (16, 24)), ((1, 25), (32, 48))])
def test_the_plate_is_the_smallest_that_has_the_wells(grid, well, shape):
    grid.show_wells({well: WellLook(None, "", "")})
    assert grid.grab().width() > 0
    assert grid.well_at(grid.place_of(shape).center()) == shape
    assert grid.well_at(QPoint(grid.width() + 5, 5)) is None


def _moved(place: QPoint) -> QMouseEvent:
    none = Qt.KeyboardModifier.NoModifier
    return QMouseEvent(QEvent.Type.MouseMove, QPointF(place), QPointF(place), LEFT, LEFT, none)
