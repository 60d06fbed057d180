"""Files in: many at once, in a worker; questions asked once; failures said and the rest open."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tifffile
from napari.utils.notifications import notification_manager

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import ENDINGS
from napari_cellstage.ui import opening as opening_module
from napari_cellstage.ui import opening_work as work_module
from napari_cellstage.ui.opening_questions import Answer
from tests.core.reading.writing import write_lif, write_plate


@pytest.fixture
def session(empty_session):
    return empty_session


def picture(path, shape=(9, 9), **details):
    values = np.random.default_rng(len(str(path))).integers(0, 255, shape).astype(np.uint8)
    tifffile.imwrite(path, values, photometric="minisblack", **details)
    return path


def unsure(path, frames=30):
    return picture(path, (frames, 9, 9), metadata=None)


def names(session):
    return [entry.name for entry in session.images]


def messages():
    return [record.message for record in notification_manager.records]


def test_every_scene_is_an_image(opening, session, tmp_path):
    scenes = {name: np.ones((1, 1, 1, 8, 9), dtype=np.uint16) for name in ("left", "right")}
    field = np.ones((12, 10), dtype=np.uint8)
    plate = write_plate(tmp_path / "plate.zarr", {"A/1": [field], "B/2": [field, field]}, "0.4")
    opening.open_paths([write_lif(tmp_path / "a.lif", scenes, ["Gray"]), plate])
    opening.wait()
    assert names(session) == [
        "a.lif · left", "a.lif · right", "plate.zarr · A/1/0", "plate.zarr · B/2/0", "plate.zarr · B/2/1",
    ]  # fmt: skip
    assert session.current.name == "a.lif · left"


def test_what_can_not_be_opened_is_said_and_the_rest_opens(opening, session, tmp_path):
    (tmp_path / "bad.tif").write_bytes(b"II*\x00 not much of a file")
    (tmp_path / "void").mkdir()
    opening.open_paths([tmp_path / "bad.tif", tmp_path / "gone.czi", tmp_path / "void", picture(tmp_path / "good.tif")])
    opening.wait()
    assert names(session) == ["good.tif"]
    said = " ".join(messages())
    for text in ("'bad.tif' can't be read", "There is no file", "There are no images in the folder"):
        assert text in said


def test_many_failures_are_summed_up(opening, session, tmp_path):
    for number in range(9):
        (tmp_path / f"x{number}.png").write_bytes(b"nothing")
    before = len(messages())
    opening.open_paths([tmp_path])
    opening.wait()
    assert len(messages()) == before + 4
    assert "6 more files can't be opened" in messages()[-1]


def test_axes_that_are_not_said_are_asked_once_and_remembered(opening, session, tmp_path):
    opening.open_paths([unsure(tmp_path / "a.tif"), unsure(tmp_path / "b.tif", 20), picture(tmp_path / "c.tif")])
    opening.wait()
    assert names(session) == ["c.tif"]
    assert opening.question.text.text() == (
        "'a.tif' doesn't say whether its 30 pictures are time points, planes or channels. "
        "Nor does another file like it. What are they?"
    )
    assert [button.text() for button in opening.question.buttons.values()] == [
        "30 planes", "30 time points", "30 channels", "Not now",
    ]  # fmt: skip
    opening.question.buttons["TYX"].click()
    opening.wait()
    assert opening.question is None
    shapes = {entry.name: entry.stack.shape for entry in session.images}
    assert (shapes["a.tif"][0], shapes["b.tif"][0]) == (30, 20)
    opening.open_paths([unsure(tmp_path / "later.tif", 12)])
    opening.wait()
    assert opening.question is None
    assert session.current.shape == (12, 1, 1, 9, 9)


def test_a_wrong_answer_is_changed_by_opening_the_file_again(opening, session, tmp_path):
    file = unsure(tmp_path / "a.tif")
    for axes in ("ZYX", "TYX"):
        opening.open_paths([file])
        opening.wait()
        opening.question.buttons[axes].click()
        opening.wait()
    assert session.current.shape == (30, 1, 1, 9, 9)
    assert session.setting("axes") == {"file many": "TYX"}
    assert names(session) == ["a.tif"]
    assert messages()[-1] == (
        "'a.tif' is 30 time points now, in place of 30 planes. Undo (Ctrl+Z) brings back what was there."
    )
    opening.open_paths([file])
    opening.wait()
    opening.question.buttons["ZYX"].click()
    opening.wait()
    assert [entry.image_id for entry in session.images] == [1], "the same reading is not added a third time"
    assert session.current.shape == (1, 1, 30, 9, 9)


def test_a_wrong_answer_with_labels_is_kept_and_said(opening, session, tmp_path):
    file = unsure(tmp_path / "a.tif")
    session.add_class("a")
    for axes in ("ZYX", "TYX"):
        opening.open_paths([file])
        opening.wait()
        opening.question.buttons[axes].click()
        opening.wait()
        if axes == "ZYX":
            session.set_facts({1: ImageFacts(well="B03")})
            session.add_cell(0, 3, 4, 4)
            session.label_cells([0], 1)
    assert [entry.image_id for entry in session.images] == [1, 2]
    assert messages()[-1] == (
        "'a.tif' is in the list twice now: as 30 planes, with 1 label, and as 30 time points. "
        "Remove the one that is wrong: choose its line in the list of images and press Delete."
    )
    session.label_cells([0], 0, 1)
    session.remove_images([2])
    opening.open_paths([file])
    opening.wait()
    opening.question.buttons["TYX"].click()
    opening.wait()
    assert [entry.image_id for entry in session.images] == [2]
    assert session.facts(2).well == "B03"


def test_short_and_long_axes_are_asked_apart(opening, session, tmp_path):
    opening.open_paths([unsure(tmp_path / "a.tif"), unsure(tmp_path / "b.tif", 3)])
    opening.wait()
    opening.question.buttons["ZYX"].click()
    opening.wait()
    assert "'b.tif'" in opening.question.text.text()
    opening.question.buttons[Answer.NOT_NOW].click()
    assert (opening.question, names(session)) == (None, ["a.tif"])


def test_pages_are_counted_whatever_they_are(opening, session, tmp_path):
    opening.open_paths([picture(tmp_path / "a.tif", (7, 2, 9, 9), metadata=None)])
    opening.wait()
    assert len(opening.question.buttons) == 4  # tifffile finds one axis of 14 pages
    assert "14 pictures" in opening.question.text.text()


def series_of(folder, count=4):
    folder.mkdir()
    for number in range(count):
        picture(folder / f"cells_t{number:02}.tif")
    return folder


def test_a_series_is_asked_and_opened_as_one_image(opening, session, tmp_path):
    folder = series_of(tmp_path / "day 1")
    opening.open_paths([folder])
    opening.wait()
    assert names(session) == []
    assert "The 4 files 'cells_t#.tif' in 'day 1'" in opening.question.text.text()
    opening.question.buttons[Answer.ONE].click()
    opening.wait()
    assert names(session) == ["day 1/cells_t#.tif"]
    assert session.current.shape == (4, 1, 1, 9, 9)
    place = session.project.folder
    session.close()
    session.open_project(place)
    assert session.current.shape == (4, 1, 1, 9, 9)


def test_a_series_can_be_separate_images(opening, session, tmp_path):
    opening.open_paths([series_of(tmp_path / "day 1")])
    opening.wait()
    opening.question.buttons[Answer.SEPARATE].click()
    opening.wait()
    assert names(session) == [f"cells_t{number:02}.tif" for number in range(4)]


def test_a_running_number_is_asked_what_it_counts(opening, session, tmp_path):
    for number in range(3):
        picture(tmp_path / f"img{number}.tif")
    opening.open_paths([tmp_path])
    opening.wait()
    opening.question.buttons[Answer.ONE].click()
    opening.wait()
    assert "The names of" in opening.question.text.text()
    opening.question.buttons["ZYX"].click()
    opening.wait()
    assert session.current.shape == (1, 1, 3, 9, 9)
    place = session.project.folder
    session.close()
    session.open_project(place)
    assert session.current.shape == (1, 1, 3, 9, 9)


def test_files_dropped_while_others_open_wait_their_turn(opening, session, tmp_path, monkeypatch):
    go, real = threading.Event(), work_module.gather

    def slow(*args):
        go.wait(30)
        return (yield from real(*args))

    monkeypatch.setattr(work_module, "gather", slow)
    opening.open_paths([picture(tmp_path / "a.tif")])
    opening.open_paths([picture(tmp_path / "b.tif")])
    assert opening.busy
    assert names(session) == []
    go.set()
    opening.wait()
    assert names(session) == ["a.tif", "b.tif"]


def test_stop_keeps_what_is_open(opening, session, tmp_path, qtbot):
    files = [picture(tmp_path / f"{chr(97 + n)}.tif") for n in range(5)]
    opening.open_paths(files)
    opening.runner.stop()
    opening.wait()
    assert len(session.images) < 6


def test_missing_planes_are_told(opening, session, tmp_path):
    folder = tmp_path / "s"
    folder.mkdir()
    for t, z in ((1, 1), (1, 2), (2, 1)):
        picture(folder / f"a_t{t}_z{z}.tif")
    opening.open_paths([folder])
    opening.wait()
    opening.question.buttons[Answer.ONE].click()
    opening.wait()
    assert "1 of the 4 files" in messages()[-1]


def test_the_file_dialog_lists_every_ending_and_a_file_of_zarr_means_its_folder(
    opening, session, tmp_path, monkeypatch
):
    plate = write_plate(tmp_path / "p.zarr", {"A/1": [np.ones((12, 10), dtype=np.uint8)]}, "0.5")
    asked = []

    def choose(_parent, _title, _folder, endings):
        asked.append(endings)
        return [str(plate / "zarr.json")], ""

    monkeypatch.setattr(opening_module.QFileDialog, "getOpenFileNames", choose)
    opening.choose_files()
    opening.wait()
    assert all(f"*{ending}" in asked[0] for ending in ENDINGS)
    assert names(session) == ["p.zarr"]
