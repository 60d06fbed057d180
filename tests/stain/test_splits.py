"""Parts that are trained on never touch those that are scored."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.images import from_array
from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.splits import Region, split_pairs, whole


def flat_set(groups: list[str], side: tuple[int, int] = (20, 30)) -> StainSet:
    """Return pairs of nothing in these groups; only their sizes matter."""
    stack = from_array(np.broadcast_to(np.uint8(0), (2, *side)), "CYX", "image")
    pairs = (StainPair(f"{i}", group, stack, (0,), stack, (1,)) for i, group in enumerate(groups))
    return StainSet(tuple(pairs), ("light",), ("DNA",))


def painted(side: tuple[int, int], regions: tuple[Region, ...]) -> np.ndarray:
    made = np.zeros(side, int)
    for one in regions:
        made[one.slices] += 1
    return made


@given(
    groups=st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=30).filter(lambda names: len(set(names)) > 1),
    holdout=st.floats(0, 0.9),
    validation=st.floats(0, 0.9),
    seed=st.integers(0, 5),
)
def test_parts_never_share_a_group(groups, holdout, validation, seed):
    data = flat_set(groups)
    split = split_pairs(data, holdout, validation, seed)
    parts = [{groups[one.pair] for one in part} for part in (split.train, split.validation, split.held_out)]
    assert parts[0]
    assert bool(parts[2]) == (holdout > 0)
    assert not any(one & other for i, one in enumerate(parts) for other in parts[:i])
    assert sorted(one.pair for one in (*split.train, *split.validation, *split.held_out)) == list(range(len(groups)))
    assert split == split_pairs(data, holdout, validation, seed)


@given(
    side=st.tuples(st.integers(12, 90), st.integers(12, 90)),
    holdout=st.floats(0.01, 0.6),
    gap=st.none() | st.integers(0, 4),
    frames=st.integers(1, 3),
)
def test_parts_of_one_group_keep_their_distance(side, holdout, gap, frames):
    split = split_pairs(flat_set(["a"] * frames, side), holdout, gap=gap)
    assert not split.validation
    for frame in range(frames):
        trained, held = (
            painted(side, tuple(one for one in part if one.pair == frame)) for part in (split.train, split.held_out)
        )
        assert trained.any()
        assert held.mean() >= min(holdout, 0.3) - 0.1
        assert not (trained * held).any()
        near = (np.argwhere(trained).max(axis=0), np.argwhere(held).min(axis=0))
        along = int(side[1] >= side[0])
        assert near[1][along] - near[0][along] - 1 == (gap if gap is not None else max(1, round(0.1 * max(side))))


def test_one_image_is_cut_60_10_30():
    split = split_pairs(flat_set(["a"], (640, 640)))
    assert split.train == (Region(0, 0, 0, 640, 384),)
    assert split.held_out == (Region(0, 0, 448, 640, 640),)
    assert "the left 60% is trained on, the right 30% held out, and 64 pixels between" in split.how


def test_a_tall_image_is_cut_from_above():
    split = split_pairs(flat_set(["a"], (100, 40)))
    assert split.train == (Region(0, 0, 0, 60, 40),)
    assert split.held_out == (Region(0, 70, 0, 100, 40),)
    assert "upper 60%" in split.how


def test_a_fifth_of_many_images_is_held_out():
    split = split_pairs(flat_set([f"cell {i}" for i in range(2435)]), 0.2, 0.1)
    assert (len(split.train), len(split.validation), len(split.held_out)) == (1753, 195, 487)
    assert split.how == "487 of 2,435 images held out at random (seed 0), 195 others choose the epoch."
    assert split != split_pairs(flat_set([f"cell {i}" for i in range(2435)]), 0.2, 0.1, seed=1)


def test_few_groups_leave_something_to_train_on():
    for count, holdout in product((2, 3), (0.01, 0.99)):
        assert split_pairs(flat_set([f"{i}" for i in range(count)]), holdout, 0.5).train


def test_nothing_is_held_out_where_that_is_wanted():
    for groups in (["a"], ["a", "b"]):
        data = flat_set(groups)
        split = split_pairs(data, 0, 0)
        assert split.train == whole(data)
        assert not split.held_out
        assert split.how == "Nothing is held out."


def test_a_gap_that_leaves_nothing_is_refused_with_its_numbers():
    with pytest.raises(TrainingError, match="'0' is 30 pixels long: 9 held out and a gap of 21 leave nothing"):
        split_pairs(flat_set(["a"]), gap=21)


@pytest.mark.parametrize(
    ("change", "text"),
    [({"holdout": 1.0}, "holdout is 1.0"), ({"validation": -0.1}, "validation is -0.1"), ({"gap": -1}, "gap is -1")],
)
def test_shares_and_gaps_that_cannot_be_are_refused(change, text):
    with pytest.raises(TrainingError, match=text):
        split_pairs(flat_set(["a", "b"]), **change)


def test_no_pairs_are_refused():
    with pytest.raises(TrainingError, match="There are no pairs"):
        split_pairs(StainSet((), ("light",), ("DNA",)))
