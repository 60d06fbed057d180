"""The choice between two models, and that its score is not flattered by having chosen."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.learn.choice import choose

CLASSES = ClassScheme.from_names(["a", "b"])


def answers(right, groups, names=None):
    """Return answers that are right where told; the truth is 0 and 1 in turn."""
    truth = np.arange(len(right)) % 2
    said = np.where(right, truth, 1 - truth)
    probabilities = np.where(said[:, None] == np.arange(2), 0.9, 0.1).astype(np.float32)
    names = np.arange(len(right)).astype(str) if names is None else names
    return Unseen(names, truth, groups, np.zeros(len(right), np.int64), probabilities, probabilities, CLASSES)


def test_the_better_one_is_taken_and_its_score_is_its_own_where_all_groups_agree():
    groups = np.repeat(["x", "y", "z"], 20)
    good, bad = np.arange(60) % 10 > 0, np.arange(60) % 10 > 3
    found = choose(answers(bad, groups), answers(good, groups))
    assert found.takes_second
    assert found.scores.accuracy == pytest.approx(0.9)
    assert not choose(answers(good, groups), answers(bad, groups)).takes_second


def test_as_good_is_not_better():
    groups = np.repeat(["x", "y"], 10)
    right = np.arange(20) % 5 > 0
    assert not choose(answers(right, groups), answers(right, groups)).takes_second


def test_the_score_of_two_models_that_know_nothing_is_that_of_chance():
    """The better of two coins is right in more than half of few throws; a score of choosing must not be."""
    rng = np.random.default_rng(0)
    groups = np.repeat(["u", "v", "w", "x", "y", "z"], 5)
    naive, honest = [], []
    for _ in range(400):
        one, other = (answers(rng.random(30) < 0.5, groups) for _ in range(2))
        naive.append(max(float((a.predicted == a.truth).mean()) for a in (one, other)))
        honest.append(choose(one, other).scores.accuracy if len(honest) < 60 else _accuracy(one, other))
    assert np.mean(naive) > 0.54
    assert np.mean(honest) < 0.51


def _accuracy(one, other):
    from napari_cellstage.learn.choice import _cross_fitted

    mixed = _cross_fitted(one, other, 0)
    return float((mixed.predicted == mixed.truth).mean())


def test_one_group_is_halved_by_cell():
    groups = np.array(["x"] * 40)
    found = choose(answers(np.arange(40) % 4 > 0, groups), answers(np.arange(40) % 8 > 0, groups))
    assert found.takes_second
    assert found.scores.n == 40


def test_only_cells_that_both_have_are_compared():
    groups = np.repeat(["x", "y"], 10)
    right = np.arange(20) % 5 > 0
    other = answers(right, groups, np.arange(10, 30).astype(str))
    assert choose(answers(right, groups), other).scores.n == 10
    with pytest.raises(TrainingError, match="0 common cells"):
        choose(answers(right, groups), answers(right, groups, np.arange(50, 70).astype(str)))


def test_one_cell_is_no_mistake():
    assert choose(answers(np.array([True]), np.array(["x"])), answers(np.array([True]), np.array(["x"]))).scores.n == 1
