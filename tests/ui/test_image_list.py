"""The list of images: state of each, one click to go there, narrowed, and missing files found at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import open_image
from napari_cellstage.session import Session
from napari_cellstage.ui import image_list as module
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
    qtbot.waitUntil(lambda: lines(listed)[1][2] == "all 2")
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
