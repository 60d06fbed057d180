from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.scoring.splits import holdout, kfold

CELLS = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 5), min_size=n, max_size=n), st.lists(st.integers(0, 7), min_size=n, max_size=n)
    )
)


def arrays(cells: tuple[list[int], list[int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(cells[0]), np.array(cells[1]).astype(str)


@settings(max_examples=80, deadline=None)
@given(CELLS, st.floats(0, 0.5), st.integers(0, 99))
def test_a_holdout_cuts_no_group_and_leaves_every_class_in_training(cells, share, seed):
    labels, groups = arrays(cells)
    held = holdout(labels, groups, share, seed)
    assert held.dtype == bool
    assert held.shape == labels.shape
    assert set(labels[~held]) == set(labels)
    if len(set(groups)) > 1:
        assert not set(groups[held]) & set(groups[~held])
    assert np.array_equal(held, holdout(labels, groups, share, seed))


@settings(max_examples=80, deadline=None)
@given(CELLS, st.integers(2, 6), st.integers(0, 99))
def test_folds_cut_no_group_and_are_numbered_without_gaps(cells, folds, seed):
    labels, groups = arrays(cells)
    fold = kfold(labels, groups, folds, seed)
    assert set(fold) == set(range(fold.max() + 1))
    assert fold.max() < folds
    if len(set(groups)) > 1:
        assert all(len(set(fold[groups == g])) == 1 for g in set(groups))


@given(st.integers(2, 6), st.integers(2, 40), st.integers(0, 9))
def test_one_group_is_split_by_cell_with_like_shares_of_each_class(folds, each, seed):
    labels = np.repeat([0, 1, 2], each)
    fold = kfold(labels, np.zeros(len(labels)), folds, seed)
    counts = np.array([np.bincount(fold[labels == k], minlength=fold.max() + 1) for k in range(3)])
    assert np.ptp(counts, axis=1).max() <= 1


def test_one_group_holds_about_the_share_of_each_class_out():
    labels = np.repeat([0, 1], [100, 20])
    held = holdout(labels, np.zeros(120), 0.2, 3)
    assert held.sum() in (23, 24, 25)
    assert held[labels == 1].sum() in (3, 4, 5)


def test_whole_images_are_held_out_where_there_are_several():
    groups = np.repeat(["a", "b", "c", "d", "e"], 20)
    held = holdout(np.tile([0, 1], 50), groups, 0.2, 0)
    assert held.sum() == 20
    assert len(set(groups[held])) == 1


def test_of_two_images_the_one_that_training_can_spare_is_held_out():
    labels = np.array([0] * 10 + [1] * 10 + [0] * 5)
    groups = np.array(["a"] * 20 + ["b"] * 5)
    assert np.array_equal(holdout(labels, groups, 0.2, 0), groups == "b")


def test_nothing_is_held_out_where_each_class_has_an_image_of_its_own():
    labels = np.repeat([0, 1], 10)
    assert not holdout(labels, labels.astype(str), 0.2, 0).any()


def test_no_share_or_no_cells_hold_nothing_out():
    assert not holdout(np.array([0, 1, 0, 1]), np.zeros(4), 0.0, 0).any()
    assert len(holdout(np.zeros(0, int), np.zeros(0), 0.2, 0)) == 0


def test_another_seed_gives_another_split():
    labels = np.tile([0, 1], 50)
    assert not np.array_equal(holdout(labels, np.zeros(100), 0.2, 0), holdout(labels, np.zeros(100), 0.2, 1))
