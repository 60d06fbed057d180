from __future__ import annotations

import json

import numpy as np
import pytest

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.scoring.calibration import best_temperature
from napari_cellstage.learn import boosting, heads
from napari_cellstage.learn.boosting import BoostedHead, boosted_head
from napari_cellstage.learn.chosen import KnownChoice, probabilities
from napari_cellstage.learn.heads import choose_head
from napari_cellstage.learn.kernel_head import Sharpness, kernel_heads
from napari_cellstage.learn.linear_head import LinearHead
from napari_cellstage.learn.pair_head import Pair, PairHead
from napari_cellstage.learn.recipe import Recipe

RECIPE = Recipe.load("quick").but(threads=1)
TREES, LINEAR = RECIPE.but(classifier="trees", trees=20), RECIPE.but(classifier="linear")


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


def test_the_temperature_makes_the_confidence_right():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (4000, 3))
    chances = probabilities(scores, 1.0)
    labels = np.array([rng.choice(3, p=p / p.sum()) for p in chances.astype(np.float64)])
    assert best_temperature(scores * 7, labels)[1] == pytest.approx(7, rel=0.1)


def test_both_together_do_what_each_does_alone(run):
    plane, curved = clouds(40, apart=1.2), rings(150)
    for features, labels in (plane, curved):
        _, chosen = run(choose_head(features, labels, np.zeros(len(labels)), int(labels.max()) + 1, RECIPE, never))
        assert isinstance(chosen.head, PairHead)
        assert chosen.report.startswith("a linear and a kernel classifier together (0.")
        assert (chosen.head.scores(features).argmax(axis=1) == labels).mean() > 0.9


def test_both_survive_their_arrays(run):
    features, labels = rings(60)
    _, chosen = run(choose_head(features, labels, np.zeros(240), 2, RECIPE, never))
    pair = Pair.from_dict(json.loads(json.dumps(chosen.to_dict()))["pair"])
    again = PairHead.from_arrays(chosen.head.arrays(), pair)
    assert np.array_equal(again.scores(features), chosen.head.scores(features))


def test_one_amount_among_hundreds_decides_where_it_does(run):
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (360, 300)).astype(np.float32)
    labels = np.digitize(features[:, 7], (-0.4, 0.4)).astype(np.int64)
    _, chosen = run(choose_head(features[:240], labels[:240], np.zeros(240), 3, RECIPE, never))
    assert chosen.head.pair.sharpness.few > 0
    assert 7 in chosen.head.kernel.few
    blind = kernel_heads(features[:240], labels[:240], 3, RECIPE, (Sharpness(0.1, 0.0),))[Sharpness(0.1, 0.0)]
    new = [(one.scores(features[240:]).argmax(axis=1) == labels[240:]).mean() for one in (chosen.head.kernel, blind)]
    assert new[0] > new[1] + 0.15


def test_boosted_trees_survive_their_bytes(run):
    features, labels = rings(150)
    _, chosen = run(choose_head(features, labels, np.zeros(600), 2, TREES.but(trees=60), never))
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


@pytest.mark.parametrize("tries", range(1, 10))
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


def test_trees_chosen_before_that_are_stopped_leave_a_linear_head(monkeypatch):
    features, labels = rings(150)
    monkeypatch.setattr(boosting, "LOOK_EVERY", 0.001)
    known, recipe = KnownChoice(True, 1.0, {}, 1), TREES.but(trees=500)
    chosen, _ = stopped_at(
        "training boosted trees", lambda stop: choose_head(features, labels, np.zeros(600), 2, recipe, stop, known)
    )
    assert isinstance(chosen.head, LinearHead)
    assert np.isfinite(chosen.head.scores(features)).all()


def test_trees_end_after_the_round_in_which_they_are_to():
    features, labels = rings(50)
    rounds = []
    short = boosted_head(features, labels, 2, RECIPE, lambda: bool(rounds.append(1)) or len(rounds) == 3)
    assert len(rounds) == 3
    assert len(short.model) < len(boosted_head(features, labels, 2, RECIPE).model)


def test_trees_are_tried_on_enough_cells_only(run, monkeypatch):
    features, labels = rings(150)
    grown = []

    def watched(parts, *given):
        grown.append([int(np.sum(part)) for part in parts])
        return (yield from boosting.boosted_heads(parts, *given))

    monkeypatch.setattr(heads, "boosted_heads", watched)
    for enough, folds in ((1, 1), (151, 2), (10_000, 4)):
        monkeypatch.setattr(heads, "ENOUGH_TRIED", enough)
        grown.clear()
        _, chosen = run(choose_head(features, labels, np.zeros(600), 2, TREES, never))
        assert grown == [[450] * folds + [600]]
        assert f"of {150 * folds} cells" in chosen.report
        assert isinstance(chosen.head, BoostedHead)


def test_the_same_cells_give_the_same_head_however_many_threads(run):
    features, labels = rings(150)
    one, two = (
        run(choose_head(features, labels, np.zeros(600), 2, TREES.but(threads=threads), never))[1] for threads in (1, 2)
    )
    assert one.head.model == two.head.model
    assert one.temperature == two.temperature


def test_damaged_trees_are_said_plainly():
    with pytest.raises(ModelError, match=r"boosted trees of the model can't be read.*Train a new model"):
        BoostedHead(b"{L\x00not ubjson", 3).scores(np.zeros((1, 3), dtype=np.float32))


