"""Predictions: the one table, and answers that follow cells by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.predictions import (
    HELD_OUT,
    NEITHER,
    TRAINED,
    Predictions,
    annotation_frame,
    joined,
    with_notes,
)

SCHEME = ClassScheme.from_names(["G1", "S", "M"])


@pytest.fixture
def cells() -> CellTable:
    labels = np.zeros((1, 1, 8, 8), dtype=np.int32)
    labels[0, 0, 0:2, 0:2] = 4
    labels[0, 0, 4:6, 4:6] = 9
    labels[0, 0, 7, 7] = 11
    return CellTable.from_labels(labels)


@pytest.fixture
def predictions() -> Predictions:
    probabilities = np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4], [np.nan] * 3], dtype=np.float32)
    return Predictions(probabilities, (1, 2, 3), np.array([TRAINED, HELD_OUT, NEITHER], dtype=np.uint8), "run-1")


def test_top_class_confidence_and_runner_up(predictions: Predictions) -> None:
    np.testing.assert_array_equal(predictions.predicted, [2, 1, 0])
    np.testing.assert_allclose(predictions.confidence, [0.7, 0.5, 0.0], rtol=1e-6)
    np.testing.assert_array_equal(predictions.runner_up, [1, 3, 0])
    assert predictions.confidence.dtype == np.float32


def test_one_class_has_no_runner_up() -> None:
    one = Predictions(np.ones((2, 1), np.float32), (5,), np.zeros(2, np.uint8))
    np.testing.assert_array_equal(one.runner_up, [0, 0])


def test_frame_has_the_columns_of_predictions_csv(predictions: Predictions, cells: CellTable) -> None:
    frame = predictions.to_frame("a.tif", cells, np.array([1, 0, 3]), SCHEME)
    assert list(frame.columns) == [
        "image",
        "cell_id",
        "t",
        "z",
        "y",
        "x",
        "label",
        "predicted",
        "confidence",
        "p_G1",
        "p_S",
        "p_M",
        "part",
    ]
    assert frame["label"].tolist() == ["G1", "", "M"]
    assert frame["predicted"].tolist() == ["S", "G1", ""]
    assert frame["part"].tolist() == ["training", "held out", "neither"]
    assert frame["cell_id"].tolist() == [4, 9, 11]


def test_frame_without_predictions_is_the_beginning_of_it(predictions: Predictions, cells: CellTable) -> None:
    ids = np.array([1, 0, 3])
    short = annotation_frame("a.tif", cells, ids, SCHEME)
    full = predictions.to_frame("a.tif", cells, ids, SCHEME)
    assert short.equals(full[list(short.columns)])


def test_placed_moves_answers_and_leaves_new_rows_open(predictions: Predictions) -> None:
    placed = predictions.placed(np.array([3, -1, 0]), 4)
    np.testing.assert_array_equal(placed.predicted, [0, 0, 0, 2])
    np.testing.assert_array_equal(placed.part, [NEITHER, NEITHER, NEITHER, TRAINED])
    assert placed.run == "run-1"


def test_arrays_go_by_name(predictions: Predictions, cells: CellTable) -> None:
    arrays = predictions.to_arrays(cells)
    assert not any(array.dtype.hasobject for array in arrays.values())
    backwards = AnnotatedImage(None, cells.take(np.array([2, 1, 0])), {}, 1)
    back = Predictions.from_arrays(arrays, backwards.rows_of, 3)
    assert back is not None
    np.testing.assert_array_equal(back.predicted, [0, 1, 2])
    assert (back.class_ids, back.run) == ((1, 2, 3), "run-1")


def test_arrays_that_lack_something_are_no_predictions(predictions: Predictions, cells: CellTable) -> None:
    arrays = predictions.to_arrays(cells)
    del arrays["part"]
    assert Predictions.from_arrays(arrays, AnnotatedImage(None, cells, {}, 1).rows_of, 3) is None


def test_the_frame_says_how_unlike_the_training_cells_each_is(predictions: Predictions, cells: CellTable) -> None:
    known = replace(predictions, unlike=np.array([0.4, 1.3, np.nan], dtype=np.float32))

    frame = known.to_frame("a.tif", cells, np.array([1, 0, 3]), SCHEME)

    assert list(frame.columns)[8:11] == ["confidence", "unlike", "flagged"]
    assert frame["flagged"].tolist() == [False, True, False]
    assert frame["predicted"].tolist() == ["S", "G1", ""]
    older = predictions.to_frame("b.tif", cells, np.array([1, 0, 3]), SCHEME)
    both = joined([frame.assign(track=0), older.assign(track=0)])
    assert both["flagged"].tolist() == [False, True, False, False, False, False]
    assert both["flagged"].dtype == bool


def test_some_rows_have_the_answers_of_those_rows():
    chances = np.array([[0.9, 0.1], [0.2, 0.8], [np.nan, np.nan]], dtype=np.float32)
    every = Predictions(chances, (4, 7), np.array([0, 1, 2], np.uint8), "r", unlike=np.array([0.5, 2, 1], np.float32))
    some = every.take(np.array([2, 1]))
    assert some.predicted.tolist() == [0, 7]
    assert some.part.tolist() == [2, 1]
    assert some.flagged.tolist() == [False, True]
    assert some.embedding is None
    assert some.run == "r"


def test_two_hundred_classes_are_a_table_without_a_warning(cells: CellTable) -> None:
    scheme = ClassScheme.from_names([f"class {number}" for number in range(200)])
    chances = np.full((len(cells), 200), 1 / 200, np.float32)
    found = Predictions(chances, scheme.ids, np.zeros(len(cells), np.uint8))
    frame = with_notes(
        found.to_frame("a.tif", cells, np.ones(len(cells), int), scheme), np.array([""] * len(cells)), None, ""
    )
    assert list(frame.columns)[-3:] == ["p_class 199", "part", "found_in"]
