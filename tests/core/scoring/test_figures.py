"""Figures from counts are those of scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from napari_cellstage.core.scoring.figures import GroupSums, of_classes, overall
from napari_cellstage.core.scoring.kappas import kappa_weights

CLASSES = 5
ANSWERS = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=60)


def figures(truth: np.ndarray, predicted: np.ndarray, kind: str = "quadratic") -> dict[str, np.ndarray]:
    weights = kappa_weights(kind, CLASSES)  # type: ignore[arg-type]
    sums = GroupSums(truth, predicted, np.zeros(len(truth), int), CLASSES, weights).resampled(np.ones((1, 1)))
    return {name: values[0] for name, values in (overall(sums, weights) | of_classes(sums)).items()}


@settings(max_examples=120, deadline=None)
@given(ANSWERS)
def test_overall_figures_are_scikit_learns(answers):
    truth, predicted = np.array(answers).T
    found = figures(truth, predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns when there is one class only
        matthews = metrics.matthews_corrcoef(truth, predicted)
        present = np.unique(truth)
        recall = metrics.recall_score(truth, predicted, labels=present, average="macro", zero_division=0)
        kappa = metrics.cohen_kappa_score(truth, predicted, labels=range(CLASSES), weights="quadratic")
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert found["balanced_accuracy"] == pytest.approx(recall)
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(truth, predicted, average="macro", zero_division=0))
    assert found["matthews"] == pytest.approx(matthews)
    assert found["kappa"] == pytest.approx(kappa, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(ANSWERS)
def test_figures_of_classes_are_scikit_learns_and_unknown_where_there_is_nothing_to_count(answers):
    truth, predicted = np.array(answers).T
    found = figures(truth, predicted)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, predicted, labels=range(CLASSES), zero_division=np.nan
    )
    assert found["precision"] == pytest.approx(precision, nan_ok=True)
    assert found["recall"] == pytest.approx(recall, nan_ok=True)
    for place in range(CLASSES):
        if place in truth or place in predicted:
            assert found["f1"][place] == pytest.approx(np.nan_to_num(f1[place]))
        else:
            assert np.isnan(found["f1"][place])


def test_sums_of_resampled_groups_are_those_of_their_cells():
    rng = np.random.default_rng(0)
    truth, predicted, group = rng.integers(0, 3, (3, 50))
    group = np.unique(group, return_inverse=True)[1]
    some = GroupSums(truth, predicted, group, CLASSES, None).resampled(np.array([[2.0, 0.0, 1.0]]))
    cells = np.concatenate([np.flatnonzero(group == g) for g in (0, 0, 2)])
    assert overall(some, None)["macro_f1"][0] == figures(truth[cells], predicted[cells])["macro_f1"]


def test_many_groups_are_summed_without_a_large_matrix(monkeypatch):
    rng = np.random.default_rng(0)
    answers = *rng.integers(0, CLASSES, (2, 400)), np.arange(400)
    times = rng.integers(0, 3, (4, 400)).astype(float)
    dense = overall(GroupSums(*answers, CLASSES, None).resampled(times), None)
    monkeypatch.setattr("napari_cellstage.core.scoring.figures._DENSE", 10)
    sparse = GroupSums(*answers, CLASSES, None)
    for name, values in overall(sparse.resampled(times), None).items():
        assert values == pytest.approx(dense[name])
    assert sparse.holding().tolist() == GroupSums(*answers, CLASSES, None).holding().tolist()
