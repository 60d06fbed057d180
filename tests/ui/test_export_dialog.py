"""The window that exports: what it says, what it writes, and that nothing is overwritten."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from napari.utils.notifications import notification_manager

from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.ui.export_button import ExportButton
from napari_cellstage.ui.export_kinds import KINDS
from tests.ui.conftest import CELL


@pytest.fixture
def button(qtbot, session):
    session.label_cells([0, 1, 2], 1)
    session.label_cells([3], 2)
    made = ExportButton(session)
    qtbot.addWidget(made)
    yield made
    made.close_link()


@pytest.fixture
def dialog(qtbot, button):
    button.button.click()
    dialog = button.dialog
    qtbot.addWidget(dialog)

    def press_export():
        dialog.export.click()
        qtbot.waitUntil(lambda: not dialog.runner.busy, timeout=60_000)

    dialog.press_export = press_export
    return dialog


def choose(dialog, to):
    dialog.group.button([kind.to for kind in KINDS].index(to)).click()


def test_it_says_how_many_cells_there_are_and_suggests_a_free_place(dialog, session):
    cells = len(session.cells())
    assert dialog.labelled_only.text() == f"Only the 4 cells with a label, of {cells:,}"
    suggested = dialog.place.text()
    assert suggested == str(session.project.folder.parent / "field cells.csv")
    dialog.press_export()
    assert dialog.said.text() == f"✔ {cells} cells written to {suggested}."
    assert len(pd.read_csv(suggested)) == cells
    choose(dialog, "csv")
    assert dialog.place.text() == str(session.project.folder.parent / "field cells 2.csv")


def test_labelled_cells_alone(dialog, tmp_path):
    dialog.labelled_only.setChecked(True)
    dialog.place.setText(str(tmp_path / "a.csv"))
    dialog.press_export()
    assert len(pd.read_csv(tmp_path / "a.csv")) == 4


def test_pictures_in_class_folders(dialog, tmp_path, session):
    choose(dialog, "crops")
    assert dialog.crop_hint.text().startswith("4 cells with a label become one picture each")
    assert not dialog.labelled_only.isVisibleTo(dialog)
    dialog.size_box.setValue(CELL)
    dialog.place.setText(str(tmp_path / "out"))
    dialog.press_export()
    crops = read_class_folders(tmp_path / "out")
    names = [one.name for one in session.scheme]
    assert crops.counts() == {names[0]: 3, names[1]: 1}
    assert crops.crops.shape[2:] == (CELL, CELL)


def test_outlines_for_qupath(dialog, tmp_path, session):
    choose(dialog, "geojson")
    dialog.place.setText(str(tmp_path / "out"))
    dialog.press_export()
    (file,) = (tmp_path / "out").iterdir()
    assert len(json.loads(file.read_text())["features"]) == len(session.cells())


def test_what_is_there_is_not_replaced_unless_wished(dialog, tmp_path):
    (tmp_path / "a.csv").write_text("mine")
    dialog.place.setText(str(tmp_path / "a.csv"))
    dialog.press_export()
    assert "is there already" in dialog.said.text()
    assert "is there already" in notification_manager.records[-1].message
    assert (tmp_path / "a.csv").read_text() == "mine"
    dialog.overwrite.setChecked(True)
    dialog.press_export()
    assert len(pd.read_csv(tmp_path / "a.csv")) > 4


def test_the_window_goes_with_its_project(button, dialog, session, tmp_path):
    assert dialog.isVisible()
    session.new_project(tmp_path / "other")
    assert not dialog.isVisible()
    button.button.click()
    assert button.dialog is not dialog
    assert "There are no cells yet" in button.dialog.said.text()
    assert not button.dialog.export.isEnabled()
    session.close()
    assert not button.button.isEnabled()
