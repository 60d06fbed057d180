"""Cells put into an order that nobody told, held against one that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.review import pseudotime as module
from napari_cellstage.core.review.pseudotime import PseudotimeError, order_features, pseudotime
from napari_cellstage.core.review.pseudotime_score import CellOrder, OrderScore, order_cells
from napari_cellstage.core.review.rank_correlations import RankPairs
from napari_cellstage.core.review.space import Space
from napari_cellstage.core.review.true_order import TrueOrder

STAGES = ("early", "middle", "late", "last")


def curve(count: int, turn: float, seed: int = 0, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Return cells on a part of a circle, among eight features with noise, and where each is on it, from 0 to 1."""
    rng = np.random.default_rng(seed)
    place = rng.random(count)
    features = rng.normal(0, noise, (count, 8))
    features[:, 0] += np.cos(2 * np.pi * turn * place)
    features[:, 1] += np.sin(2 * np.pi * turn * place)
    return features.astype(np.float32), place


def stages(place: np.ndarray) -> np.ndarray:
    return np.array(STAGES)[np.minimum((place * len(STAGES)).astype(int), len(STAGES) - 1)]


def ordered(features: np.ndarray, labels: np.ndarray, cyclic: bool, **more: object) -> CellOrder:
    groups = np.arange(len(labels)).astype(str)
    given = {"groups": groups, "unseen": np.ones(len(labels), bool)} | more
    return order_cells(pseudotime(features), labels, TrueOrder(STAGES, cyclic), **given)  # type: ignore[arg-type]


def scored(found: CellOrder) -> OrderScore:
    assert found.score is not None
    return found.score


def on_ring(a: np.ndarray, b: np.ndarray) -> float:
    """Return how far places are apart at most, but for rotation and direction."""
    both = []
    for one in (a, 1 - a):
        apart = np.exp(2j * np.pi * (one - b))
        both.append(float(np.abs(np.angle(apart / (apart.mean() / abs(apart.mean())))).max()))
    return min(both) / (2 * np.pi)


def test_an_arc_is_an_open_line_and_its_cells_are_in_order():
    features, place = curve(300, 0.6)
    found = pseudotime(features)
    assert (found.shape, found.given, found.fitted) == ("open", False, 300)
    assert found.likeness > 0.9
    assert "open line" in found.why
    assert abs(spearmanr(found.time, place).statistic) > 0.98
    assert found.time.min() > 0
    assert found.time.max() < 1


def test_a_ring_is_a_ring_and_its_cells_are_in_order():
    features, place = curve(400, 1.0)
    found = pseudotime(features)
    assert found.shape == "cyclic"
    assert found.likeness < 0.1
    assert "ring" in found.why
    assert on_ring(found.time, place) < 0.12


def test_the_shape_can_be_asked_for_and_the_words_say_so():
    features, _ = curve(200, 0.6)
    found = pseudotime(features, "cyclic")
    assert (found.shape, found.given) == ("cyclic", True)
    assert "as asked for" in found.why


def test_of_many_cells_some_are_drawn_and_the_others_are_put_between_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "LANDMARKS", 150)
    features, place = curve(600, 0.6)
    found = pseudotime(features)
    assert found.fitted == 150
    assert abs(spearmanr(found.time, place).statistic) > 0.97
    again = pseudotime(features)
    assert np.array_equal(found.time, again.time)


def test_cells_without_features_have_no_place_and_those_far_off_do_not_spoil_the_others():
    features, place = curve(300, 0.6)
    features[7] = np.nan
    features[20:23] += 500
    found = pseudotime(features)
    assert np.isnan(found.time[7])
    assert np.isfinite(np.delete(found.time, 7)).all()
    rest = np.setdiff1d(np.arange(300), [7, 20, 21, 22])
    assert abs(spearmanr(found.time[rest], place[rest]).statistic) > 0.97


def test_two_clumps_are_ordered_one_after_the_other():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 4))
    features[60:, 0] += 1000
    time = pseudotime(features, "open").time
    assert max(time[:60].max(), time[60:].max()) > min(time[:60].max(), time[60:].max())
    assert (time[:60].max() < time[60:].min()) or (time[60:].max() < time[:60].min())


def test_along_one_axis_there_is_no_ring():
    values = np.random.default_rng(0).integers(0, 2, (200, 1)).astype(np.float32)
    found = pseudotime(values)
    assert found.shape == "open"
    assert abs(spearmanr(found.time, values[:, 0]).statistic) > 0.8


