from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.review.suspects import find_errors, suspicion
from napari_cellstage.core.review.unseen import Unseen


def unseen(truth: list[int], chances: NDArray) -> Unseen:
    chances = np.asarray(chances, dtype=np.float32)
    count, classes = len(truth), chances.shape[1]
    return Unseen(
        names=np.array([str(i) for i in range(count)], dtype=np.str_),
        truth=np.array(truth, dtype=np.int64),
        groups=np.full(count, "image 1"),
        fold=np.zeros(count, dtype=np.int64),
        probabilities=chances,
        raw=chances,
        classes=ClassScheme.from_names([f"class {k}" for k in range(classes)]),
    )


def answers(count: int, classes: int, seed: int = 0) -> tuple[NDArray, NDArray]:
    """Return labels, and answers that are right of nine tenths and sure of themselves."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, count)
    said = np.where(rng.random(count) < 0.9, truth, rng.integers(0, classes, count))
    raw = rng.random((count, classes)) * 0.3
    raw[np.arange(count), said] += 1.5
    raw[np.arange(count), truth] += 0.4
    return truth, raw / raw.sum(axis=1, keepdims=True)


def test_labels_that_were_flipped_are_the_most_suspicious():
    truth, chances = answers(600, 5)
    flipped = np.random.default_rng(1).permutation(600)[:30]
    truth[flipped] = (truth[flipped] + 1) % 5
    data = unseen(truth.tolist(), chances)

    errors = find_errors(data)

    assert np.isin(flipped, np.argsort(-suspicion(data))[:60]).mean() > 0.8
    assert np.isin(errors[:30], flipped).mean() > 0.5
    assert (np.diff(suspicion(data)[errors]) <= 0).all()


def test_suspicion_is_how_little_the_label_fits():
    data = unseen([0, 1, 1], np.array([[0.9, 0.1], [0.75, 0.25], [0.0, 1.0]]))

    assert suspicion(data) == pytest.approx([0.1, 0.75, 0.0])
    assert suspicion(data).dtype == np.float32


def test_a_label_that_the_model_agrees_with_is_never_called_an_error():
    truth, chances = answers(300, 4, seed=3)
    data = unseen(truth.tolist(), chances)

    assert (data.predicted[find_errors(data)] != truth[find_errors(data)]).all()


def test_cells_without_an_answer_are_passed_over():
    truth, chances = answers(50, 3)
    chances[7] = np.nan
    truth[9] = (truth[9] + 1) % 3
    data = unseen(truth.tolist(), chances)

    assert np.isnan(suspicion(data)).tolist() == [i == 7 for i in range(50)]
    assert 7 not in find_errors(data)
    assert 9 in find_errors(data)


@pytest.mark.parametrize(
    ("truth", "chances", "errors"),
    [
        ([], np.zeros((0, 3)), []),
        ([0], [[1.0]], []),  # one class
        ([0, 0], [[0.9, 0.1], [0.2, 0.8]], [1]),  # one class that has labels
        ([0, 1], [[0.9, 0.1], [0.1, 0.9]], []),
        ([0, 1], [[0.1, 0.9], [0.9, 0.1]], [0, 1]),  # two cells
        ([0, 0, 1], [[1.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]], []),  # a class that neither side has
        ([0, 1], [[np.nan, np.nan], [np.nan, np.nan]], []),
    ],
)
def test_few_cells_and_few_classes_give_an_answer(truth, chances, errors):
    data = unseen(truth, np.asarray(chances))

    assert sorted(find_errors(data).tolist()) == errors


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_any_answers_give_rows_in_order_and_no_warning(count, classes, seed):
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(classes) * 0.3, count)
    data = unseen(rng.integers(0, classes, count).tolist(), chances)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values, errors = suspicion(data), find_errors(data)

    assert ((values >= 0) & (values <= 1)).all()
    assert len(set(errors.tolist())) == len(errors)
    assert (data.predicted[errors] != data.truth[errors]).all()
