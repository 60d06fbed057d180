"""Images taken out of a project: nothing of them is lost, and they come back by undo or by adding them again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import ClassSchemeError, ProjectError
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import open_image
from napari_cellstage.session import Session
from tests.session.scene import grid, predicted, stack_for, watch


@pytest.fixture
def three(session: Session) -> Session:
    """Three images with nine cells each; two labels in the first, three in the second; the second is current."""
    session.use_template("exposure")
    for seed in range(3):
        session.add_image(stack_for(grid(), f"field {seed}", seed))
        session.set_labels(grid())
    session.label_cells([0, 1], 1, 1)
    session.label_cells([0, 1, 2], 2, 2)
    session.set_facts({2: ImageFacts(well="B03")})
    session.set_current(2)
    return session


def everything(session: Session) -> list[object]:
    seen = [[session.class_ids(i).tolist(), session.origins(i).tolist()] for i in (e.image_id for e in session.images)]
    return [seen, session.image_states(), session.counts(), session.facts_all(), session.class_counts()]


def test_what_is_removed_is_gone_from_everything_and_undo_brings_it_back(three: Session) -> None:
    before = everything(three)
    heard = watch(three, "images_changed", "current_changed", "history_changed", "labels_changed")
    three.remove_images([2])
    assert heard == [("images_changed",), ("current_changed",), ("history_changed",)]
    assert [entry.image_id for entry in three.images] == [1, 3]
    assert three.current_id == 3
    assert three.counts() == {1: 2, 2: 0, 3: 0}
    assert (three.facts_all(), list(three.class_counts())) == ({}, [1, 3])
    assert [image.image_id for image in three.snapshot().images] == [1, 3]
    assert [image.image_id for image in three.export_source().images] == [1, 3]
    assert not three.set_predictions({2: predicted(three, 9)}, three.snapshot().version)
    with pytest.raises(ProjectError, match="no image number 2"):
        three.labels(2)
    three.undo()
    assert three.current_id == 2
    assert everything(three) == before
    three.redo()
    assert [entry.image_id for entry in three.images] == [1, 3]


def test_removed_images_stay_removed_and_keep_their_labels_on_the_disk(three: Session) -> None:
    before = everything(three)
    three.remove_images([2, 3])
    assert three.current_id == 1
    folder = three.project.folder  # type: ignore[union-attr]
    three.close()
    three.open_project(folder)
    assert [entry.image_id for entry in three.images] == [1]
    assert (three.counts(), three.can_undo) == ({1: 2, 2: 0, 3: 0}, False)
    copied = folder.with_name("copy.cellstage")
    three.save_project_as(copied)
    assert three.add_image(stack_for(grid(), "field 1", 1)) == 2
    assert three.add_images([stack_for(grid(), "field 2", 2)]) == (3,)
    three.set_current(2)
    assert everything(three) == before
    three.undo()
    three.undo()
    assert [entry.image_id for entry in three.images] == [1]


def test_a_file_that_is_opened_again_comes_back_with_its_labels(session: Session, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((30, 30), dtype=np.uint8))
    session.use_template("exposure")
    session.add_image(open_image(tmp_path / "a.tif"))
    session.set_labels(grid()[0, 0])
    session.label_cells([4], 2)
    session.remove_images([1])
    assert (session.images, session.current_id, session.current, session.problems) == ((), None, None, ())
    assert (len(session.cells()), session.labels(), session.predictions(), session.tracks()) == (0, None, None, None)
    folder = session.project.folder  # type: ignore[union-attr]
    session.close()
    assert session.add_image(open_image(tmp_path / "a.tif")) == 1, "the project that holds it is found"
    assert session.project.folder == folder  # type: ignore[union-attr]
    assert session.class_ids().tolist() == [0, 0, 0, 0, 2, 0, 0, 0, 0]


def test_deleting_a_class_takes_labels_of_removed_images_too(three: Session) -> None:
    three.remove_images([2])
    assert three.labels_with(2) == 3
    with pytest.raises(ClassSchemeError, match="already labelled"):
        three.use_template("cell cycle")
    heard = watch(three, "labels_changed")
    three.delete_class(2)
    assert heard == [], "nobody shows the labels of an image that was removed"
    three.add_image(stack_for(grid(), "field 1", 1))
    assert three.class_ids(2).tolist() == [0] * 9
    for _ in range(3):
        three.undo()
    assert three.class_ids(2).tolist() == [2, 2, 2, 0, 0, 0, 0, 0, 0]
    assert three.counts() == {1: 2, 2: 3, 3: 0}


def test_class_folders_come_back_as_they_were_labelled(session: Session, tmp_path: Path) -> None:
    for place, name in enumerate(("a", "b")):
        (tmp_path / "crops" / name).mkdir(parents=True)
        for number in range(2):
            values = np.full((9, 9), 50 * place + number + 1, dtype=np.uint8)
            tifffile.imwrite(tmp_path / "crops" / name / f"c{number}.tif", values)
    crops = read_class_folders(tmp_path / "crops")
    image_id = session.add_sheet(crops, tmp_path / "crops")
    session.label_cells([0], 2)
    before = session.class_ids().tolist()
    session.remove_images([image_id])
    assert session.add_sheet(crops, tmp_path / "crops") == image_id
    assert session.class_ids().tolist() == before
    assert len(session.images) == 1


def test_a_read_only_project_keeps_its_images(three: Session) -> None:
    reader = Session(three.home)
    reader.open_project(three.project.folder)  # type: ignore[union-attr]
    with pytest.raises(ProjectError, match="read-only"):
        reader.remove_images([1])
    assert len(reader.images) == 3
    reader.close()
