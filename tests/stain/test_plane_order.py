"""Order of planes, told by how alike and how sharp they are."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_cellstage.stain.plane_order import better_order, likenesses, profile, reversed_ones


@pytest.mark.parametrize("count", [4, 7, 20])
def test_noise_has_no_order(count):
    rng = np.random.default_rng(count)
    assert better_order(likenesses(list(rng.normal(size=(count, 40, 40)).astype(np.float32)))) is None


def test_blank_and_missing_planes_do_not_disturb():
    planes = [np.zeros((9, 9), np.float32), np.full((9, 9), np.nan, np.float32)] * 2
    assert np.isfinite(likenesses(planes)).all()
    assert np.isfinite(profile(planes)).all()
    assert better_order(likenesses(planes)) is None
    assert reversed_ones([profile(planes)] * 4) == []


def test_two_stacks_cannot_tell_which_of_them_is_upside_down():
    rising = np.stack([np.linspace(-1, 1, 6)] * 2)
    assert reversed_ones([rising, rising[:, ::-1]]) == []
    assert reversed_ones([rising, rising, rising[:, ::-1]]) == [2]
    assert reversed_ones([rising, rising[:, :4], rising[:, ::-1]]) == []
    even = np.abs(rising)
    assert reversed_ones([even, even, even[:, ::-1]]) == []


@pytest.mark.data
def test_phase_contrast_of_neurons(data_dir):
    stack = tifffile.imread(data_dir / "pairs" / "isl" / "phase_zyx.tif")
    planes = stack.astype(np.float32)[:, ::2, ::2]
    assert better_order(likenesses(list(planes))) is None
    assert better_order(likenesses(list(planes[::-1]))) is None
    wrong = [0, 10, 11, 12, *range(1, 10)]  # as a program sorts that takes numbers for text
    order = better_order(likenesses(list(planes[wrong])))
    assert order is not None
    assert [wrong[place] for place in order] == list(range(13))
    tiles = [profile(list(stack.astype(np.float32)[:, y : y + 213, x : x + 213])) for y in (0, 213) for x in (0, 213)]
    tiles[2] = tiles[2][:, ::-1]
    assert reversed_ones(tiles) == [2]
