"""Persons against the model: everyone on the same cells, nobody against himself."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.people.against_model import people_against_model
from tests.core.people.test_agreement import answers


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_known_cells_judge_persons_vote_and_model():
    some = answers([[1, 1, 2], [2, 2, 2], [1, 2, 3], [3, 3, 1], [1, 1, 1]])

    found = people_against_model(some, known=ids(1, 2, 3, 3, 1), model=ids(1, 2, 3, 1, 0))

    assert (found.cells, found.known, found.left_out, found.unseen) == (4, 4, 1, True)
    accuracy = {one.name: one.accuracy for one in found.standings}
    assert accuracy["Ada"] == 0.75
    assert accuracy["Bob"] == 0.75
    assert accuracy["Cy"] == 0.5
    assert accuracy["Average of persons"] == pytest.approx(2 / 3)
    assert accuracy["Best person: Ada"] == 0.75
    assert accuracy["Vote of all"] == 1  # of three cells: there is no majority for the third
    assert accuracy["Model"] == 0.75
    ada = found.standings[0]
    assert ada.paired is not None
    assert (int(ada.paired.won.sum()), int(ada.paired.lost.sum())) == (1, 1)
    assert found.people_confusion[0] == "Vote of all"
    assert found.people_confusion[1].sum() == 3
    assert "4 cells: 4 with a settled or known class. 1 more are left out" in found.text


def test_without_known_cells_each_is_measured_by_the_others():
    some = answers([[1, 1, 2], [2, 2, 2], [1, 2, 3]])

    found = people_against_model(some, known=ids(0, 0, 0), model=ids(1, 1, 1))

    standing = {one.name: (one.n, one.accuracy, one.model) for one in found.standings}
    assert standing["Cy"] == (2, 0.5, 0.5)  # the others say 1 and 2, and disagree on the third
    assert standing["Ada"] == (1, 1.0, 0.0)
    assert "Vote of all" not in standing  # it is the reference itself
    assert found.people_confusion[0] == "All persons"
    assert "against what most of the other persons said" in found.text


def test_without_a_model_persons_are_still_compared():
    found = people_against_model(answers([[1, 1], [2, 1]]), known=ids(1, 2))

    assert not found.unseen
    assert "train it to compare" in found.text
    assert found.of("model") is None
    assert found.standings[0].paired is None


def test_one_person_and_nothing_known_is_a_sentence():
    found = people_against_model(answers([[1], [2]]), known=ids(0, 0), model=ids(1, 1))

    assert found.standings == ()
    assert "It takes cells that two persons labelled" in found.text


def test_the_interval_of_an_accuracy_stays_within_0_and_1_also_where_images_differ_much():
    known = np.array([1] * 30)
    said = np.array([2] * 20 + [1] * 10)  # all wrong in two images, all right in the third
    images = np.repeat([1, 2, 3], 10)
    found = people_against_model(answers([[one] for one in said], images=images.tolist()), known)
    assert found.standings[0].interval == (0.0, 1.0)


def test_cells_of_images_that_the_model_was_trained_on_are_said_to_flatter_it():
    said = answers([[1, 1], [2, 1], [1, 1]])
    found = people_against_model(said, known=ids(1, 1, 1), model=ids(1, 1, 0), near=np.array([True, False, True]))
    assert found.near == 1, "of those that are compared"
    assert "Of 1 the model was trained on other cells of the same image, which flatters it." in found.text
    assert "flatters" not in people_against_model(said, known=ids(1, 1, 1), model=ids(1, 1, 0)).text
