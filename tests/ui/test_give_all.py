"""A class for whole images, wells and doses."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import from_array
from napari_cellstage.ui import give_all
from napari_cellstage.ui.give_all import GiveAll
from napari_cellstage.ui.status import describe_cell
from tests.ui.conftest import grid_labels


@pytest.fixture
def told(monkeypatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(give_all, "tell", said.append)
    return said


@pytest.fixture
def box(qtbot, session) -> GiveAll:
    """Three images: two fields of a well and one of another; 12 cells in each but the last."""
    import numpy as np

    for number in (2, 3):
        pixels = np.full((40, 50), number, dtype=np.uint8)
        session.add_image(from_array(pixels, "YX", f"field {number}"))
    session.set_labels(grid_labels((1, 1, 40, 50)), 2)
    wells = ("A01", "A01", "A02")
    session.set_facts({i + 1: ImageFacts("", w, "", "noc", "0" if w == "A01" else "1 µM") for i, w in enumerate(wells)})
    session.set_current(1)
    made = GiveAll(session)
    qtbot.addWidget(made)
    made.show()
    return made


def choose(box: GiveAll, name: str, scope: int) -> None:
    box.class_box.setCurrentText(name)
    box.scope_box.setCurrentIndex(scope)


def press(button) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_scopes_are_those_of_the_current_image(box, session):
    texts = [box.scope_box.itemText(i) for i in range(box.scope_box.count())]
    assert texts == [
        "this image",
        "well A01 (2 images)",
        "noc 0 (2 images)",
        "treatment noc (3 images)",
        "dose 0 (2 images)",
        "all images (3 images)",
    ]
    session.set_current(3)
    assert box.scope_box.itemText(1) == "well A02"


def test_what_would_be_done_is_said_before(box, session):
    session.label_cells([0, 1], 1, image_id=1)
    choose(box, "metaphase", 3)
    assert box.said.text() == (
        "24 cells in 3 images. 2 cells have another label, which is kept. "
        "In 1 image no cells are found yet; they get it when they are."
    )
    box.keep.setChecked(False)
    assert "which is <b>replaced</b>" in box.said.text()
    choose(box, "interphase", 0)
    assert box.said.text() == "12 cells in 1 image."


def test_a_well_gets_its_class_and_the_status_bar_says_whence(box, session, told):
    choose(box, "metaphase", 1)
    press(box.give)
    assert told == ["24 cells labelled. Ctrl+Z takes it back."]
    assert describe_cell(session, 0).endswith("labelled metaphase, given to well A01")
    press(box.give)
    assert told[-1] == "No label had to change."
    session.undo()
    assert not any(session.counts().values())


def test_what_was_given_is_taken_back(box, session, told):
    choose(box, "metaphase", 0)
    press(box.give)
    choose(box, "no class (take it back)", 0)
    assert "labels by hand stay" in box.said.text()
    press(box.give)
    assert told[-1] == "12 cells without label again. Ctrl+Z takes it back."


def test_a_class_for_each_dose(box, session, told):
    assert box.said_by.text().startswith("0, 1 µM: 24 cells in 3 images.")
    press(box.give_by)
    assert session.scheme.names == ("0", "1 µM")
    assert told == ["24 cells labelled by dose. Ctrl+Z takes it back."]
    assert session.image_class(3) == session.scheme.by_name("1 µM").id
    assert "another label" not in box.said_by.text()


def test_without_classes_there_is_nothing_to_give(box, session):
    for class_id in session.scheme.ids:
        session.delete_class(class_id)
    assert box.said.text().startswith("There are no classes yet.")
    assert not box.give.isEnabled()
    assert box.give_by.isEnabled()


def test_without_doses_it_says_where_to_give_them(box, session):
    session.set_facts({i: ImageFacts() for i in (1, 2, 3)})
    assert "No image has a dose yet" in box.said_by.text()
    assert not box.give_by.isEnabled()
    session.close()
    assert box.said.text() == "Open an image first."
    assert not box.give.isEnabled()


def test_nothing_is_counted_while_nobody_looks(box, session):
    box.hide()
    before = box.said.text()
    session.label_cells([0], 2, image_id=1)
    assert box.said.text() == before
    box.show()
    assert box.said.text() != before
