"""Where the looks of light tell most of a stain's texture."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_cellstage.stain.textures import best_shift, looks, texture


def blobs(seed: int, side: tuple[int, int] = (96, 120)) -> np.ndarray:
    seeds = np.random.default_rng(seed).random(side) > 0.995
    return gaussian_filter(seeds.astype(np.float32), 2.5) * 100


@pytest.mark.parametrize("by", [(0, 0), (7, -11), (-5, 20)])
@pytest.mark.parametrize("seen", [lambda cells: cells, lambda cells: -cells, lambda cells: np.sqrt(cells + 1)])
def test_it_does_not_matter_in_which_way_cells_show(by, seen):
    cells = blobs(0)
    found = best_shift(looks([seen(cells)]), texture([np.roll(cells, by, (0, 1))]))
    assert found is not None
    assert found[:2] == (-by[0], -by[1])
    assert found[2] > 0.7


def test_what_is_told_at_any_shift_counts_for_nothing():
    found = best_shift(looks([blobs(0)]), texture([blobs(1)]))
    assert found is not None
    assert found[2] < 0.5


def test_pixels_that_are_none_do_no_harm():
    cells = blobs(0)
    light, stain = cells.copy(), np.roll(cells, (3, 4), (0, 1))
    light[:9], stain[:, -9:] = np.nan, np.nan
    found = best_shift(looks([light]), texture([stain]))
    assert found is not None
    assert found[:2] == (-3, -4)


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_what_has_no_texture_has_no_shift(value):
    flat = np.full((96, 120), value, np.float32)
    assert best_shift(looks([flat]), texture([blobs(0)])) is None
    assert best_shift(looks([blobs(0)]), texture([flat])) is None


def test_what_is_too_small_has_no_shift():
    tiny = blobs(0)[:7, :7]
    assert best_shift(looks([tiny]), texture([tiny])) is None
