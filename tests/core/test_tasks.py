"""Tasks: some classes told apart, and one split for all tasks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.scoring.common_split import CommonSplit
from napari_cellstage.core.scoring.splits import holdout
from napari_cellstage.core.tasks import Task, TaskError, pair_tasks, parse_classes, task_folders, written_classes

DOSES = ("0", "0.1", "1")
NAMES = st.lists(
    st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8),
    min_size=2,
    max_size=6,
    unique=True,
)


def test_classes_are_in_the_order_of_the_data_whatever_order_they_are_named_in():
    task = parse_classes(" 1, 0 ", DOSES)
    assert task == Task("0 vs 1", ("0", "1"))
    assert task.left_out(DOSES) == ("0.1",)


def test_all_classes_and_each_two_of_them():
    assert [task.name for task in pair_tasks(DOSES)] == ["3 classes", "0 vs 0.1", "0 vs 1", "0.1 vs 1"]
    assert [task.name for task in pair_tasks(("a", "b"))] == ["a vs b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,2", "There is no class '2' to be told apart. The classes are: 0, 0.1, 1."),
        ("0", "'0' is one class, but it takes two to tell apart. Name two or more of: 0, 0.1, 1."),
        (" , ", "No class is named, but it takes two"),
        ("0,1,0", "Class '0' is named 2 times. Name each class once."),
    ],
)
def test_what_can_not_be_told_apart_is_said(text, message):
    with pytest.raises(TaskError) as error:
        parse_classes(text, DOSES)
    assert message in str(error.value)


def test_too_many_pairs_are_refused_with_their_number():
    with pytest.raises(TaskError, match="40 classes make 780 pairs, more than 500"):
        pair_tasks([f"c{n}" for n in range(40)])


@settings(deadline=None)
@given(NAMES)
def test_written_classes_are_read_again(names):
    assert parse_classes(written_classes(names), names).classes == tuple(names)


@settings(deadline=None)
@given(NAMES)
def test_folders_of_tasks_are_allowed_everywhere_and_distinct(names):
    folders = task_folders(pair_tasks(names))
    assert len({one.casefold() for one in folders}) == len(folders)
    assert all(one and not set(one) & set('<>:"/\\|?*') and not one.endswith((".", " ")) for one in folders)


def test_names_that_differ_by_a_slash_or_capitals_have_folders_of_their_own():
    assert task_folders(pair_tasks(("a/b", "A\\B"))) == ["a_b vs A_B"]
    assert task_folders([Task("a/b", ("a", "b")), Task("A\\B", ("a", "c"))]) == ["a_b", "A_B (2)"]


@settings(deadline=None)
@given(st.integers(0, 100), st.sampled_from([1, 3, 8, 20]))
def test_a_cell_held_out_in_one_task_trains_none(seed, groups):
    labels = np.arange(40) % 3
    of = np.arange(40) // 3 % groups
    whole = holdout(labels, of, 0.25, seed)
    trained, held = set(), set()
    for out in (0, 1, 2):
        rows = np.flatnonzero(labels != out)
        mask = CommonSplit(labels, of, rows).held_out(0.25, seed)
        assert (mask == whole[rows]).all()
        held |= set(rows[mask].tolist())
        trained |= set(rows[~mask].tolist())
    assert not held & trained


def test_folds_of_a_task_are_those_of_all_numbered_without_gaps():
    labels, of = np.repeat([0, 1, 2], 12), np.repeat(np.arange(9), 4)
    rows = np.flatnonzero(labels != 1)
    fold = CommonSplit(labels, of, rows).folds(4, 0)
    assert set(fold.tolist()) == set(range(int(fold.max()) + 1))
    all_of_them = CommonSplit(labels, of, np.arange(36)).folds(4, 0)[rows]
    pairs = set(zip(fold.tolist(), all_of_them.tolist(), strict=True))
    assert len(pairs) == len(set(fold.tolist()))
