"""Images in, channels, project: what the panel shows is what the session has."""

from __future__ import annotations

import time

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QApplication, QCheckBox

from napari_cellstage.core.images import from_array
from napari_cellstage.session import Session
from napari_cellstage.ui import data_panel, image_list
from napari_cellstage.ui.data_panel import DataPanel
from napari_cellstage.ui.open_layers_box import OpenLayersBox
from napari_cellstage.ui.workers import JobRunner
from tests.core.stain_scene import prediction_for


@pytest.fixture
def empty(tmp_path):
    session = Session(tmp_path / "home")
    yield session
    session.close()


@pytest.fixture
def make_panel(qtbot):
    def make(session):
        panel = DataPanel(session, JobRunner(), OpenLayersBox(ViewerModel(), lambda _layer: False))
        qtbot.addWidget(panel)
        return panel

    return make


def write(path, *shape):
    tifffile.imwrite(path, np.random.default_rng(len(path.name)).integers(0, 255, shape).astype(np.uint8))
    return path


def opened(panel, *paths):
    """Open files and folders, as when they are dropped on the dock."""
    panel.open_paths(paths)
    deadline = time.monotonic() + 60
    while panel.opening.busy and time.monotonic() < deadline:
        QApplication.processEvents()
        time.sleep(0.01)
    return panel


def messages():
    return [record.message for record in notification_manager.records]


def test_an_empty_session_is_welcomed(make_panel, empty):
    panel = make_panel(empty)
    assert not panel.welcome.isHidden()
    assert panel.image_list.isHidden()
    assert panel.channels_box.isHidden()
    assert not panel.save_as.isEnabled()


def test_files_folders_and_names_with_spaces_and_emoji_open(make_panel, empty, tmp_path):
    panel, folder = make_panel(empty), tmp_path / "my images 🔬"
    folder.mkdir()
    write(folder / "b.tif", 20, 30), write(folder / "a 🧫.tif", 20, 30)
    (folder / "notes.txt").write_text("not an image")
    opened(panel, folder, write(tmp_path / "c.tif", 9, 9))
    assert [entry.name for entry in empty.images] == ["a 🧫.tif", "b.tif", "c.tif"]
    assert panel.image_list.table.rowCount() == 3
    assert panel.image_list.view.currentIndex().data() == "a 🧫.tif"
    assert panel.welcome.isHidden()


def test_choosing_an_image_shows_it(make_panel, empty, tmp_path):
    panel = make_panel(empty)
    opened(panel, write(tmp_path / "a.tif", 9, 9), write(tmp_path / "b.tif", 9, 9))
    panel.image_list.view.selectRow(1)
    assert empty.current.name == "b.tif"


def test_channels_are_chosen(make_panel, make_session):
    session = make_session(channels=3)
    panel = make_panel(session)
    assert not panel.channels_box.isHidden()
    panel.find_channel.setCurrentIndex(2)
    panel.find_channel.activated.emit(2)
    assert session.find_channel == 2
    boxes = [panel.network_row.itemAt(i).widget() for i in range(3)]
    assert all(isinstance(box, QCheckBox) and box.isChecked() for box in boxes)
    boxes[1].click()
    assert session.network_channels == (0, 2)


def test_the_last_channel_can_not_be_taken_from_the_model(make_panel, make_session):
    session = make_session(channels=2)
    panel = make_panel(session)
    for _ in range(2):
        checked = [w for i in range(2) if (w := panel.network_row.itemAt(i).widget()).isChecked()]
        checked[0].click()
    assert session.network_channels


def test_the_project_is_named_and_saved_elsewhere(make_panel, session, tmp_path, monkeypatch):
    panel = make_panel(session)
    assert session.project.name in panel.project_text.text()
    monkeypatch.setattr(
        data_panel.QFileDialog, "getSaveFileName", lambda *_args: (str(tmp_path / "paper figure 2"), "")
    )
    panel.save_as.click()
    assert session.project.folder == tmp_path / "paper figure 2.cellstage"
    assert "paper figure 2" in panel.project_text.text()


def test_a_project_folder_is_opened(make_panel, session, empty, monkeypatch):
    session.label_cells([0], 1)
    folder = session.project.folder
    session.close()
    panel = make_panel(empty)
    monkeypatch.setattr(data_panel.QFileDialog, "getExistingDirectory", lambda *_args: str(folder))
    panel.open_project.click()
    assert empty.counts()[1] == 1
    assert panel.image_list.table.rowCount() == 1


def test_a_folder_that_is_no_project_is_said(make_panel, empty, tmp_path, monkeypatch):
    panel = make_panel(empty)
    monkeypatch.setattr(data_panel.QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path))
    panel.open_project.click()
    assert empty.project is None
    assert "is no Cellstage project" in messages()[-1]


def test_a_moved_image_is_found_again(make_panel, empty, tmp_path, monkeypatch):
    file = write(tmp_path / "a.tif", 9, 9)
    panel = make_panel(empty)
    opened(panel, file)
    folder = empty.project.folder
    empty.close()
    moved = file.rename(tmp_path / "moved.tif")
    panel.open_paths([folder])
    assert panel.image_list.table.index(0, 0).data() == "⚠ a.tif"
    assert not panel.image_list.locate.isHidden()
    monkeypatch.setattr(image_list.QFileDialog, "getOpenFileName", lambda *_args: (str(moved), ""))
    panel.image_list.locate.click()
    assert panel.image_list.locate.isHidden()
    assert empty.current is not None


