"""Finding, adopting and adding cells from the dock."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QMessageBox

from napari_cellstage.core.finding.method import METHODS
from napari_cellstage.core.images import from_array
from napari_cellstage.session import Session
from napari_cellstage.ui.cells_panel import CellsPanel
from napari_cellstage.ui.overlay_layer import Placement
from napari_cellstage.ui.preview import Preview
from napari_cellstage.ui.viewer_link import ViewerLink
from napari_cellstage.ui.visible import visible_part
from napari_cellstage.ui.workers import JobRunner
from tests.core.stain_scene import prediction_for


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


# ---- methods


def choose(panel, name):
    box = panel.find_box
    index = box.method.findData(name)
    box.method.setCurrentIndex(index)
    box.method.activated.emit(index)
    return {name for name, widget in box.form.widgets.items() if not widget.native.isHidden()}


def test_each_method_shows_the_choices_that_matter_to_it(panel, session):
    assert choose(panel, "log") == {
        "diameter",
        "background",
        "smoothing",
        "sensitivity",
        "min_diameter",
        "max_diameter",
    }
    assert session.segment_settings.method == "log"
    assert panel.find_box.second_channel.isHidden()
    assert "split" in choose(panel, "cells")
    assert not panel.find_box.second_channel.isHidden()


def test_depth_asks_how_far_planes_are_apart(qtbot, tmp_path):
    session = Session(tmp_path / "deep")
    session.add_image(from_array(np.stack([discs(*CENTRES)] * 3), "ZYX", "deep"))
    panel = CellsPanel(session, JobRunner(), list)
    qtbot.addWidget(panel)
    assert "z_ratio" in choose(panel, "otsu")
    session.close()


def test_the_second_channel_is_another_than_the_first(panel, session):
    choose(panel, "cells")
    assert panel.find_box.settings.channels == (1, 0)
    panel.find_box.find_channel.activated.emit(0)
    assert panel.find_box.settings.channels == (0, 1)
    panel.find_box.find_channel.activated.emit(1)
    panel.find_box.second_channel.activated.emit(1)
    assert panel.find_box.settings.channels == (1, 0)


def test_a_method_that_is_not_installed_says_how_to_install_it(panel):
    if METHODS["stardist"].installed:
        pytest.skip("StarDist is installed here")
    panel.preview.setChecked(True)
    choose(panel, "stardist")
    assert "pip install 'napari-cellstage[stardist]'" in panel.find_box.missing.text()
    assert not panel.find_box.missing.isHidden()
    assert not panel.find.isEnabled()
    assert not panel.find_box.find_all.isEnabled()
    assert not panel.preview.isChecked()
    choose(panel, "otsu")
    assert panel.find_box.missing.isHidden()
    assert panel.find.isEnabled()


# ---- all images


def find_all(qtbot, panel):
    with qtbot.waitSignal(panel._runner.ended, timeout=30000):
        panel.find_box.find_all.click()
    qtbot.wait(10)


def test_one_image_offers_no_finding_in_all(panel):
    assert panel.find_box.find_all.isHidden()


def test_cells_are_found_in_all_images_and_what_fails_is_told(qtbot, panel, session):
    first = session.current_id
    two = np.stack([np.full((96, 96), 6, np.uint16), discs(*CENTRES[:2])])
    empty = np.full((2, 96, 96), 7, np.uint16)
    others = session.add_images([from_array(two, "CYX", "two"), from_array(empty, "CYX", "empty")])
    one_channel = session.add_image(from_array(discs((40, 40)), "YX", "one channel"))
    session.set_current(first)
    assert not panel.find_box.find_all.isHidden()
    find_all(qtbot, panel)
    counts = [len(session.cells(image_id)) for image_id in (first, *others, one_channel)]
    assert counts == [4, 2, 0, 0]
    assert session.current_id == first
    told, left_out = (record.message for record in notification_manager.records[-2:])
    assert told == "6 cells were found in 2 images."
    assert left_out.startswith("2 images were left out:")
    assert "empty: All pixels have the same value, 7" in left_out
    assert "one channel: Channel 1 was chosen for finding cells, but 'one channel' has channels 0 to 0" in left_out


def stain_of(stack, *centres):
    """A prediction of DNA in which there are discs; below it, where there is one more, another stain."""
    return prediction_for(stack, mean=discs(*centres)[None, None, None].astype(np.float32))


def test_what_helps_in_a_predicted_stain_is_said_there_alone(panel, session):
    session.add_stains(session.current_id, stain_of(session.current, *CENTRES), "run")
    box, hint = panel.find_box.find_channel, panel.find_box.patchy
    assert hint.isHidden()
    box.activated.emit(2)
    assert not hint.isHidden()
    box.activated.emit(1)
    assert hint.isHidden()


def test_cells_are_found_in_a_predicted_stain_by_its_name(qtbot, panel, session):
    first = session.current_id
    second = session.add_image(from_array(np.full((96, 96), 6, np.uint16), "YX", "light"))
    session.add_stains(second, prediction_for(session.current, ("MAP2",)), "another")
    session.add_stains(second, stain_of(session.current, *CENTRES[:3]), "run")
    third = session.add_image(from_array(np.full((96, 96), 8, np.uint16), "YX", "without"))
    session.set_current(first)
    session.add_stains(first, stain_of(session.current, *CENTRES[:2]), "run")
    box = panel.find_box.find_channel
    assert [box.itemText(i) for i in range(box.count())] == ["channel 0", "channel 1", "DNA (predicted)"]
    box.activated.emit(2)
    find_all(qtbot, panel)
    assert [len(session.cells(image_id)) for image_id in (first, second, third)] == [2, 3, 0]
    assert [session.found_in(image_id) for image_id in (first, second)] == ["DNA (predicted)"] * 2
    assert "without: it has no channel 'DNA (predicted)'" in notification_manager.records[-1].message
    assert "found in DNA (predicted)" in panel.state.text()


def test_cells_of_one_image_are_found_in_a_predicted_stain(qtbot, panel, session):
    session.add_stains(session.current_id, stain_of(session.current, *CENTRES[:2]), "run")
    session.find_channel = 2
    find(qtbot, panel)
    assert (len(session.cells()), session.found_in()) == (2, "DNA (predicted)")
    session.find_channel = 1
    find(qtbot, panel)
    assert (len(session.cells()), session.found_in()) == (4, "")


@pytest.mark.parametrize(("button", "counts"), [(0, [3, 2]), (1, [4, 2]), (2, [3, 0])])
def test_images_that_have_cells_are_asked_about(qtbot, panel, session, monkeypatch, button, counts):
    first = session.current_id
    labels = np.zeros((96, 96), int)
    labels[15:25, 15:25], labels[15:25, 55:65], labels[55:65, 15:25] = 1, 2, 3
    session.set_labels(labels)
    two = np.stack([np.full((96, 96), 6, np.uint16), discs(*CENTRES[:2])])
    second = session.add_image(from_array(two, "CYX", "two"))
    asked = []

    def answer(box):
        asked.append(box.text())
        monkeypatch.setattr(type(box), "clickedButton", lambda self: self.buttons()[order(self)[button]])

    def order(box):
        texts = [one.text() for one in box.buttons()]
        return [next(i for i, text in enumerate(texts) if sign in text) for sign in ("Only", "All", "Cancel")]

    monkeypatch.setattr(QMessageBox, "exec_", answer, raising=False)
    monkeypatch.setattr(QMessageBox, "exec", answer)
    panel.find_box.find_all.click()
    qtbot.waitUntil(lambda: not panel._runner.busy, timeout=30000)
    qtbot.wait(10)
    assert asked[0].startswith("1 image of 2 has cells already.")
    assert [len(session.cells(image_id)) for image_id in (first, second)] == counts


# ---- the part that is seen


def test_a_large_plane_is_previewed_where_the_camera_looks():
    model = ViewerModel()
    placement = Placement((2, 3), {"scale": (0.5, 0.5), "translate": (10.0, 0.0)})
    model.scene.camera.center = (0, 1010.0, 500.0)
    model.scene.camera.zoom = 2.0
    rows, columns = visible_part(model, placement, 40_000, 30_000)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (1000, 1000)
    assert (rows.start, columns.start) == (1500, 500)
    model.scene.camera.zoom = 0.01
    rows, columns = visible_part(model, placement, 40_000, 30_000)
    assert (rows.stop - rows.start, rows.start) == (1024, 1488)
    model.scene.camera.center = (0, 0.0, 1e6)
    rows, columns = visible_part(model, placement, 40_000, 30_000)
    assert (rows.start, columns.stop) == (0, 30_000)
    assert visible_part(model, placement, 300, 200) == (slice(0, 300), slice(0, 200))


def test_the_preview_lies_on_its_part_and_follows_the_view(qtbot, tmp_path):
    large = np.tile(discs(*CENTRES), (20, 20))
    session = Session(tmp_path / "large")
    session.add_image(from_array(large, "YX", "large"))
    model = ViewerModel()
    link = ViewerLink(model, session)
    preview = Preview(model, link)
    model.scene.camera.zoom = 2.0
    model.scene.camera.center = (0, 500.0, 800.0)
    preview.want(session.segment_settings)
    with qtbot.waitSignal(preview.found, timeout=30000) as found:
        pass
    assert "500 × 500 pixels in the middle of the view" in found.args[0]
    corner = np.round(preview.layer.translate[-2:]).astype(int)
    part = large[corner[0] : corner[0] + 500, corner[1] : corner[1] + 500] > 500
    assert ((np.asarray(preview.layer.data) > 0) == part).mean() > 0.97
    with qtbot.waitSignal(preview.found, timeout=30000):
        model.scene.camera.center = (0, 1500.0, 900.0)
    assert preview.layer.translate[-2] != corner[0]
    preview.close_link()
    link.close()
    session.close()


def test_in_all_images_a_predicted_stain_is_not_taken_for_a_channel_of_the_same_number(qtbot, panel, session):
    first = session.current_id
    second = session.add_image(from_array(np.full((96, 96), 6, np.uint16), "YX", "light"))
    session.add_stains(second, stain_of(session.current, *CENTRES[:3]), "run")
    session.set_current(first)
    session.find_channel = 1
    find_all(qtbot, panel)
    assert (len(session.cells(first)), len(session.cells(second))) == (4, 0)
    assert "light: its file has no channel 1, as it has 1." in notification_manager.records[-1].message
