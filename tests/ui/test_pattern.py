"""Outlines, rims and stripes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_cellstage.ui.pattern import Pattern, inner_outline


def slow_outline(plane: np.ndarray, width: int) -> np.ndarray:
    """The definition, pixel by pixel: another label within `width` pixels straight up, down, left or right."""
    found = np.zeros(plane.shape, dtype=bool)
    height, length = plane.shape
    for y in range(height):
        for x in range(length):
            near = [(y + d, x) for d in range(-width, width + 1)] + [(y, x + d) for d in range(-width, width + 1)]
            inside = [(a, b) for a, b in near if 0 <= a < height and 0 <= b < length]
            found[y, x] = plane[y, x] != 0 and any(plane[p] != plane[y, x] for p in inside)
    return found


@given(arrays(np.int32, (7, 9), elements=st.integers(0, 3)), st.integers(1, 3))
def test_outline_is_what_its_definition_says(plane: np.ndarray, width: int) -> None:
    assert np.array_equal(inner_outline(plane, width), slow_outline(plane, width))


def test_outline_wider_than_the_plane_is_no_error() -> None:
    assert not inner_outline(np.ones((2, 3), dtype=np.int32), 5).any()


def test_touching_cells_are_each_outlined() -> None:
    plane = np.repeat(np.array([[1, 1, 1, 2, 2, 2]]), 6, axis=0)
    assert inner_outline(plane, 1)[3].tolist() == [False, False, True, True, False, False]


def applied(pattern: Pattern, codes: np.ndarray, plane: np.ndarray) -> np.ndarray:
    shown = codes.copy()
    pattern.apply(shown, inner_outline(plane, max(1, pattern.width)), inner_outline(plane, 1), 0, 0)
    return shown


@pytest.fixture
def plane() -> np.ndarray:
    made = np.zeros((12, 24), dtype=np.int32)
    made[1:11, 1:11] = 1
    made[1:11, 13:23] = 2
    return made


def test_thin_cells_have_one_pixel_and_the_others_a_rim(plane: np.ndarray) -> None:
    codes = np.where(plane == 1, 1, np.where(plane == 2, 7, 0)).astype(np.uint8)
    shown = applied(Pattern(width=3, thin=1, rim=2), codes, plane)
    assert shown[5, :13].tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert shown[5, 13:].tolist() == [2, 7, 7, 0, 0, 0, 0, 7, 7, 2, 0]


def test_stripes_take_half_of_the_cell_and_nothing_of_the_others(plane: np.ndarray) -> None:
    codes = np.where(plane == 1, 1, np.where(plane == 2, 7, 0)).astype(np.uint8)
    shown = applied(Pattern(hatched=1, period=4), codes, plane)
    assert (shown[plane == 1] == 1).mean() == pytest.approx(0.5, abs=0.1)
    assert (shown[plane == 2] == 7).all()


def test_stripes_meet_whatever_part_is_drawn() -> None:
    pattern = Pattern(hatched=1, period=6)
    whole = np.ones((20, 20), dtype=np.uint8)
    part = np.ones((5, 7), dtype=np.uint8)
    pattern.apply(whole, None, None, 0, 0)
    pattern.apply(part, None, None, 11, 4)
    assert np.array_equal(part, whole[11:16, 4:11])


def test_crossed_cells_are_striped_the_other_way_and_the_stripes_meet(plane: np.ndarray) -> None:
    codes = np.where(plane > 0, 3, 0).astype(np.uint8)
    whole = applied(Pattern(crossed=3, period=6), codes, plane)
    lower = codes[5:].copy()
    Pattern(crossed=3, period=6).apply(lower, None, None, 5, 0)
    assert np.array_equal(lower, whole[5:])
    inside = whole[1:11, 1:11] == 3
    assert np.array_equal(inside[1:, 1:], inside[:-1, :-1])  # along the diagonal that goes down to the right
    assert 0.2 < inside.mean() < 0.5
    hatched = applied(Pattern(hatched=3, period=6), codes, plane)[1:11, 1:11] == 3
    assert np.array_equal(hatched[1:, :-1], hatched[:-1, 1:])


def test_tiny_cells_are_just_filled() -> None:
    assert Pattern(crossed=3, hatched=1).at_level(4, 20).crossed == 0
