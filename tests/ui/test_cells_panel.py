"""Finding, adopting and adding cells from the dock."""

from __future__ import annotations

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QMessageBox

from napari_cellstage.core.images import from_array
from napari_cellstage.session import Session
from napari_cellstage.ui.cells_panel import CellsPanel
from napari_cellstage.ui.preview import Preview
from napari_cellstage.ui.viewer_link import ViewerLink
from napari_cellstage.ui.workers import JobRunner


def discs(*centres, size=96, radius=8):
    y, x = np.mgrid[:size, :size]
    plane = np.full((size, size), 100, np.uint16)
    for cy, cx in centres:
        plane[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = 900
    return plane


CENTRES = ((20, 20), (20, 60), (60, 20), (60, 60))


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path)
    made.add_image(from_array(np.stack([np.full((96, 96), 5, np.uint16), discs(*CENTRES)]), "CYX", "discs"))
    made.find_channel = 1
    yield made
    made.close()


@pytest.fixture
def layers():
    return []


@pytest.fixture
def panel(qtbot, session, layers):
    made = CellsPanel(session, JobRunner(), lambda: layers)
    qtbot.addWidget(made)
    return made


def find(qtbot, panel):
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel.find.click()
    qtbot.wait(10)


def test_nothing_can_be_found_without_an_image(qtbot, tmp_path):
    panel = CellsPanel(Session(tmp_path), JobRunner(), list)
    qtbot.addWidget(panel)
    assert not panel.find_box.isEnabled()
    assert panel.state.text() == "Open an image first, in the step Data."


def test_cells_are_found_in_the_chosen_channel(qtbot, panel, session):
    find(qtbot, panel)
    assert len(session.cells()) == 4
    assert "4 cells" in panel.state.text()
    assert panel.find.isEnabled()


def test_the_form_is_the_settings_of_the_session(panel, session):
    panel.form.widgets["min_diameter"].value = 12.0
    assert session.segment_settings.min_diameter == 12.0


def test_no_cells_is_said_and_the_old_ones_stay(qtbot, panel, session):
    find(qtbot, panel)
    panel.form.widgets["min_diameter"].value = 60.0
    find(qtbot, panel)
    assert len(session.cells()) == 4
    assert "No cells were found" in notification_manager.records[-1].message


def test_finding_anew_over_labels_asks_first_and_they_stay(qtbot, panel, session, monkeypatch):
    find(qtbot, panel)
    session.use_template("cell cycle")
    session.label_cells([2], 3)
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *args: asked.append(args[2]) or QMessageBox.StandardButton.Yes)
    find(qtbot, panel)
    assert asked[0].startswith("1 cell of this image is labelled")
    assert session.class_ids().tolist() == [0, 0, 3, 0]


def test_answering_no_changes_nothing(qtbot, panel, session, monkeypatch):
    find(qtbot, panel)
    session.use_template("cell cycle")
    session.label_cells([2], 3)
    before = session.labels()
    monkeypatch.setattr(QMessageBox, "question", lambda *_args: QMessageBox.StandardButton.No)
    panel.find.click()
    assert not panel._runner.busy
    assert session.labels() is before


def test_a_labels_layer_is_adopted(panel, session, layers):
    assert panel.adopt_box.isHidden()
    labels = np.zeros((96, 96), int)
    labels[5:15, 5:15], labels[40:50, 40:50] = 3, 9
    layers.append(("from Cellpose", labels))
    panel.refresh_layers()
    assert not panel.adopt_box.isHidden()
    panel.adopt.click()
    assert session.cells().cell_id.tolist() == [3, 9]


def test_a_labels_layer_of_another_shape_is_refused_in_words(panel, session, layers):
    layers.append(("wrong", np.ones((10, 10), int)))
    panel.refresh_layers()
    panel.adopt.click()
    assert len(session.cells()) == 0
    assert "(10, 10)" in notification_manager.records[-1].message


def test_add_mode_is_asked_for_and_shown(qtbot, panel):
    with qtbot.waitSignal(panel.add_mode_wanted, timeout=1000) as wanted:
        panel.add.click()
    assert wanted.args == [True]
    with qtbot.assertNotEmitted(panel.add_mode_wanted):
        panel.show_add_mode(False)
    assert not panel.add.isChecked()


def test_stop_keeps_the_cells_there_were(panel, session):
    panel._on_found(np.ones((1, 1, 96, 96), np.int32), session.current_id, stopped=True)
    assert len(session.cells()) == 0


def test_preview_shows_the_plane_and_follows_the_settings(qtbot, model, session, panel):
    link = ViewerLink(model, session)
    preview = Preview(model, link)
    panel.preview_wanted.connect(preview.want)
    panel.preview.setChecked(True)
    qtbot.waitUntil(lambda: preview.layer is not None, timeout=20000)
    assert preview.layer in model.layers
    assert preview.layer.data.max() == 4
    panel.form.widgets["min_diameter"].value = 8.0
    panel.preview.setChecked(False)
    assert preview.layer is None
    assert len(session.cells()) == 0
    preview.close_link()
    link.close()
    assert len(model.layers) == 0


def test_preview_of_nothing_is_said(qtbot, model, session, panel):
    link = ViewerLink(model, session)
    preview = Preview(model, link)
    before = len(notification_manager.records)
    panel.form.widgets["min_diameter"].value = 60.0
    preview.want(panel.find_box.settings)
    with qtbot.waitSignal(preview.found, timeout=20000) as found:
        pass
    assert found.args == ["<b>0 cells</b> in this plane."]
    assert preview.layer.data.max() == 0
    assert len(notification_manager.records) == before
    preview.close_link()
    link.close()
