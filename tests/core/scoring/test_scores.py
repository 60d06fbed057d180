from __future__ import annotations

import json

import numpy as np
import pytest

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.scoring.scores import Scores, score


def test_figures_of_a_small_example():
    scores = score(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ["a", "b", "c"])
    assert scores.accuracy == 0.75
    assert scores.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert scores.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert scores.confusion.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert scores.n == 4


def test_the_interval_is_wilsons():
    truth = np.zeros(100, int)
    predicted = np.where(np.arange(100) < 86, 0, 1)
    scores = score(truth, predicted, ["a", "b"])
    # Wilson's formula by hand: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)
    assert (scores.low, scores.high) == pytest.approx((0.7786, 0.9147), abs=5e-4)


def test_the_text_names_accuracy_interval_and_count():
    assert score(np.zeros(212, int), np.repeat([0, 1], [182, 30]), ["a", "b"]).text == "0.86 (0.81–0.90), 212 cells"
    assert score(np.array([0]), np.array([0]), ["a"]).text.endswith("1 cell")


def test_a_class_that_is_only_predicted_costs_f1_but_not_balanced_accuracy():
    scores = score(np.array([0, 0]), np.array([0, 2]), ["a", "b", "c"])
    assert scores.balanced_accuracy == 0.5
    assert scores.macro_f1 == pytest.approx((2 / 3) / 2)


def test_scores_survive_json():
    scores = score(np.array([0, 1, 1]), np.array([0, 1, 0]), ["G1", "💥 S/G2"])
    again = Scores.from_dict(json.loads(json.dumps(scores.to_dict())))
    assert again.text == scores.text
    assert np.array_equal(again.confusion, scores.confusion)
    assert again.classes == scores.classes


def test_no_cells_are_said_plainly():
    with pytest.raises(TrainingError, match=r"There are 0 cells to score on\. Label more cells"):
        score(np.zeros(0, int), np.zeros(0, int), ["a"])
