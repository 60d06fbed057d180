"""The kernel head: curved cuts by likeness to training cells, the same whether few cells or some of many are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_selection import f_classif
from sklearn.kernel_ridge import KernelRidge

from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn import kernel_head
from napari_cellstage.learn.chosen import probabilities
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.heads import choose_head
from napari_cellstage.learn.kernel_head import (
    FEW,
    NARROW,
    SHARP,
    KernelHead,
    Sharpness,
    kernel_heads,
    likeness,
    telling_most,
)
from napari_cellstage.learn.linear_head import standardised
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.recipe import Recipe

RECIPE = Recipe.load("quick").but(classifier="kernel", threads=1, weights="none")


PLAIN = (Sharpness(0.1, 0.0),)


def rings(each: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two classes that no plane parts: near the middle, and around it."""
    rng = np.random.default_rng(seed)
    far = np.arange(2 * each) % 2
    points = rng.normal(0, 1, (2 * each, 4))
    points *= (1 + 3 * far)[:, None] / np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32), far.astype(np.int64)


def test_it_is_scikit_learns_kernel_ridge():
    features, labels = rings(40)
    (head,) = kernel_heads(features, labels, 2, RECIPE, PLAIN).values()
    values = standardised(features, features.mean(axis=0), features.std(axis=0))
    theirs = KernelRidge(alpha=0.1, kernel="rbf", gamma=NARROW / 4).fit(values, np.eye(2)[labels] - 0.5)
    assert np.allclose(head.scores(features), SHARP * (theirs.predict(values) + 0.5), atol=0.05)


def test_the_features_that_tell_most_are_scikit_learns():
    rng = np.random.default_rng(0)
    values, labels = rng.normal(0, 1, (200, 30)).astype(np.float32), rng.integers(0, 3, 200)
    values[:, [3, 11, 20, 29]] += labels[:, None] * np.array([0.8, 1, 0.6, 2])
    found = telling_most(values, labels)
    assert found.tolist() == np.argsort(-f_classif(values, labels)[0])[:FEW].tolist() == [29, 11, 3, 20]


def test_features_without_a_difference_tell_nothing():
    values = np.zeros((6, 8), np.float32)
    values[:3, 5] = 1
    assert telling_most(values, np.repeat([0, 1], 3))[0] == 5
    assert len(telling_most(values, np.zeros(6, dtype=np.int64))) == FEW


def test_it_parts_what_no_plane_parts():
    features, labels = rings(60)
    again, truth = rings(100, seed=1)
    for head in kernel_heads(features, labels, 2, RECIPE).values():
        assert (head.scores(again).argmax(axis=1) == truth).mean() > 0.95


def test_some_of_many_cells_say_nearly_what_all_say(monkeypatch):
    features, labels = rings(100)
    again, truth = rings(100, seed=1)
    (whole,) = kernel_heads(features, labels, 2, RECIPE, PLAIN).values()
    monkeypatch.setattr(kernel_head, "MOST", 80)
    (part,) = kernel_heads(features, labels, 2, RECIPE, PLAIN).values()
    assert len(part.cells) == 80
    assert (part.scores(again).argmax(axis=1) == truth).mean() > 0.95
    assert np.corrcoef(part.scores(again)[:, 0], whole.scores(again)[:, 0])[0, 1] > 0.97


def test_many_cells_at_once_are_scored_as_few(monkeypatch):
    features, labels = rings(30)
    (head,) = kernel_heads(features, labels, 2, RECIPE, PLAIN).values()
    whole = head.scores(features)
    monkeypatch.setattr(kernel_head, "_AT_ONCE", 7)
    assert np.allclose(head.scores(features), whole, atol=1e-4)


@pytest.mark.parametrize("weights", [False, True])
def test_many_cells_are_learned_from_part_by_part(weights, monkeypatch):
    features, labels = rings(30)
    labels[:20] = 0
    recipe, few = RECIPE.but(class_weights=weights), (Sharpness(0.1, 0.5),)
    monkeypatch.setattr(kernel_head, "MOST", 25)
    (whole,) = kernel_heads(features, labels, 2, recipe, few).values()
    monkeypatch.setattr(kernel_head, "_AT_ONCE", 7)
    (parts,) = kernel_heads(features, labels, 2, recipe, few).values()
    assert np.allclose(parts.scores(features), whole.scores(features), atol=1e-2)


def test_class_weights_raise_the_score_of_rare_classes():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(0, 1, (110, 5)).astype(np.float32), (np.arange(110) >= 100).astype(np.int64)
    plain, weighted = (
        kernel_heads(features, labels, 2, RECIPE.but(class_weights=one), PLAIN)[PLAIN[0]].scores(features)[:, 1]
        for one in (False, True)
    )
    assert weighted.mean() > plain.mean() + 1


def test_a_class_without_cells_is_never_predicted():
    features, labels = rings(20)
    for head in kernel_heads(features, labels, 3, RECIPE).values():
        assert probabilities(head.scores(features), 5.0)[:, 2].max() == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 8), st.integers(1, 6), st.integers(0, 99))
def test_likeness_is_1_to_itself_and_less_to_all_others(count, width, seed):
    values = np.random.default_rng(seed).normal(0, 1, (count, width)).astype(np.float32)
    found = likeness(values, values)
    assert np.allclose(np.diag(found), 1, atol=1e-4)
    assert np.allclose(found, found.T, atol=1e-5)
    assert ((found > 0) & (found <= 1)).all()


def test_the_recipe_chooses_it_with_a_temperature_from_folds(run):
    features, labels = rings(40)
    _, chosen = run(choose_head(features, labels, np.zeros(80), 2, RECIPE, lambda: False))
    assert isinstance(chosen.head, KernelHead)
    assert chosen.report.startswith("a kernel classifier (")
    assert chosen.temperature > 0


@pytest.mark.parametrize("stop", [False, True])
def test_two_cells_a_class_and_a_stop_at_once_still_give_one(run, stop):
    features, labels = rings(2)
    _, chosen = run(choose_head(features, labels, labels, 2, RECIPE, lambda: stop))
    assert isinstance(chosen.head, KernelHead)
    assert np.isfinite(chosen.head.scores(features)).all()


def test_from_disk_it_says_the_same(make_crops, run, tmp_path):
    data = TrainingSet.from_crops(make_crops(), RECIPE)
    _, model = run(fit(data, RECIPE))
    model.save(tmp_path)
    said = run(predict(model, data.crops))[1]
    assert np.array_equal(run(predict(TrainedModel.load(tmp_path), data.crops))[1], said)
    assert (said.argmax(axis=1) == data.labels).mean() > 0.9


def test_other_features_are_refused():
    features, labels = rings(10)
    (head,) = kernel_heads(features, labels, 2, RECIPE, PLAIN).values()
    with pytest.raises(ModelError, match="made for 4 features"):
        head.scores(features[:, :3])
