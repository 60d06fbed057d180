"""Class folders are asked about, and become a contact sheet."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_cellstage.ui.opening_questions import Answer
from napari_cellstage.ui.opening_sheets import SHEET


@pytest.fixture
def session(empty_session):
    return empty_session


@pytest.fixture
def folders(tmp_path):
    for stage in ("G1", "S"):
        (tmp_path / "stages" / stage).mkdir(parents=True)
        for n in range(6):
            tifffile.imwrite(tmp_path / "stages" / stage / f"m{n % 2}_{n}.tif", np.full((9, 9), n, np.uint8))
    return tmp_path / "stages"


def test_class_folders_are_asked_about_and_labelled(opening, session, folders, tmp_path):
    tifffile.imwrite(tmp_path / "field.tif", np.ones((20, 30), np.uint8))
    opening.open_paths([folders, tmp_path / "field.tif"])
    opening.wait()
    assert [entry.name for entry in session.images] == ["field.tif"], "nothing is done before the answer"
    question = opening.question
    assert "12 pictures of single cells in 2 class folders: G1, S" in question.text.text()
    assert question.groups.itemText(1) == "2 groups, such as m0"
    question.groups.setCurrentIndex(1)
    question.buttons[SHEET].click()
    opening.wait()
    assert [entry.name for entry in session.images] == ["field.tif", "stages"]
    assert session.counts() == {1: 6, 2: 6}
    sheet = next(image for image in session.snapshot().images if image.stack.name == "stages")
    assert set(sheet.groups.tolist()) == {"movie m0", "movie m1"}


def test_they_may_be_images_after_all(opening, session, folders):
    opening.open_paths([folders])
    opening.wait()
    opening.question.buttons[Answer.SEPARATE].click()
    opening.wait()
    assert len(session.images) == 12
    assert session.counts() == {}


def test_not_now_leaves_them(opening, session, folders):
    opening.open_paths([folders])
    opening.wait()
    opening.question.buttons[Answer.NOT_NOW].click()
    assert (opening.question, len(session.images)) == (None, 0)


def test_what_cannot_be_read_is_said(opening, session, folders, qtbot):
    (folders / "G1" / "bad.tif").write_bytes(b"nonsense")
    opening.open_paths([folders])
    opening.wait()
    opening.question.buttons[SHEET].click()
    opening.wait()
    assert session.counts() == {1: 6, 2: 6}


def test_what_is_mixed_or_doubled_is_said(opening, session, folders, monkeypatch):
    said = []
    monkeypatch.setattr("napari_cellstage.ui.opening.warn", said.append)
    tifffile.imwrite(folders / "S" / "wide.tif", np.ones((9, 12), np.uint16))
    opening.open_paths([folders])
    opening.wait()
    opening.question.buttons[SHEET].click()
    opening.wait()
    assert session.counts() == {1: 6, 2: 7}
    starts = ("Pictures differ in size", "Pictures differ in their kind of number", "6 pictures are in two classes")
    assert [text.startswith(start) for text, start in zip(said, starts, strict=True)] == [True, True, True]
