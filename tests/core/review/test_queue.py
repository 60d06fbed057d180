from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.queue import Waiting, at_random, most_telling, needed_class, of_class


def waiting(
    margin: list[float] | NDArray,
    looks: NDArray | None = None,
    labelled: tuple[int, ...] = (),
    predicted: list[int] | None = None,
    runner_up: list[int] | None = None,
) -> Waiting:
    margin = np.asarray(margin, dtype=np.float32)
    label = np.zeros(len(margin), dtype=np.int64)
    label[list(labelled)] = 1
    ones = np.ones(len(margin), dtype=np.int64)
    return Waiting(
        free=label == 0,
        label=label,
        predicted=np.where(np.isnan(margin), 0, ones if predicted is None else np.array(predicted)),
        runner_up=ones * 2 if runner_up is None else np.array(runner_up),
        margin=margin,
        looks=None if looks is None else lambda rows: looks[rows],
    )


def refs(count: int) -> CellRefs:
    numbers = np.arange(count)
    return CellRefs(numbers // 10, numbers * 0, numbers + 1)


def test_the_cells_that_the_model_can_hardly_decide_on_come_first():
    assert most_telling(waiting([0.9, 0.1, 0.5, np.nan, 0.3]), 2).tolist() == [1, 4]


def test_cells_that_are_labelled_or_not_predicted_are_not_asked_for():
    assert sorted(most_telling(waiting([0.9, 0.1, np.nan], labelled=(1,)), 5).tolist()) == [0]
    assert len(most_telling(waiting([np.nan, np.nan]), 5)) == 0
    assert len(most_telling(waiting([]), 5)) == 0


def test_twenty_copies_of_one_case_are_asked_for_once():
    rng = np.random.default_rng(0)
    copies = rng.normal(scale=0.01, size=(20, 3))
    others = rng.normal(scale=5, size=(200, 3))
    # The copies are the most uncertain of all, the others less.
    cells = waiting([0.01] * 20 + [0.5] * 200, np.concatenate([copies, others]))

    asked = most_telling(cells, 4)

    assert len(asked) == 4
    assert (asked < 20).sum() == 1


def test_exact_copies_leave_room_for_no_more_heaps_but_the_batch_is_full():
    assert len(set(most_telling(waiting([0.1] * 30, np.ones((30, 2))), 5).tolist())) == 5


def test_of_two_like_cases_the_one_that_no_labelled_cell_looks_like_is_asked_for():
    looks = np.array([[0.0, 0.1], [10.0, 10.2], [0.0, 0.0], [20.0, 0.0], [0.0, 20.0]])
    cells = waiting([0.1, 0.1, 0.9, 0.8, 0.8], looks, labelled=(2,))

    assert most_telling(cells, 1).tolist() == [1]


def test_a_class_is_asked_for_by_its_predictions_then_by_second_thoughts():
    cells = waiting(
        [0.9, 0.2, 0.5, 0.1, 0.05],
        predicted=[3, 3, 1, 1, 1],
        runner_up=[1, 1, 3, 3, 2],
    )

    assert of_class(cells, 3, 2).tolist() == [1, 0]
    assert of_class(cells, 3, 9).tolist() == [1, 0, 3, 2]
    assert of_class(cells, 7, 9).tolist() == []


@pytest.mark.parametrize(
    ("labels", "recalls", "needed"),
    [
        ({1: 30, 2: 4, 3: 20}, {1: 0.2, 3: 0.9}, 2),  # few labels come before all
        ({1: 30, 2: 14, 3: 20}, {1: 0.9, 2: 0.8, 3: 0.4}, 3),
        ({1: 30, 2: 14}, {}, 2),
        ({1: 30, 2: 0}, {1: 0.1}, 2),  # a class without any label
        ({}, {}, 0),
    ],
)
def test_the_class_that_needs_more(labels, recalls, needed):
    assert needed_class(labels, recalls) == needed


def test_random_cells_stay_in_their_order_when_some_are_labelled_or_added():
    free = np.ones(100, dtype=bool)
    first = at_random(refs(100), free, 10, seed=3)
    free[first[:4]] = False

    assert at_random(refs(100), free, 6, seed=3).tolist() == first[4:].tolist()
    more = at_random(refs(200), np.arange(200) < 100, 10, seed=3)
    assert more.tolist() == first.tolist()
    assert at_random(refs(100), np.ones(100, dtype=bool), 10, seed=4).tolist() != first.tolist()


def test_random_cells_are_spread_evenly():
    asked = at_random(refs(20_000), np.ones(20_000, dtype=bool), 2000)

    assert abs(float(asked.mean()) - 10_000) < 500
    assert len(np.unique(asked)) == 2000


@given(st.integers(0, 60), st.integers(0, 40), st.integers(0, 10**6), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_cells_are_asked_for_once_each_and_only_free_ones(count, wanted, seed, known):
    rng = np.random.default_rng(seed)
    margin = np.where(rng.random(count) < 0.2, np.nan, rng.random(count))
    looks = rng.integers(0, 3, (count, 2)).astype(np.float16) if known else None
    cells = waiting(margin, looks, labelled=tuple(np.flatnonzero(rng.random(count) < 0.3).tolist()))
    possible = int((cells.free & np.isfinite(margin)).sum())

    asked = most_telling(cells, wanted, seed)

    assert len(set(asked.tolist())) == len(asked) == min(wanted, possible)
    assert cells.free[asked].all()
    assert asked.tolist() == most_telling(cells, wanted, seed).tolist()