def test_read_only_is_said(make_panel, session, empty):
    panel = make_panel(empty)
    panel.open_paths([session.project.folder])
    assert "Read-only" in panel.project_text.text()


def test_the_sample_opens_in_a_worker(qtbot, make_panel, empty, monkeypatch):
    from napari_cellstage import sample_data

    small = sample_data.cell_cycle_field(size=256, cells=9)
    monkeypatch.setattr(sample_data, "cell_cycle_field", lambda: small)
    panel = make_panel(empty)
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel.sample.field.click()
    assert empty.current.channel_names == ("DNA", "tubulin")


def test_the_sample_movie_opens_in_a_worker(qtbot, make_panel, empty, monkeypatch):
    from napari_cellstage import sample_movie

    short = sample_movie.cell_cycle_movie(size=64, cells=1, frames=2)
    monkeypatch.setattr(sample_movie, "cell_cycle_movie", lambda: short)
    panel = make_panel(empty)
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel.sample.movie.click()
    assert empty.current.shape == (2, 2, 1, 64, 64)


def test_the_microtubules_open_with_cells_and_doses(qtbot, make_panel, empty, monkeypatch):
    from napari_cellstage import sample_microtubules

    small = sample_microtubules.microtubule_field(size=500, cells=3)
    monkeypatch.setattr(sample_microtubules, "microtubule_field", lambda: small)
    panel = make_panel(empty)
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel.sample.microtubules.click()
    assert "synthetic" in empty.current.name
    assert (empty.scheme.names, empty.scheme.kind) == (("0", "0.1", "1"), "ordered")
    names = [empty.scheme.by_id(one).name for one in empty.class_ids().tolist()]
    assert names == small.classes_of.tolist()
    assert set(empty.origins()) == {"import"}


def test_the_photograph_opens_with_cells_and_stages(qtbot, make_panel, empty, monkeypatch):
    from napari_cellstage import sample_photographs

    small = sample_photographs.photograph_field(cells=4, width=400)
    monkeypatch.setattr(sample_photographs, "photograph_field", lambda: small)
    panel = make_panel(empty)
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel.sample.photograph.click()
    assert empty.current.rgb
    assert empty.scheme.kind == "cyclic"
    assert len(empty.cells()) == 4
    assert (empty.class_ids() > 0).all()


def test_images_with_stains_and_a_time_lapse_without_open_in_a_worker(qtbot, make_panel, empty, monkeypatch):
    from napari_cellstage import sample_stained

    field = sample_stained.stained_field
    movie = sample_stained.stained_movie(size=64, cells=1, frames=2)
    monkeypatch.setattr(sample_stained, "stained_field", lambda seed: field(seed, 64, 2))
    monkeypatch.setattr(sample_stained, "stained_movie", lambda: movie)
    panel = make_panel(empty)
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel.sample.stained.click()
    channels = [entry.record.channel_names for entry in empty.images]
    assert channels == [("phase", "DNA", "tubulin")] * 3 + [("phase",)]
    assert empty.current_id == empty.images[0].image_id


def test_a_labelled_sample_leaves_what_the_user_did(session):
    from napari_cellstage.sample_microtubules import microtubule_field
    from napari_cellstage.ui.sample_buttons import open_with_cells

    names, labels = session.scheme.names, session.counts()
    field = microtubule_field(size=500, cells=3)
    open_with_cells(session, field, "exposure")
    assert session.scheme.names == names
    assert session.counts() == labels
    assert len(session.cells()) == 3
    session.label_cells([0], session.scheme.ids[0])
    session.delete_cells([1])
    open_with_cells(session, field, "exposure")  # again: it is the image that is there
    assert len(session.cells()) == 2
    assert session.class_ids()[0] == session.scheme.ids[0]


def test_every_sample_says_that_it_is_synthetic(make_panel, empty):
    buttons = make_panel(empty).sample
    for one in (buttons.field, buttons.movie, buttons.microtubules, buttons.photograph, buttons.stained):
        assert "synthetic" in one.toolTip()


def test_names_of_predicted_channels_do_not_widen_the_panel(make_panel, empty):
    session = empty
    session.add_image(from_array(np.zeros((1, 20, 20), np.uint8), "CYX", "light", channel_names=("BF",)))
    panel = make_panel(session)
    before = panel.channels_box.minimumSizeHint().width()
    run = "20261121-213000-000000_stain-2d-with-a-very-long-name-of-its-own"
    for one in ("first", run):
        session.add_stains(session.current_id, prediction_for(session.current, ("DNA", "MAP2", "NFH")), one)
    boxes = [panel.network_row.itemAt(i).widget() for i in range(7)]
    assert [box.isChecked() for box in boxes] == [True, *[False] * 6]
    assert run in boxes[-1].toolTip()
    assert panel.channels_box.minimumSizeHint().width() <= max(before, 340)
