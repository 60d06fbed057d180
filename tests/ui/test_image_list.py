"""The list of images: state of each, one click to go there, narrowed, and missing files found at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMessageBox

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import open_image
from napari_cellstage.session import Session
from napari_cellstage.ui import image_list as module
from napari_cellstage.ui import image_removal as removal
from napari_cellstage.ui.image_list import ImageList
from napari_cellstage.ui.image_table import SHOWN


def files_in(folder: Path, count: int) -> list[Path]:
    folder.mkdir(parents=True)
    for number in range(count):
        tifffile.imwrite(folder / f"f{number}.tif", np.full((20, 20), number, dtype=np.uint8))
    return sorted(folder.iterdir())


def cells() -> np.ndarray:
    labels = np.zeros((20, 20), dtype=int)
    labels[2:8, 2:8], labels[2:8, 12:18] = 1, 2
    return labels


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path / "home")
    made.use_template("exposure")
    made.add_images([open_image(file) for file in files_in(tmp_path / "images", 10)])
    made.set_labels(cells(), 2)
    made.label_cells([1], 1, 2)
    yield made
    made.close()


@pytest.fixture
def listed(qtbot, session: Session) -> ImageList:
    made = ImageList(session)
    qtbot.addWidget(made)
    made.show()
    return made


def lines(listed: ImageList) -> list[list[str]]:
    model = listed.narrowed
    return [[model.index(row, c).data() for c in range(model.columnCount())] for row in range(model.rowCount())]


def test_each_line_says_what_is_known(qtbot, listed: ImageList, session: Session) -> None:
    assert lines(listed)[:2] == [["f0.tif", "", "no cells", ""], ["f1.tif", "", "1/2", ""]]
    assert listed.view.isColumnHidden(1)
    session.label_cells([0], 2, 2)
    qtbot.waitUntil(lambda: lines(listed)[1][2] == "all 2", timeout=20_000)
    session.set_facts({2: ImageFacts(well="B03", dose="0.1 µM")})
    assert lines(listed)[1][1] == "B03 0.1 µM"
    session.set_facts({2: ImageFacts(well="B03", field="2", dose="0.1 µM")})
    assert lines(listed)[1][1] == "B03/2 0.1 µM"
    assert not listed.view.isColumnHidden(1)
    assert "B03" in listed.table.index(1, 0).data(3)


def test_a_click_and_the_arrows_go_there(listed: ImageList, session: Session) -> None:
    assert listed.place.text() == "1 of 10"
    assert not listed.before.isEnabled()
    listed.view.selectRow(4)
    assert (session.current_id, listed.place.text()) == (5, "5 of 10")
    listed.after.click()
    assert session.current_id == 6
    session.go_to_image(4)
    assert listed.view.currentIndex().data() == "f9.tif"
    assert not listed.after.isEnabled()


@pytest.mark.parametrize(
    ("text", "shown", "left"),
    [("f3", "all", ["f3.tif"]), ("b03", "all", ["f6.tif"]), ("", "labelled", ["f1.tif"]), ("zzz", "all", [])],
)
def test_it_can_be_narrowed(listed: ImageList, session: Session, text: str, shown: str, left: list[str]) -> None:
    session.set_facts({7: ImageFacts(well="B03")})
    listed.text.setText(text)
    listed.shown.setCurrentText(shown)
    assert [line[0] for line in lines(listed)] == left
    assert session.current_id == 1
    listed.text.clear()
    listed.shown.setCurrentText("no cells yet")
    assert len(lines(listed)) == 9
    assert set(SHOWN) == {listed.shown.itemText(i) for i in range(listed.shown.count())}


def test_all_missing_files_are_found_by_one_question(
    qtbot, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = session.project.folder
    session.close()
    (tmp_path / "images").rename(tmp_path / "moved")
    session.open_project(folder)
    assert len(session.problems) == 1
    assert "10 of 10 images can't be opened, such as 'f0.tif'" in session.problems[0]
    assert "Find the 10 missing files" in session.problems[0]
    listed, told = ImageList(session), []
    qtbot.addWidget(listed)
    listed.show()
    assert lines(listed)[0][0] == "⚠ f0.tif"
    assert listed.locate.text() == "Find the 10 missing files…"
    monkeypatch.setattr(module.QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path))
    monkeypatch.setattr(module, "tell", told.append)
    listed.locate.click()
    assert told == ["10 of 10 missing images were found; all are back."]
    assert listed.locate.isHidden()
    assert session.current is not None
    assert session.problems == ()
    assert lines(listed)[1][2] == "1/2"


def press(listed: ImageList, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    listed.view.setFocus()
    QTest.keyClick(listed.view, key, *modifiers)


def answer(monkeypatch: pytest.MonkeyPatch, title: str) -> list[str]:
    """Answer the question by the button with a title; return the questions asked."""
    asked: list[str] = []

    def run(box: QMessageBox) -> None:
        asked.append(box.text())
        next(one for one in box.buttons() if one.text() == title).click()

    monkeypatch.setattr(QMessageBox, "exec_", run, raising=False)
    return asked


def test_a_key_removes_the_image_and_undo_brings_it_back(
    qtbot, listed: ImageList, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(removal, "tell", told.append)
    asked = answer(monkeypatch, "Remove")
    listed.view.selectRow(0)
    with qtbot.waitActive(listed):
        listed.activateWindow()
    listed.view.setFocus()
    qtbot.waitUntil(listed.view.hasFocus)  # where a window of another test goes only now, this takes a moment
    press(listed, Qt.Key.Key_Delete)
    assert (asked, told) == ([], ["Removed: 'f0.tif'. Undo (Ctrl+Z) brings all back."])
    assert lines(listed)[0][0] == "f1.tif"
    assert (session.current_id, listed.view.currentIndex().data()) == (2, "f1.tif")
    assert listed.removal.action.text() == "Remove 'f1.tif' from the project"
    press(listed, Qt.Key.Key_Backspace)
    assert asked == [
        "Remove 'f1.tif' with its 1 label from the project?\n\nUndo (Ctrl+Z) brings all back, and so does opening the "
        "same again, later too. Its file stays where it is."
    ]
    assert told[-1] == "Removed: 'f1.tif' with its 1 label. Undo (Ctrl+Z) brings all back."
    assert session.counts()[1] == 0
    press(listed, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (lines(listed)[0][:3], session.current_id) == (["f1.tif", "", "1/2"], 2)


def test_labels_are_not_removed_by_a_slip(listed: ImageList, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer(monkeypatch, "Cancel")
    listed.view.selectRow(1)
    listed.removal.action.trigger()
    assert len(asked) == 1
    assert (len(session.images), session.counts()[1]) == (10, 1)


def test_several_lines_are_removed_together(
    qtbot, listed: ImageList, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, "Remove")

    def click(row: int, modifier: Qt.KeyboardModifier) -> None:
        place = listed.view.visualRect(listed.narrowed.index(row, 0)).center()
        qtbot.mouseClick(listed.view.viewport(), Qt.MouseButton.LeftButton, modifier, place)

    click(1, Qt.KeyboardModifier.NoModifier)
    click(3, Qt.KeyboardModifier.ShiftModifier)
    click(5, Qt.KeyboardModifier.ControlModifier)
    assert session.current_id == 6
    assert listed.removal.action.text() == "Remove 4 images from the project"
    listed.removal.action.trigger()
    assert asked[0].startswith("Remove 4 images with their 1 label from the project?")
    assert asked[0].endswith("Their files stay where they are.")
    assert [line[0] for line in lines(listed)] == [f"f{n}.tif" for n in (0, 4, 6, 7, 8, 9)]
    assert (session.current_id, listed.place.text()) == (7, "3 of 6")
    click(0, Qt.KeyboardModifier.NoModifier)
    assert listed.removal.action.text() == "Remove 'f0.tif' from the project"
    session.undo()
    assert len(lines(listed)) == 10


def test_all_images_can_be_removed(listed: ImageList, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "Remove")
    listed.view.selectAll()
    listed.removal.action.trigger()
    assert listed.isHidden()
    assert session.current_id is None
    assert not listed.removal.action.isEnabled()
    session.undo()
    assert not listed.isHidden()
    assert session.current_id == 1
