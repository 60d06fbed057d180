"""Weights of two classifiers, from cells that neither was shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from napari_cellstage.learn.stacking import Weights, chosen_weights, plain, weighed


def two(seed: int, cells: int, good: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Return what two classifiers say of cells of four classes, each good at some of them only."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, cells)
    parts = []
    for known in good:
        scores = rng.normal(0, 1, (cells, 4))
        scores[np.arange(cells), labels] += np.where(np.isin(labels, known), 4.0, 0.0)
        parts.append(log_softmax(scores, axis=1))
    return np.concatenate(parts, axis=1), labels


def right(weights: Weights, said: np.ndarray, labels: np.ndarray) -> float:
    return float((weights.scores(said).argmax(axis=1) == labels).mean())


def test_each_is_believed_where_it_is_good() -> None:
    said, labels = two(0, 600, ((0, 1), (2, 3)))
    new, truth = two(1, 600, ((0, 1), (2, 3)))
    weights, scores = chosen_weights(said, labels, np.arange(600) % 4, None)
    assert right(weights, new, truth) > right(plain(4), new, truth) + 0.02
    assert (scores.argmax(axis=1) == labels).mean() == pytest.approx(right(weights, new, truth), abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 500), st.integers(8, 40))
def test_few_cells_leave_nearly_the_mean(seed: int, cells: int) -> None:
    said, labels = two(seed, cells, ((0, 1, 2, 3), (0, 1, 2, 3)))
    weights, _ = chosen_weights(said, labels, np.arange(cells) % 2, None)
    assert np.abs(weights.slopes - plain(4).slopes).max() < 0.5


def test_it_is_scikit_learns_regression_around_the_mean() -> None:
    """With nothing pulled, both find the same chances."""
    said, labels = two(3, 300, ((0, 1), (1, 2, 3)))
    ours = weighed(said, labels, None, 1e-3)
    theirs = LogisticRegression(C=1e3, max_iter=5000).fit(said, labels)
    assert (ours.scores(said).argmax(axis=1) == theirs.predict(said)).mean() > 0.98


def test_rare_cells_count_as_they_are_worth() -> None:
    said, labels = two(4, 400, ((0, 1), (2,)))
    rare = labels == 3
    some, more = (weighed(said, labels, np.where(rare, worth, 1.0), 30.0) for worth in (1.0, 20.0))
    said_3 = [(one.scores(said).argmax(axis=1) == 3).mean() for one in (some, more)]
    assert said_3[1] > said_3[0]


def test_they_survive_json_and_refuse_what_does_not_fit() -> None:
    weights = weighed(*two(5, 50, ((0,), (1, 2, 3))), None, 30.0)
    again = Weights.from_dict(json.loads(json.dumps(weights.to_dict())))
    assert np.array_equal(again.slopes, weights.slopes)
    with pytest.raises(ValueError, match="do not fit 4 classes"):
        Weights.from_dict(weights.to_dict() | {"slopes": [[1.0]]})
