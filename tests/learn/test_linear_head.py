"""The linear head: scikit-learn's discriminant with shrinkage, several strengths at once."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from napari_cellstage.learn import linear_head
from napari_cellstage.learn.chosen import probabilities
from napari_cellstage.learn.linear_head import linear_heads
from napari_cellstage.learn.recipe import Recipe

RECIPE = Recipe.load("quick").but(threads=1)


def clouds(each: int, classes: int = 3, features: int = 6, apart: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Return cells in clouds around one point a class."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), each)
    centres = rng.normal(0, apart, (classes, features))
    return (centres[labels] + rng.normal(0, 1, (len(labels), features))).astype(np.float32), labels


def test_without_shrinkage_it_is_scikit_learns_discriminant():
    features, labels = clouds(60, apart=1.0)
    ours = linear_heads(features, labels, 3, RECIPE, (1e-5,))[1e-5].scores(features)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(features, labels).predict(features)
    # scikit-learn divides the covariance by N, we by N - K, and cut off at four spreads.
    assert (ours.argmax(axis=1) == theirs).mean() > 0.98


def test_more_features_than_cells():
    features, labels = clouds(4, features=300, apart=1.0)
    again, truth = clouds(40, features=300, apart=1.0)
    for head in linear_heads(features, labels, 3, RECIPE).values():
        assert np.isfinite(head.scores(again)).all()
    assert (head.scores(again).argmax(axis=1) == truth).mean() > 0.9


def test_few_cells_and_many_cells_take_the_same_way(monkeypatch):
    features, labels = clouds(20, features=30)
    long = linear_heads(np.tile(features, (1, 3)), labels, 3, RECIPE, (0.3,))[0.3]  # 60 cells, 90 features

    def by_features(offsets):
        variances, axes = np.linalg.eigh(offsets.T @ offsets)
        return np.maximum(variances, 0), axes

    monkeypatch.setattr(linear_head, "_principal_axes", by_features)
    same = linear_heads(np.tile(features, (1, 3)), labels, 3, RECIPE, (0.3,))[0.3]
    assert np.allclose(long.weights, same.weights, rtol=1e-3, atol=1e-5)


def test_class_weights_raise_the_score_of_rare_classes():
    features, labels = clouds(30, classes=2)
    rare = np.r_[0:30, 30:33]
    as_they_occur = linear_heads(features[rare], labels[rare], 2, RECIPE.but(class_weights=False), (0.5,))[0.5]
    weighted = linear_heads(features[rare], labels[rare], 2, RECIPE.but(class_weights=True), (0.5,))[0.5]
    gain = (weighted.scores(features) - as_they_occur.scores(features)) @ [-1, 1]
    assert gain == pytest.approx(np.log(10), abs=1e-3)


def test_a_class_without_cells_is_never_predicted():
    features, labels = clouds(10, classes=2)
    head = linear_heads(features, labels, 3, RECIPE, (0.5,))[0.5]
    assert probabilities(head.scores(features), 5.0)[:, 2].max() == 0
