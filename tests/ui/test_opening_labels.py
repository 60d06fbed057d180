"""Label images among what is opened are asked about, once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.utils.notifications import notification_manager

from napari_cellstage.session import Session
from napari_cellstage.ui.opening import Opening
from napari_cellstage.ui.opening_labels import LabelAnswer
from napari_cellstage.ui.opening_questions import Answer


@pytest.fixture
def session(empty_session):
    return empty_session


def image(file: Path) -> Path:
    file.parent.mkdir(exist_ok=True, parents=True)
    tifffile.imwrite(file, np.random.default_rng(len(file.name)).integers(0, 255, (30, 40)).astype(np.uint8))
    return file


def labels(file: Path, shape: tuple[int, int] = (30, 40)) -> Path:
    file.parent.mkdir(exist_ok=True, parents=True)
    made = np.zeros(shape, np.uint16)
    made[5:15, 5:15], made[5:15, 20:30] = 1, 2
    tifffile.imwrite(file, made)
    return file


def opened(opening: Opening, *paths: Path) -> None:
    opening.open_paths(paths)
    opening.wait()


def answer(opening: Opening, what: str) -> None:
    opening.question.buttons[what].click()
    opening.wait()


def cells(session: Session) -> dict[str, int]:
    return {state.name: state.cells or 0 for state in session.image_states()}


def test_label_images_become_cells_and_the_answer_is_remembered(opening, session, tmp_path):
    for name in ("a", "b"):
        image(tmp_path / "one" / f"{name}.tif"), labels(tmp_path / "one" / f"{name}_masks.tif")
    opened(opening, tmp_path / "one")
    assert cells(session) == {"a.tif": 0, "b.tif": 0}
    assert opening.question.text.text() == "2 files look like the cells of others, such as 'a_masks.tif'."
    assert [one.text() for one in opening.question.buttons.values()] == ["Use as cells", "As images", "Not now"]
    answer(opening, LabelAnswer.CELLS)
    assert cells(session) == {"a.tif": 2, "b.tif": 2}
    assert notification_manager.records[-1].message == "2 images got 4 cells from the label images beside them."
    opened(opening, image(tmp_path / "two" / "c.tif"), labels(tmp_path / "two" / "labels_c.tif"))
    assert opening.question is None
    assert cells(session)["c.tif"] == 2


def test_label_images_may_be_images(opening, session, tmp_path):
    opened(opening, image(tmp_path / "a.tif"), labels(tmp_path / "a_mask.tif"))
    assert opening.question.text.text() == "1 file looks like the cells of another: 'a_mask.tif'."
    answer(opening, Answer.SEPARATE)
    assert cells(session) == {"a.tif": 0, "a_mask.tif": 0}


def test_not_now_is_asked_again(opening, session, tmp_path):
    files = image(tmp_path / "a.tif"), labels(tmp_path / "a_mask.tif")
    for _time in range(2):
        opened(opening, *files)
        answer(opening, Answer.NOT_NOW)
    assert cells(session) == {"a.tif": 0}


def test_cells_that_are_there_are_only_replaced_when_the_user_says_so(opening, session, tmp_path):
    files = image(tmp_path / "a.tif"), labels(tmp_path / "a_mask.tif")
    opened(opening, files[0])
    own = np.zeros((30, 40), np.uint16)
    own[6:14, 6:14] = 77
    session.set_labels(own)
    opened(opening, files[1])  # by itself, while its image is open
    assert opening.question.text.text().endswith("1 of these images has cells already.")
    answer(opening, LabelAnswer.CELLS)
    assert session.cells().cell_id.tolist() == [77]
    assert "had cells already, and kept them" in notification_manager.records[-1].message
    opened(opening, *files)
    assert session.cells().cell_id.tolist() == [77], "a remembered answer replaces nothing"
    opened(opening, files[1])
    answer(opening, LabelAnswer.ANEW)
    assert session.cells().cell_id.tolist() == [1, 2]
    session.undo()
    assert session.cells().cell_id.tolist() == [77]


def test_one_that_does_not_fit_is_said(opening, session, tmp_path):
    for name, shape in (("a", (30, 40)), ("b", (20, 40))):
        image(tmp_path / f"{name}.tif"), labels(tmp_path / f"{name}_mask.tif", shape)
    opened(opening, *sorted(tmp_path.glob("*.tif")))
    answer(opening, LabelAnswer.CELLS)
    assert cells(session) == {"a.tif": 2, "b.tif": 0}
    assert "b_mask.tif: The labels have the shape (20, 40), but" in notification_manager.records[-1].message


def test_numbered_images_are_asked_about_before_their_labels(opening, session, tmp_path):
    for n in range(3):
        image(tmp_path / f"field_{n}.tif"), labels(tmp_path / f"field_{n}_mask.tif")
    opened(opening, *sorted(tmp_path.glob("*.tif")))
    answer(opening, Answer.SEPARATE)
    answer(opening, LabelAnswer.CELLS)
    assert cells(session) == {f"field_{n}.tif": 2 for n in range(3)}


def test_folders_of_images_and_masks_are_no_classes(opening, session, tmp_path):
    for name in ("a", "b"):
        image(tmp_path / "data" / "images" / f"{name}.tif"), labels(tmp_path / "data" / "masks" / f"{name}.tif")
    opened(opening, tmp_path / "data")
    answer(opening, LabelAnswer.CELLS)
    assert opening.question is None
    assert cells(session) == {"a.tif": 2, "b.tif": 2}


def test_the_channel_of_nuclei_is_told_by_its_looks(opening, session, tmp_path):
    y, x = np.mgrid[:200, :200]
    spots = (((y % 40) - 20) ** 2 + ((x % 40) - 20) ** 2 < 100) * 200
    net = (((y + x) % 17 < 3) | ((y - 2 * x) % 23 < 3)) * 200
    tifffile.imwrite(
        tmp_path / "a.tif", np.stack([net, spots]).astype(np.uint8), metadata={"axes": "CYX"}, photometric="minisblack"
    )
    opened(opening, tmp_path / "a.tif")
    assert session.find_channel == 1
