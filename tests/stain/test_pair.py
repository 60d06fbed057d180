"""What a pair reads: parts, outputs, and stains that are moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.images import from_array
from napari_cellstage.stain.pair import StainPair


def pair_of(array: np.ndarray, **but: object) -> StainPair:
    """Return a pair of channel 0 and the others of ``(C, Z, Y, X)``."""
    stack = from_array(array, "CZYX", "image")
    return StainPair("image", "image", stack, (0,), stack, tuple(range(1, len(array))), **but)  # type: ignore[arg-type]


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60_000, (3, 4, 9, 11)).astype(np.uint16)


def test_a_stack_reads_its_planes(volume):
    pair = pair_of(volume)
    part = (slice(1, 3), slice(2, 7), slice(None, 5))
    assert pair.shape == (4, 9, 11)
    assert pair.depth_out == 4
    assert pair.read_input(*part).dtype == np.float32
    np.testing.assert_array_equal(pair.read_input(*part), volume[0, 1:3, 2:7, :5][None])
    np.testing.assert_array_equal(pair.read_target(*part), volume[1:, 1:3, 2:7, :5])


def test_one_plane_is_read_of_the_stain_and_all_of_the_input(volume):
    pair = pair_of(volume, output="plane", plane=2)
    assert pair.depth_out == 1
    assert pair.read_input().shape == (1, 4, 9, 11)
    np.testing.assert_array_equal(pair.read_target(), volume[1:, 2:3])


def test_a_maximum_leaves_pixels_out_that_are_not_finite():
    array = np.random.default_rng(1).normal(size=(2, 3, 4, 5)).astype(np.float64)
    array[1, 0, 0, 0], array[1, :, 1, 1] = np.inf, np.nan
    made = pair_of(array, output="maximum").read_target()
    assert made.shape == (1, 1, 4, 5)
    assert made[0, 0, 0, 0] == np.float32(array[1, 1:, 0, 0].max())
    assert np.isnan(made[0, 0, 1, 1])
    assert np.isnan(made).sum() == 1


def test_what_float32_cannot_hold_counts_as_not_finite():
    array = np.ones((2, 1, 2, 2))
    array[:, 0, 0, 0] = 1e300
    assert np.isnan(pair_of(array).read_input()[0, 0, 0, 0])


@given(
    shift=st.tuples(st.integers(-12, 12), st.integers(-12, 12)),
    top=st.integers(0, 9),
    left=st.integers(0, 11),
    height=st.integers(0, 9),
    width=st.integers(0, 11),
)
def test_any_part_of_a_moved_stain_is_that_part_of_the_whole_moved(shift, top, left, height, width):
    array = np.arange(2 * 9 * 11, dtype=np.uint16).reshape(2, 1, 9, 11)
    pair = replace(pair_of(array), shift=shift)
    whole = np.full((9, 11), np.nan, np.float32)
    for y in range(9):
        for x in range(11):
            if 0 <= y - shift[0] < 9 and 0 <= x - shift[1] < 11:
                whole[y, x] = array[1, 0, y - shift[0], x - shift[1]]
    rows, columns = slice(top, top + height), slice(left, left + width)
    np.testing.assert_array_equal(pair.read_target(y=rows, x=columns)[0, 0], whole[rows, columns])
