"""Where tiles lie, and which are chosen."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.ui.review.grid_places import GAP, GridPlaces, Picks

grids = st.builds(
    GridPlaces,
    st.integers(0, 500),
    st.integers(0, 900),
    st.tuples(st.integers(20, 150), st.integers(20, 170)),
)


@given(grids)
def test_each_tile_is_found_where_it_lies_and_nothing_between(grid):
    for place in range(grid.count):
        x, y = grid.corner(place)
        assert grid.place_at(x, y) == place
        assert grid.place_at(x + grid.tile[0] - 1, y + grid.tile[1] - 1) == place
        assert grid.place_at(x - 1, y) is None
        assert y + grid.tile[1] <= grid.height
    assert grid.place_at(3, grid.height + 1000) is None


@given(grids, st.integers(-50, 3000), st.integers(0, 900))
def test_tiles_that_are_seen_are_those_between_two_heights(grid, top, length):
    seen = grid.between(top, top + length)
    tops = [grid.corner(place)[1] for place in range(grid.count)]
    touched = [p for p, y in enumerate(tops) if y < top + length and y + grid.tile[1] > top]
    assert set(touched) <= set(seen)
    assert len(seen) <= len(touched) + 2 * grid.columns


@given(grids, *[st.integers(0, 1500)] * 4)
def test_a_band_takes_the_tiles_that_it_touches(grid, x0, y0, wide, high):
    found = set(grid.within(x0, y0, x0 + wide, y0 + high).tolist())
    corners = [grid.corner(place) for place in range(grid.count)]
    width, height = grid.tile
    expected = {
        place
        for place, (x, y) in enumerate(corners)
        if x <= x0 + wide and x + width >= x0 and y <= y0 + high and y + height >= y0
    }
    assert found == expected


def test_a_window_that_is_too_narrow_for_a_tile_has_one_column():
    assert GridPlaces(7, 10, (96, 110)).columns == 1
    assert GridPlaces(7, 2 * (96 + GAP) + GAP, (96, 110)).columns == 2


def picks(count: int = 10) -> Picks:
    return Picks(np.zeros(count, dtype=bool))


def test_clicks_choose_one_add_and_extend():
    made = picks()
    made.click(3)
    made.click(5, adds=True)
    assert np.flatnonzero(made.mask).tolist() == [3, 5]
    made.click(7, extends=True)
    assert np.flatnonzero(made.mask).tolist() == [5, 6, 7]
    made.click(1, adds=True)
    made.click(0, adds=True, extends=True)
    assert np.flatnonzero(made.mask).tolist() == [0, 1, 5, 6, 7]
    made.click(6, adds=True)
    assert not made.mask[6]
    made.click(2)
    assert np.flatnonzero(made.mask).tolist() == [2]


def test_arrows_go_on_from_the_current_tile_and_stop_at_the_ends():
    made = picks()
    made.step(1)
    assert made.current == 0
    made.step(4)
    made.step(1, extends=True)
    made.step(1, extends=True)
    assert np.flatnonzero(made.mask).tolist() == [4, 5, 6]
    made.step(100)
    assert (made.current, made.mask.sum()) == (9, 1)
    picks(0).step(1)


def test_what_was_chosen_elsewhere_is_taken_and_the_keys_go_on_from_it():
    made = picks()
    mask = np.isin(np.arange(10), [4, 8])
    made.show(mask)
    assert made.current == 4
    made.step(1)
    assert np.flatnonzero(made.mask).tolist() == [5]
    assert np.flatnonzero(mask).tolist() == [4, 8]
    made.show(np.zeros(10, dtype=bool))
    assert made.current == -1
