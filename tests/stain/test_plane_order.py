"""Order of planes, told by how alike and how sharp they are."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter1d

from napari_cellstage.sample_stained import stained_field
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


@pytest.mark.parametrize("wrong", [(3, 0, 5, 1, 6, 2, 4), (6, 0, 1, 2, 3, 4, 5), (0, 2, 4, 6, 1, 3, 5)])
def test_planes_above_and_below_focus_that_look_alike_are_not_mixed_up(wrong):
    light = stained_field(2, size=192, cells=8, planes=7).stack.volume(0, 0).astype(np.float32)
    assert better_order(likenesses(list(light))) is None
    order = better_order(likenesses(list(light[list(wrong)])))
    assert order is not None
    found = [wrong[place] for place in order]
    assert found in (list(range(7)), list(range(7))[::-1])


def test_a_stack_of_many_planes_is_told_in_a_moment():
    seeds = np.random.default_rng(0).normal(size=(120, 24, 24))
    planes = gaussian_filter1d(seeds, 3, axis=0).astype(np.float32)
    assert better_order(likenesses(list(planes))) is None
    wrong = sorted(range(120), key=str)
    order = better_order(likenesses(list(planes[wrong])))
    assert order is not None
    assert [wrong[place] for place in order] == list(range(120))


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
