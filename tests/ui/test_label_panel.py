"""Classes and labels: every button asks the session, every change of the session is shown."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QMessageBox

from napari_cellstage.session import Session
from napari_cellstage.ui import label_panel
from napari_cellstage.ui.label_panel import LabelPanel
from napari_cellstage.ui.theme import PanelTheme


@pytest.fixture
def panel(qtbot, session) -> LabelPanel:
    made = LabelPanel(session, PanelTheme(ViewerModel()))
    qtbot.addWidget(made)
    made.resize(340, 600)
    made.show()
    return made


def names(panel):
    return [panel.classes.item(i).text() for i in range(panel.classes.count())]


def answer(monkeypatch, button):
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda _parent, _title, text: asked.append(text) or button)
    return asked


def line(panel, row):
    return panel.classes.visualItemRect(panel.classes.item(row)).center()


def test_a_session_without_classes_is_offered_templates(qtbot, tmp_path):
    session = Session(tmp_path)
    panel = LabelPanel(session, PanelTheme(ViewerModel()))
    qtbot.addWidget(panel)
    assert not panel.templates.isHidden()
    panel.templates.chosen.emit("exposure")
    assert session.scheme.names == ("0", "0.1", "1")
    assert panel.templates.isHidden()
    assert names(panel) == ["0", "0.1", "1"]


def test_counts_follow_the_labels(panel, session):
    session.label_cells([0, 1, 2], 2)
    texts = [panel.classes.item(i).data(Qt.ItemDataRole.AccessibleTextRole) for i in range(2)]
    assert texts == ["1 interphase, 0 cells", "2 prophase, 3 cells"]
    session.undo()
    assert panel.classes.item(1).data(Qt.ItemDataRole.AccessibleTextRole) == "2 prophase, 0 cells"


def test_a_class_is_added(panel, session):
    panel.new_name.setText("apoptotic")
    panel.new_name.returnPressed.emit()
    assert session.scheme.names[-1] == "apoptotic"
    assert panel.new_name.text() == ""


def test_a_name_that_is_taken_stays_in_the_field(panel, session):
    panel.new_name.setText("prophase")
    panel.new_name.returnPressed.emit()
    assert len(session.scheme) == 6
    assert panel.new_name.text() == "prophase"


def test_renaming_by_the_list(panel, session):
    panel.classes.item(0).setText("G1")
    assert session.scheme.names[0] == "G1"


def test_a_refused_name_is_put_back(panel, session):
    panel.classes.item(0).setText("prophase")
    assert names(panel)[0] == "interphase"
    assert session.scheme.names[0] == "interphase"


def test_moving_keeps_the_class_chosen(panel, session):
    panel.classes.setCurrentRow(2)
    panel.up.click()
    assert session.scheme.names[:3] == ("interphase", "prometaphase", "prophase")
    assert panel.classes.currentRow() == 1
    panel.down.click()
    assert session.scheme.names[:3] == ("interphase", "prophase", "prometaphase")


def test_drag_moves_a_class(panel, session):
    model = panel.classes.model()
    parent = model.index(-1, 0)
    assert model.moveRow(parent, 0, parent, 3)
    assert session.scheme.names[:3] == ("prophase", "prometaphase", "interphase")


def test_recolouring(panel, session, monkeypatch):
    monkeypatch.setattr(label_panel.QColorDialog, "getColor", lambda *_args: QColor("#123456"))
    panel.classes.setCurrentRow(1)
    panel.recolor.click()
    assert session.scheme.classes[1].color == "#123456"


def test_deleting_an_unused_class_needs_no_question(panel, session, monkeypatch):
    asked = answer(monkeypatch, QMessageBox.StandardButton.No)
    panel.classes.setCurrentRow(5)
    panel.delete.click()
    assert "telophase" not in session.scheme.names
    assert asked == []


def test_deleting_asks_says_what_is_lost_and_can_be_undone(panel, session, monkeypatch):
    session.label_cells([0, 1], 2)
    panel.classes.setCurrentRow(1)
    asked = answer(monkeypatch, QMessageBox.StandardButton.No)
    panel.delete.click()
    assert session.counts()[2] == 2
    assert asked == ["Delete 'prophase'? 2 cells lose their label. Undo (Ctrl+Z) brings it back."]
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    panel.delete.click()
    assert "prophase" not in session.scheme.names
    panel.undo.click()
    assert session.counts()[2] == 2
    assert names(panel)[1] == "prophase"


def test_click_arms_and_clicks_again_to_disarm(qtbot, panel):
    armed = []
    panel.armed.connect(armed.append)
    panel.armed.connect(panel.show_armed)
    qtbot.mouseClick(panel.classes.viewport(), Qt.MouseButton.LeftButton, pos=line(panel, 2))
    assert "prometaphase" in panel.advice.text()
    qtbot.mouseClick(panel.classes.viewport(), Qt.MouseButton.LeftButton, pos=line(panel, 2))
    assert armed == [3, 0]


def test_space_arms_and_number_keys_pass_by(qtbot, panel):
    armed = []
    panel.armed.connect(armed.append)
    panel.classes.setCurrentRow(3)
    qtbot.keyClick(panel.classes, Qt.Key.Key_Space)
    qtbot.keyClick(panel.classes, Qt.Key.Key_1)
    assert armed == [4]
    assert panel.classes.currentRow() == 3


def test_double_click_on_the_swatch_asks_for_a_colour(qtbot, panel, session, monkeypatch):
    monkeypatch.setattr(label_panel.QColorDialog, "getColor", lambda *_args: QColor("#abcdef"))
    rect = panel.classes.visualItemRect(panel.classes.item(0))
    from napari_cellstage.ui.class_list import swatch_rect

    at: QPoint = swatch_rect(rect, panel.classes.fontMetrics().height()).center()
    qtbot.mouseDClick(panel.classes.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert session.scheme.classes[0].color == "#abcdef"


def test_undo_and_redo_buttons_follow_the_history(panel, session):
    session.label_cells([0], 1)
    assert panel.undo.isEnabled()
    assert not panel.redo.isEnabled()
    panel.undo.click()
    assert session.class_ids()[0] == 0
    assert panel.redo.isEnabled()
    panel.redo.click()
    assert session.class_ids()[0] == 1


def test_classes_past_nine_are_found_by_typing(qtbot, panel, session):
    assert panel.filter.isHidden()
    for name in ("G1 early", "G1 late", "S phase", "G2"):
        session.add_class(name)
    assert not panel.filter.isHidden()
    chosen = []
    panel.class_chosen.connect(chosen.append)
    qtbot.keyClicks(panel.filter, "s ph")
    shown = [n for i, n in enumerate(names(panel)) if not panel.classes.item(i).isHidden()]
    assert shown == ["S phase"]
    qtbot.keyClick(panel.filter, Qt.Key.Key_Return)
    assert chosen == [session.scheme.by_name("S phase").id]


def test_read_only_can_be_looked_at_only(qtbot, session, tmp_path):
    second = Session(tmp_path / "other")
    second.open_project(session.project.folder)
    panel = LabelPanel(second, PanelTheme(ViewerModel()))
    qtbot.addWidget(panel)
    assert names(panel)[0] == "interphase"
    assert not panel.new_name.isEnabled()
    assert not panel.class_buttons.isEnabled()
    assert not panel.classes.item(0).flags() & Qt.ItemFlag.ItemIsEditable
    second.close()
