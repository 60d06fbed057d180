"""Plates, wells and doses of a project, and classes given by them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import ProjectError, ReadOnlyError
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import open_image
from napari_cellstage.core.journal import Journal
from napari_cellstage.session import Session
from tests.session.scene import grid

WELLS = ("A01", "A02", "B01", "B02")


@pytest.fixture
def plate(session, tmp_path) -> Session:
    """Four images with nine cells each; rows are replicates, columns are doses."""
    labels = grid()
    for number, well in enumerate(WELLS):
        path = tmp_path / "run 7" / f"{well}_f1.tif"
        path.parent.mkdir(exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, labels.shape[-2:]).astype(np.uint8)
        tifffile.imwrite(path, pixels)
        session.set_labels(labels, session.add_image(open_image(path)))
    doses = {"A01": "0 µM", "A02": "1 µM", "B01": "0 µM", "B02": "1 µM"}
    session.set_facts({i + 1: ImageFacts("P1", well, "", "noc", doses[well]) for i, well in enumerate(WELLS)})
    return session


def test_facts_are_kept_and_told(plate):
    told = []
    plate.facts_changed.connect(lambda: told.append(1))
    plate.set_facts({1: ImageFacts(well="C03")})
    plate.set_facts({1: ImageFacts(well="C03")})
    assert told == [1]
    plate.set_facts({2: ImageFacts()})
    folder = plate.project.folder
    plate.close()
    assert plate.facts_all() == {}
    plate.open_project(folder)
    assert plate.facts(1) == ImageFacts(well="C03")
    assert plate.facts(2) == ImageFacts()
    assert list(plate.facts_all()) == [1, 3, 4]


def test_a_copy_of_the_project_has_the_facts(plate, tmp_path):
    plate.save_project_as(tmp_path / "copy")
    assert plate.facts(3).well == "B01"


def test_facts_of_an_image_that_is_not_there_change_nothing(plate):
    with pytest.raises(ProjectError, match="no image number 9"):
        plate.set_facts({1: ImageFacts(well="H12"), 9: ImageFacts()})
    assert plate.facts(1).well == "A01"


def test_a_read_only_project_refuses_facts_with_its_reason(plate):
    other = Session(plate.home)
    other.open_project(plate.project.folder)
    with pytest.raises(ReadOnlyError, match="open read-only"):
        other.set_facts({1: ImageFacts()})
    assert other.facts(1).well == "A01"
    other.close()


def test_names_that_patterns_read_are_relative_to_the_common_folder(plate):
    assert plate.source_names() == {i + 1: f"run 7/{well}_f1" for i, well in enumerate(WELLS)}


def test_a_class_for_a_well_is_one_undo_and_its_origin_is_kept(plate):
    plate.use_template("exposure")
    assert plate.label_images((1, 3), 2, "well") == 18
    assert set(plate.origins(1)) == {"well"}
    assert plate.class_counts()[1] == {0: 0, 2: 9}
    plate.undo()
    assert plate.class_counts()[3] == {0: 9}


def test_labels_that_cells_have_are_kept_where_that_is_wanted(plate):
    plate.use_template("exposure")
    plate.label_cells([0, 1], 1, image_id=1)
    assert plate.label_images((1, 2), 2, "well", keep=True) == 16
    assert plate.class_ids(1)[:3].tolist() == [1, 1, 2]
    assert plate.label_images((1,), 3) == 9
    plate.undo()
    assert plate.class_ids(1)[:3].tolist() == [1, 1, 2]


def test_taking_a_class_back_leaves_labels_by_hand(plate):
    plate.use_template("exposure")
    plate.label_images((1,), 2)
    plate.label_cells([0], 1, image_id=1)
    plate.label_cells([1], 2, image_id=1)
    assert plate.label_images((1,), 0) == 7, "given by hand once more, a label is the user's own"
    assert plate.class_ids(1)[:3].tolist() == [1, 2, 0]
    assert plate.label_images((2,), 0) == 0


def test_classes_from_doses_are_made_and_given_in_one_undo(plate):
    plate.use_template("cell cycle")
    before = plate.scheme
    assert plate.label_by("dose") == 36
    assert plate.scheme.names == ("0 µM", "1 µM")
    assert plate.scheme.kind == "ordered"
    low, high = plate.scheme.ids
    assert [plate.class_ids(i)[0] for i in (1, 2, 3, 4)] == [low, high, low, high]
    assert plate.image_class(2) == high
    plate.undo()
    assert plate.scheme == before
    assert not any(plate.counts().values())
    plate.redo()
    assert plate.counts() == {low: 18, high: 18}


def test_cells_that_are_found_later_get_the_class_of_their_well(plate):
    plate.set_labels(np.zeros_like(grid()), 4)
    plate.label_by("dose")
    plate.set_labels(grid(), 4)
    assert set(plate.class_ids(4)) == {plate.scheme.by_name("1 µM").id}
    assert set(plate.origins(4)) == {"well"}


def test_classes_that_cells_have_stay_beside_those_of_treatments(plate):
    plate.use_template("exposure")
    plate.label_cells([0], 1, image_id=1)
    assert plate.label_by("treatment", keep=True) == 35
    assert plate.scheme.names == ("0", "0.1", "1", "noc")
    assert plate.class_ids(1)[0] == 1


def test_a_project_without_facts_has_nothing_to_give(session):
    assert session.label_by("dose") == 0
    assert not session.can_undo


def test_a_snapshot_says_plate_and_well(plate):
    plate.label_by("dose")
    images = {one.image_id: one for one in plate.snapshot().images}
    assert images[1].plate == "P1"
    assert set(images[1].groups) == {"well P1 A01"}
    assert len(images[1].groups) == len(images[1].cells) == 9
    plate.split_by = "plate"
    assert {set(one.groups).pop() for one in plate.snapshot().images} == {"plate P1"}
    plate.split_by = "image"
    assert all(one.groups is None for one in plate.snapshot().images)
    plate.put_setting("split by", "nonsense")
    assert plate.split_by == "auto"


def test_cells_of_one_donor_stay_together_over_wells(plate):
    known = plate.facts_all()
    plate.set_facts({i: replace(known[i], donor="7" if i < 4 else "8") for i in known})
    plate.label_by("dose")
    plate.split_by = "donor"
    groups = {one.image_id: set(one.groups) for one in plate.snapshot().images}
    assert groups == {1: {"donor 7"}, 2: {"donor 7"}, 3: {"donor 7"}, 4: {"donor 8"}}
    assert plate.facts(4).text.endswith("donor 8")


def test_a_project_made_before_donors_gets_the_column(plate):
    folder = plate.project.folder
    plate.close()
    with closing(sqlite3.connect(folder / "project.sqlite")) as db:
        db.execute("ALTER TABLE image_facts DROP COLUMN donor")
    with closing(Journal(folder / "project.sqlite", read_only=True)) as old:
        assert old.facts()[1] == ImageFacts("P1", "A01", "", "noc", "0 µM")
    plate.open_project(folder)
    plate.set_facts({1: ImageFacts(donor="3")})
    assert plate.facts(1) == ImageFacts(donor="3")
    assert plate.facts(2).donor == ""