def test_a_recipe_may_name_the_trees_where_planes_would_do(run, monkeypatch):
    monkeypatch.setattr(boosting, "LOOK_EVERY", 1e-5)  # so that progress is told however fast they grow
    features, labels = clouds(20, apart=1.0)
    events, chosen = run(choose_head(features, labels, np.zeros(60), 3, TREES, never))
    assert isinstance(chosen.head, BoostedHead)
    assert chosen.report.startswith("boosted trees (0.")
    assert "of 60 cells" in chosen.report
    assert events[-1].total == 20 * 5  # four folds, which give the temperature, and the whole


def test_trees_named_by_the_recipe_work_with_few_cells(run):
    features, labels = clouds(2, apart=5.0)
    _, chosen = run(choose_head(features, labels, np.zeros(6), 3, TREES, never))
    assert isinstance(chosen.head, BoostedHead)
    assert chosen.temperature > 0
    assert np.isfinite(chosen.head.scores(features)).all()


def test_trees_that_no_fold_can_try_are_as_sure_as_they_are(run):
    features, labels = clouds(4, classes=2)
    _, chosen = run(choose_head(features, labels, labels, 2, TREES, never))  # each class is one group
    assert isinstance(chosen.head, BoostedHead)
    assert chosen.temperature == 1.0
    assert "too few cells to try them" in chosen.report


def test_the_trees_temperature_is_from_cells_that_they_were_not_shown(run):
    rng = np.random.default_rng(0)
    features, labels = rng.normal(0, 1, (90, 6)).astype(np.float32), np.arange(90) % 3  # nothing to be learnt
    _, chosen = run(choose_head(features, labels, np.zeros(90), 3, TREES.but(trees=60), never))
    sure = probabilities(chosen.head.scores(features), chosen.temperature).max(axis=1)
    assert (chosen.head.scores(features).argmax(axis=1) == labels).mean() > 0.8  # they know these by heart
    assert np.median(sure) < 0.6


def test_a_recipe_may_name_the_linear_head_where_trees_would_do_better(run):
    features, labels = rings(150)
    events, chosen = run(choose_head(features, labels, np.zeros(600), 2, LINEAR, never))
    assert isinstance(chosen.head, LinearHead)
    assert {one.what for one in events} == {"choosing a classifier"}


def test_number_and_rate_of_the_trees_count():
    features, labels = rings(30)
    few, many, slow = (
        boosted_head(features, labels, 2, RECIPE.but(**changes))
        for changes in ({"trees": 5}, {"trees": 15}, {"trees": 5, "tree_rate": 0.01})
    )
    assert len(few.model) < len(many.model)
    assert np.abs(slow.scores(features)).max() < np.abs(few.scores(features)).max() / 5


def test_named_trees_that_are_stopped_leave_a_linear_head_and_say_so(monkeypatch):
    features, labels = rings(60)
    monkeypatch.setattr(boosting, "LOOK_EVERY", 0.001)
    recipe = TREES.but(trees=500)
    chosen, after = stopped_at(
        "training boosted trees", lambda stop: choose_head(features, labels, np.zeros(240), 2, recipe, stop)
    )
    assert isinstance(chosen.head, LinearHead)
    assert "stopped before its trees had grown" in chosen.report
    assert after == []


PAIR = Pair(0.2, Sharpness(0.1, 0.5), (1.5, 0.8))


@pytest.mark.parametrize(
    ("trees", "pair", "recipe", "kind"),
    [
        (True, None, TREES, BoostedHead),
        (False, PAIR, RECIPE, PairHead),
        (False, None, TREES, None),
        (False, None, LINEAR, None),
        (True, None, LINEAR, None),
        (False, PAIR, LINEAR, None),
        (True, None, RECIPE, None),
    ],
)
def test_an_earlier_choice_is_taken_over_only_where_it_fits_the_recipe(run, trees, pair, recipe, kind):
    features, labels = clouds(20)
    known = KnownChoice(trees, 3.5, {}, 1, pair=pair)
    assert known.fits(recipe) == (kind is not None)
    _, chosen = run(choose_head(features, labels, np.zeros(60), 3, recipe, never, known))
    assert ("as before" in chosen.report) == (kind is not None)
    if kind is not None:
        assert isinstance(chosen.head, kind)
        assert chosen.temperature == 3.5
    if kind is PairHead:
        assert chosen.head.pair == PAIR


def test_a_class_in_one_group_only_is_not_weighed_away(run):
    """No trial could show a cell of it; weights made of the others' trials would leave it next to nothing."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 60)
    features = (rng.normal(0, 1, (180, 20)) + 1.5 * np.eye(3, 20)[labels]).astype(np.float32)
    movies = np.array([f"movie {number % 6}" for number in range(180)])
    alone = np.where(labels == 2, "movie 9", movies)
    for groups, weighed in ((movies, True), (alone, False)):
        _, chosen = run(choose_head(features, labels, groups, 3, RECIPE, never))
        assert isinstance(chosen.head, PairHead)
        assert (chosen.head.pair.weights is not None) == weighed
        said = chosen.head.scores((rng.normal(0, 1, (60, 20)) + 1.5 * np.eye(3, 20)[2]).astype(np.float32))
        assert (said.argmax(axis=1) == 2).mean() > 0.6
