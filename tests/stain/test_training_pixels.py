"""Pixels in memory: in their own format, and never more of them than may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.stain.scaling import Scaling
from napari_cellstage.stain.splits import Region, whole
from napari_cellstage.stain.training_pixels import Shelf, hold, tiles_of


def shelf(data, side=8, **but) -> Shelf:
    return Shelf(data, whole(data), Scaling.of(data, whole(data)), side, **but)


def filled(one: Shelf, seed: int = 0, before=()):
    work = one.fill(np.random.default_rng(seed), lambda: False, before)
    try:
        while True:
            next(work)
    except StopIteration as end:
        return end.value


def test_pixels_keep_their_format_where_all_are_known(make_pairs):
    data = make_pairs(1)
    pair, region = data.pairs[0], Region(0, 4, 8, 20, 32)
    held = hold(pair, region, Scaling.of(data, whole(data)))
    assert (held.inputs.dtype, held.targets.dtype) == (np.uint16, np.uint16)
    np.testing.assert_array_equal(held.inputs, pair.read_input(y=slice(4, 20), x=slice(8, 32)))
    moved = replace(pair, shift=(3, 0))
    held = hold(moved, region, Scaling.of(data, whole(data)))
    assert (held.inputs.dtype, held.targets.dtype) == (np.uint16, np.uint16)
    held = hold(replace(pair, shift=(6, 0)), region, Scaling.of(data, whole(data)))
    assert held.targets.dtype == np.float32
    assert np.isnan(held.targets[:, :, :2]).all()


def test_everything_is_read_once_where_it_fits(make_pairs):
    one = shelf(make_pairs(3))
    first = filled(one)
    assert len(first) == 3
    assert all(a is b for a, b in zip(filled(one, 1, first), first, strict=True))


def test_of_more_each_epoch_holds_another_part(make_pairs):
    data = make_pairs(4, side=64)
    one = shelf(data, side=2, most=4 * 64 * 64)
    parts = [filled(one, seed) for seed in (0, 1)]
    for held in parts:
        assert 0 < sum(part.inputs.nbytes + part.targets.nbytes for part in held) <= one.most
    assert not all(np.array_equal(a.inputs, b.inputs) for a, b in zip(*parts, strict=False))


def test_squares_with_stain_are_told_from_those_without(make_pairs):
    data = make_pairs(1)
    held = hold(data.pairs[0], Region(0, 0, 0, 32, 32), Scaling.of(data, whole(data)))
    bright = np.array(held.targets)
    bright[:] = 0
    bright[..., 16:24, 8:16] = 60_000
    amounts = np.diff(replace(held, targets=bright).stained[0], prepend=0).reshape(4, 4)
    assert np.flatnonzero(amounts).tolist() == [2 * 4 + 1]


@given(top=st.integers(0, 50), height=st.integers(1, 300), width=st.integers(1, 300), side=st.integers(20, 90))
@settings(max_examples=25, deadline=None)
def test_tiles_cover_a_region_once(top, height, width, side):
    seen = np.zeros((400, 400), int)
    for tile in tiles_of(Region(0, top, 3, top + height, 3 + width), side):
        seen[tile.top : tile.bottom, tile.left : tile.right] += 1
    assert (seen[top : top + height, 3 : 3 + width] == 1).all()
    assert seen.sum() == height * width
