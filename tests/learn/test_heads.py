from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.scoring.calibration import best_temperature
from napari_cellstage.learn import boosting, heads
from napari_cellstage.learn.boosting import BoostedHead, boosted_head
from napari_cellstage.learn.heads import (
    KnownChoice,
    LinearHead,
    choose_head,
    linear_heads,
    probabilities,
)
from napari_cellstage.learn.recipe import Recipe

RECIPE = Recipe.load("quick").but(threads=1)


def never() -> bool:
    return False


def clouds(each: int, classes: int = 3, features: int = 6, apart: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Return cells in clouds around one point a class."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), each)
    centres = rng.normal(0, apart, (classes, features))
    return (centres[labels] + rng.normal(0, 1, (len(labels), features))).astype(np.float32), labels


def rings(each: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two classes that no plane parts: near the middle, and around it."""
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (4 * each, 12))
    far = np.abs(points[:, :8]).max(axis=1) > np.median(np.abs(points[:, :8]).max(axis=1))
    return points.astype(np.float32), far.astype(np.int64)


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

    monkeypatch.setattr(heads, "_principal_axes", by_features)
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


def test_the_temperature_makes_the_confidence_right():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (4000, 3))
    chances = probabilities(scores, 1.0)
    labels = np.array([rng.choice(3, p=p / p.sum()) for p in chances.astype(np.float64)])
    assert best_temperature(scores * 7, labels)[1] == pytest.approx(7, rel=0.1)


def test_linear_is_chosen_where_planes_part_the_classes(run):
    features, labels = clouds(40, apart=1.2)
    _, chosen = run(choose_head(features, labels, np.zeros(120), 3, RECIPE, never))
    assert chosen.report.startswith("a linear classifier")
    assert "boosted trees 0." in chosen.report


def test_trees_are_chosen_where_no_plane_does_and_survive_their_bytes(run):
    features, labels = rings(150)
    _, chosen = run(choose_head(features, labels, np.zeros(600), 2, RECIPE, never))
    assert isinstance(chosen.head, BoostedHead)
    again = BoostedHead(bytes(chosen.head.model), chosen.head.width)
    assert np.array_equal(again.scores(features), chosen.head.scores(features))
    assert (again.scores(features).argmax(axis=1) == labels).mean() > 0.9


def test_folds_follow_the_groups(run):
    """Groups that give their class away by a feature of their own must not help."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 10)
    labels = (groups % 2).astype(np.int64)
    mark = np.eye(12)[groups] * 5
    features = np.concatenate([mark, rng.normal(0, 1, (120, 4))], axis=1).astype(np.float32)
    _, by_group = run(choose_head(features, labels, groups, 2, RECIPE, never))
    _, by_cell = run(choose_head(features, labels, np.zeros(120), 2, RECIPE, never))
    assert "linear classifier (1.00" in by_cell.report or "1.00" in by_cell.report
    assert "1.00" not in by_group.report


def test_too_few_cells_to_compare(run):
    features, labels = clouds(1, classes=2)
    features, labels = np.concatenate([features, features + 0.1]), np.concatenate([labels, labels])
    _, chosen = run(choose_head(features, labels, labels, 2, RECIPE, never))
    assert "too few cells" in chosen.report or "linear" in chosen.report
    assert (chosen.head.scores(features).argmax(axis=1) == labels).all()


def test_a_stop_at_once_still_gives_a_head(run):
    features, labels = clouds(40)
    events, chosen = run(choose_head(features, labels, np.zeros(120), 3, RECIPE, lambda: True))
    assert events == []
    assert (chosen.head.scores(features).argmax(axis=1) == labels).mean() > 0.9


def stopped_at(events_wanted, work):
    """Run a choice that is stopped as soon as it says so; return the chosen head and what came after the stop."""
    stopped, after = [], []
    steps = work(lambda: bool(stopped))
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            return end.value, after
        if stopped:
            after.append(event)
        if event.what == events_wanted:
            stopped.append(True)


@pytest.mark.parametrize("tries", range(1, 12))
def test_a_stop_among_the_linear_heads_takes_the_best_so_far(tries):
    features, labels = clouds(40)
    asked, after = [], []

    def stop():
        asked.append(True)
        return len(asked) > tries

    work = choose_head(features, labels, np.zeros(120), 3, RECIPE, stop)
    while True:
        try:
            next(work)
            after += [True] * (len(asked) > tries)
        except StopIteration as end:
            chosen = end.value
            break
    assert len(after) <= 1
    assert isinstance(chosen.head, LinearHead)
    assert (chosen.head.scores(features).argmax(axis=1) == labels).mean() > 0.9


@pytest.mark.parametrize("when", ["trying boosted trees", "training boosted trees"])
def test_a_stop_among_the_trees_is_answered_at_once_by_the_linear_head(when, monkeypatch):
    features, labels = rings(150)
    monkeypatch.setattr(boosting, "ROUNDS", 500)
    monkeypatch.setattr(boosting, "LOOK_EVERY", 0.001)
    chosen, after = stopped_at(when, lambda stop: choose_head(features, labels, np.zeros(600), 2, RECIPE, stop))
    assert isinstance(chosen.head, LinearHead)
    assert after == []


def test_trees_chosen_before_that_are_stopped_leave_a_linear_head(monkeypatch):
    features, labels = rings(150)
    monkeypatch.setattr(boosting, "ROUNDS", 500)
    monkeypatch.setattr(boosting, "LOOK_EVERY", 0.001)
    known = KnownChoice(True, 1.0, {}, 1)
    chosen, _ = stopped_at(
        "training boosted trees", lambda stop: choose_head(features, labels, np.zeros(600), 2, RECIPE, stop, known)
    )
    assert isinstance(chosen.head, LinearHead)
    assert np.isfinite(chosen.head.scores(features)).all()


def test_trees_end_after_the_round_in_which_they_are_to():
    features, labels = rings(50)
    rounds = []
    short = boosted_head(features, labels, 2, RECIPE, lambda: bool(rounds.append(1)) or len(rounds) == 3)
    assert len(rounds) == 3
    assert len(short.model) < len(boosted_head(features, labels, 2, RECIPE).model)


def test_trees_are_tried_on_enough_cells_only_and_compared_on_the_same(run, monkeypatch):
    features, labels = rings(150)
    grown = []

    def watched(parts, *given):
        grown.append([int(np.sum(part)) for part in parts])
        return (yield from boosting.boosted_heads(parts, *given))

    monkeypatch.setattr(heads, "boosted_heads", watched)
    for enough, folds in ((1, 1), (151, 2), (10_000, 4)):
        monkeypatch.setattr(heads, "ENOUGH_TRIED", enough)
        grown.clear()
        _, chosen = run(choose_head(features, labels, np.zeros(600), 2, RECIPE, never))
        assert grown == [[450] * folds, [600]]
        assert f"of {150 * folds} cells" in chosen.report
        assert isinstance(chosen.head, BoostedHead)


def test_the_same_cells_give_the_same_head_however_many_threads(run):
    features, labels = rings(150)
    one, two = (
        run(choose_head(features, labels, np.zeros(600), 2, RECIPE.but(threads=threads), never))[1]
        for threads in (1, 2)
    )
    assert one.head.model == two.head.model
    assert one.temperature == two.temperature


def test_damaged_trees_are_said_plainly():
    with pytest.raises(ModelError, match=r"boosted trees of the model can't be read.*Train a new model"):
        BoostedHead(b"{L\x00not ubjson", 3).scores(np.zeros((1, 3), dtype=np.float32))