@pytest.mark.parametrize("cells", [5, 40])
def test_cells_that_are_equal_and_cells_that_are_few_have_places(cells: int):
    values = np.repeat(np.random.default_rng(0).normal(size=(cells, 3)), 40, axis=0)
    assert np.isfinite(pseudotime(values).time).all()
    assert np.isfinite(pseudotime(values[:20] + np.arange(20)[:, None]).time).all()


@pytest.mark.parametrize(("count", "why"), [(19, "19 cells"), (40, "all the same one")])
def test_too_few_cells_and_cells_that_are_all_alike_have_no_order(count: int, why: str):
    features = np.zeros((count, 3)) if count > 20 else np.random.default_rng(0).normal(size=(count, 3))
    with pytest.raises(PseudotimeError, match=why):
        pseudotime(features)


def test_the_score_of_an_arc_is_scipys_and_its_interval_holds_it():
    features, place = curve(300, 0.6)
    labels = stages(place)
    found = ordered(features, labels, cyclic=False)
    one = scored(found)
    ranks = [STAGES.index(label) for label in labels]
    assert one.spearman == pytest.approx(spearmanr(found.time, ranks).statistic)
    assert one.interval[0] < one.spearman < one.interval[1]
    assert one.spearman > 0.9
    assert (one.n, one.groups, one.seen, one.circular) == (300, 300, False, None)
    assert "early → middle → late → last" in one.text
    assert "300 cells that the model had not seen" in one.text


def test_a_ring_scores_by_both_correlations():
    features, place = curve(400, 1.0)
    one = scored(ordered(features, stages(place), cyclic=True))
    assert one.spearman > 0.9
    assert one.circular is not None
    assert one.circular > 0.75  # four classes that are tied each reach 0.81 at most
    assert "last → early" in one.text
    assert "100 were tried" in one.choice


@pytest.mark.parametrize("turn", [0.6, 1.0])
def test_shuffled_labels_score_what_chance_does(turn: float):
    features, place = curve(400, turn)
    labels = np.random.default_rng(1).permutation(stages(place))
    one = scored(ordered(features, labels, cyclic=turn == 1.0))
    assert abs(one.spearman) < 0.15
    assert one.circular is None or abs(one.circular) < 0.1
    real = scored(ordered(features, stages(place), cyclic=turn == 1.0))
    assert real.chance < 0.2 < real.spearman


def test_more_choices_reach_more_by_chance():
    features, place = curve(200, 1.0)
    labels = stages(place)
    own = scored(ordered(features, labels, cyclic=True))
    half = np.arange(200) % 2 == 0
    by_others = scored(ordered(features, labels, cyclic=True, unseen=half))
    assert "these very cells" in own.choice
    assert "not by these" in by_others.choice
    assert by_others.n == 100
    assert own.chance * np.sqrt(2) > by_others.chance  # of half as many cells chance reaches further


def test_direction_is_chosen_by_cells_the_model_was_trained_on_and_only_the_others_are_scored():
    features, place = curve(300, 0.6)
    labels, half = stages(place), np.arange(300) % 2 == 0
    turned = np.array([STAGES[::-1][STAGES.index(label)] for label in labels])
    lie = np.where(half, labels, turned)  # the cells that were trained on are labelled the wrong way round
    assert scored(ordered(features, lie, cyclic=False, unseen=half)).spearman < -0.9


def test_where_the_model_has_seen_all_cells_the_score_says_that_it_flatters():
    features, place = curve(100, 0.6)
    one = scored(ordered(features, stages(place), cyclic=False, unseen=np.zeros(100, bool)))
    assert one.seen
    assert "was trained on, so it flatters" in one.text


@pytest.mark.parametrize(("turn", "start"), [(0.6, "early"), (0.6, "last"), (1.0, "late")])
def test_it_begins_with_the_class_that_is_named(turn: float, start: str):
    features, place = curve(300, turn)
    labels = stages(place)
    found = ordered(features, labels, cyclic=turn == 1.0, start=start)
    first = {name: np.median(found.time[labels == name]) for name in STAGES}
    assert min(first, key=lambda name: first[name]) == start
    assert f"begins with {start}, as told" in scored(found).choice


