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


def test_what_is_undefined_is_null_in_json_and_comes_back_as_such():
    groups = np.array([f"movie {i % 3}" for i in range(12)])
    probabilities = np.full((12, 3), 1 / 3)
    truth, predicted = np.repeat([0, 1], 6), np.zeros(12, int)
    scores = score(truth, predicted, ["a", "b", "c"], groups=groups, probabilities=probabilities, kind="cyclic")
    text = json.dumps(scores.to_dict(), allow_nan=False)
    again = Scores.from_dict(json.loads(text))
    assert np.isnan(again.per_class[1].precision)  # never predicted
    assert np.isnan(again.per_class[2].recall)  # never true
    assert json.loads(text)["per_class"][1]["precision"] is None
    assert json.dumps(again.to_dict()) == text
    assert (again.groups, again.interval_over, again.kappa_kind) == (3, "3 movies", "cyclic")
    assert again.intervals["macro_f1"] == scores.intervals["macro_f1"]
    assert again.ece == scores.ece
    assert again.ece_before is None
    assert again.warnings == scores.warnings != ()


def test_cards_of_older_and_newer_versions_still_open():
    old = {"accuracy": 0.75, "low": 0.3, "high": 0.95, "balanced_accuracy": 0.8, "macro_f1": 0.7, "n": 4}
    old |= {"confusion": [[2, 1], [0, 1]], "classes": ["a", "b"]}
    found = Scores.from_dict(old | {"something": "newer"})
    assert found.text == "0.75 (0.30–0.95), 4 cells"
    assert found.per_class == found.warnings == ()
    assert found.kappa is None
    assert np.isnan(found.matthews)
    assert Scores.from_dict(found.to_dict()).text == found.text


def test_two_hundred_classes_are_scored():
    names = [f"c{i}" for i in range(200)]
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 200, (2, 3000))
    scores = score(truth, predicted, names, groups=rng.integers(0, 40, 3000).astype(str), kind="ordered")
    assert len(scores.per_class) == 200
    assert abs(scores.kappa) < 0.1  # type: ignore[arg-type]


def test_no_cells_are_said_plainly():
    with pytest.raises(TrainingError, match=r"There are 0 cells to score on\. Label more cells"):
        score(np.zeros(0, int), np.zeros(0, int), ["a"])


@pytest.mark.parametrize("name", ["n", "classes", "confusion", "accuracy", "kappa", "ece", "per_class", "intervals"])
@pytest.mark.parametrize("value", ["text", 1e99, {"a": "b"}, [[1]]])
def test_damaged_scores_are_a_value_error_or_nothing_worse(name, value):
    good = score(np.array([0, 1, 1]), np.array([0, 1, 0]), ("a", "b")).to_dict()
    try:
        found = Scores.from_dict(good | {name: value})
    except ValueError:
        return
    assert found.text
    assert name == "n" or getattr(found, name) == value