def test_cells_without_a_label_are_placed_and_not_scored():
    features, place = curve(300, 0.6)
    labels = np.where(np.arange(300) < 150, stages(place), "")
    found = ordered(features, labels, cyclic=False)
    assert np.isfinite(found.time).all()
    assert scored(found).n == 150
    assert order_cells(pseudotime(features), labels, None, np.arange(300).astype(str), np.ones(300, bool)).score is None


def test_of_few_groups_the_interval_is_that_of_cells_at_least():
    features, place = curve(200, 0.6)
    labels = stages(place)
    cells = scored(ordered(features, labels, cyclic=False)).interval
    few = scored(ordered(features, labels, cyclic=False, groups=(np.arange(200) % 3).astype(str)))
    assert few.groups == 3
    assert few.interval[0] <= cells[0] + 0.005  # other draws
    assert few.interval[1] >= cells[1] - 0.005


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 40))
@example(6247, 11)
def test_cells_drawn_twice_count_as_two_cells(seed: int, count: int):
    rng = np.random.default_rng(seed)
    places, ranks = rng.random(count), rng.integers(0, 3, count)
    drawn = rng.integers(0, count, count)
    times = np.bincount(drawn, minlength=count).astype(float)
    pairs = RankPairs(places, ranks)
    if len(np.unique(ranks[drawn])) < 2 or len(np.unique(drawn)) < 2:
        assert np.isnan(pairs.spearman(times))
        return
    assert pairs.spearman(times) == pytest.approx(spearmanr(places[drawn], ranks[drawn]).statistic)
    again = RankPairs(places[drawn], ranks[drawn]).circular(np.ones(count))
    assert pairs.circular(times) == pytest.approx(again, nan_ok=True)


def test_the_circular_correlation_is_fisher_and_lees_sum_over_pairs():
    rng = np.random.default_rng(3)
    places = rng.random(30)
    ranks = np.argsort(np.argsort((places + rng.normal(0, 0.1, 30)) % 1))
    a, b = ((np.argsort(np.argsort(one)) + 0.5) / 30 * 2 * np.pi for one in (places, ranks))
    i, j = np.triu_indices(30, 1)
    sines = np.sin(a[i] - a[j]), np.sin(b[i] - b[j])
    by_hand = (sines[0] * sines[1]).sum() / np.sqrt((sines[0] ** 2).sum() * (sines[1] ** 2).sum())
    assert RankPairs(places, ranks).circular(np.ones(30)) == pytest.approx(by_hand)


def test_features_are_turned_to_where_classes_differ():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    features = rng.normal(size=(90, 6)).astype(np.float32)
    features[:, 4] = labels * 3 + rng.normal(0, 0.2, 90)
    space = Space.fit(features, np.arange(90), labels=labels)
    turned = order_features(space.embed(features), space)
    assert turned.shape == (90, 2)
    assert abs(spearmanr(pseudotime(turned, "open").time, labels).statistic) > 0.85
    assert np.array_equal(order_features(features, None), features)
    assert np.array_equal(order_features(features[:, :2], space), features[:, :2])  # another model's


@pytest.mark.parametrize(
    ("names", "kind", "order", "cyclic"),
    [
        (("Anaphase", "G1", "G2", "S"), "nominal", ("G1", "S", "G2", "Anaphase"), True),
        (("10", "0", "0.1"), "nominal", ("0", "0.1", "10"), False),
        (("10 nM", "1 nM"), "nominal", ("1 nM", "10 nM"), False),
        (("b", "a"), "ordered", ("b", "a"), False),
        (("x", "y", "z"), "cyclic", ("x", "y", "z"), True),
        (("cat", "dog"), "nominal", None, False),
        (("only",), "ordered", None, False),
    ],
)
def test_the_order_of_classes_is_found_where_it_is_known(names, kind, order, cyclic):
    found = TrueOrder.of(ClassScheme.from_names(names, kind))
    assert (found.names if found else None) == order
    assert found is None or found.cyclic == cyclic


def test_an_order_can_be_written():
    found = TrueOrder.written("G2, S", ("G1", "S", "G2"))
    assert found.names == ("G2", "S")
    assert found.ranks(["S", "G1", "G2", ""]).tolist() == [1, -1, 0, -1]
    for wrong in ("S, M", "S", "S, S"):
        with pytest.raises(PseudotimeError, match=wrong):
            TrueOrder.written(wrong, ("G1", "S", "G2"))
