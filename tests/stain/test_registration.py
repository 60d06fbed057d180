"""Shifts between stain and transmitted light: found where they can be, and left alone where they can't."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.core.images import from_array
from napari_cellstage.sample_stained import stained_field
from napari_cellstage.stain.pairs import StainPair, StainSet, pairs_of_folders
from napari_cellstage.stain.registration import Shift, registered, shift_of


def moved(data: StainSet, *by: tuple[int, int]) -> StainSet:
    """Return pairs whose stains lie elsewhere; NaN where nothing is left of them."""
    pairs = []
    for place, pair in enumerate(data.pairs):
        target = replace(pair, shift=by[place % len(by)]).read_target()
        stack = from_array(target, "CZYX", pair.name)
        pairs.append(StainPair(pair.name, pair.group, pair.inputs, (0,), stack, tuple(range(len(target)))))
    return replace(data, pairs=tuple(pairs))


@pytest.mark.parametrize("by", [(0, 0), (5, -7), (-9, 3)])
@pytest.mark.parametrize("side", [64, (128, 160)])
def test_a_shift_is_found(make_pairs, by, side):
    found = shift_of(moved(make_pairs(1, side=side), by).pairs[0])
    assert (found.dy, found.dx) == pytest.approx((-by[0], -by[1]), abs=1)
    assert found.trusted


def test_a_shift_of_a_stack_is_found(make_pairs):
    found = shift_of(moved(make_pairs(1, side=128, depth=4, stains=2), (4, 6)).pairs[0])
    assert (found.dy, found.dx) == pytest.approx((-4, -6), abs=1.5)


def test_what_has_nothing_in_common_is_not_trusted(make_pairs):
    one, other = make_pairs(2, side=128).pairs
    noise = from_array(np.random.default_rng(0).normal(size=(128, 128)), "YX", "noise")
    assert not shift_of(replace(one, targets=other.targets)).trusted
    assert not shift_of(replace(one, targets=noise, target_channels=(0,))).trusted
    assert "can't be told" in shift_of(replace(one, targets=other.targets)).text


@pytest.mark.parametrize("value", [0, np.nan])
def test_a_blank_stain_has_no_shift(make_pairs, value):
    blank = from_array(np.full((32, 32), value), "YX", "blank")
    assert shift_of(replace(make_pairs(1).pairs[0], targets=blank, target_channels=(0,))) == Shift(0, 0, 0)


def test_shifts_are_corrected_and_what_they_leave_is_missing(make_pairs):
    data = make_pairs(2, side=96)
    made = registered(moved(data, (6, -8), (0, 0)))
    assert made.pairs[0].shift == (-6, 8)
    assert made.pairs[1].shift == (0, 0)
    assert made.notes == ("1 of 2 stains were shifted and moved, in pixels: image 0 6 up, 8 right.",)
    target = made.pairs[0].read_target()
    assert np.isnan(target[..., -6:, :]).all()
    assert np.isnan(target[..., :8]).all()
    known = np.isfinite(target)
    np.testing.assert_array_equal(target[known], data.pairs[0].read_target()[known])
    assert known.mean() > 0.8
    again = registered(made)
    assert [pair.shift for pair in again.pairs] == [(-6, 8), (0, 0)]


def test_an_offset_of_the_camera_moves_all_pairs(make_pairs):
    data = moved(make_pairs(8, side=48), (3, 4))
    made = registered(data)
    assert len({pair.shift for pair in made.pairs}) == 1
    assert made.pairs[0].shift == pytest.approx((-3, -4), abs=1)
    assert "All stains were" in made.notes[0]
    assert "pixels below and" in made.notes[0]


def test_aligned_stains_stay_where_they_are(make_pairs):
    for count, side in ((2, 128), (8, 64)):
        made = registered(make_pairs(count, side=side))
        assert {pair.shift for pair in made.pairs} == {(0, 0)}
        assert made.notes == ("The stains lie on their inputs; none was moved.",)


def test_pairs_that_cannot_be_told_are_left_and_counted(make_pairs):
    one, other, third = make_pairs(3, side=128).pairs
    data = StainSet((replace(one, targets=other.targets), third), ("light",), ("DNA",))
    made = registered(data)
    assert made.pairs[0].shift == (0, 0)
    assert made.notes == ("Whether the stains of 1 of 2 pairs are shifted can't be told; left as they are.",)


def test_few_small_images_are_not_moved(make_pairs):
    made = registered(moved(make_pairs(2, side=48), (9, 9)))
    assert {pair.shift for pair in made.pairs} == {(0, 0)}
    assert "too small, or too few" in made.notes[0]


def test_it_says_where_a_stain_is():
    assert Shift(3, -2, 0.9).text == "The stain is 3 pixels above and 2 pixels right of where its input is."
    assert Shift(1, -2, 0.9).text == "The stain lies on its input."


def test_it_can_be_stopped(make_pairs):
    with pytest.raises(TrainingStopped):
        registered(make_pairs(1), lambda: True)


@pytest.mark.parametrize("by", [(0, 0), (9, -14)])
def test_phase_contrast_of_dense_cells_and_their_stains(by):
    field = stained_field(1).stack  # halos around cells, which are neither brighter nor darker than the ground
    pair = StainPair("field", "field", field, (0,), field, (1, 2), shift=by)
    found = shift_of(pair)
    assert np.hypot(found.dy + by[0], found.dx + by[1]) < 3
    assert found.trusted


@pytest.mark.data
@pytest.mark.parametrize(("by", "near"), [((0, 0), 2), ((7, -12), 2.5)])
def test_phase_contrast_of_neurons_and_their_stains(data_dir, by, near):
    (pair,) = pairs_of_folders(data_dir / "pairs" / "isl", "phase_zyx", "DAPI,MAP2,NFH").pairs
    found = shift_of(replace(pair, shift=by))
    assert np.hypot(found.dy + by[0], found.dx + by[1]) < near
    assert found.trusted
    mirrored = from_array(pair.read_target()[:, 0, :, ::-1], "CYX", "mirrored")
    assert not shift_of(replace(pair, targets=mirrored)).trusted


@pytest.mark.data
def test_the_jurkat_cells_are_aligned(data_dir):
    data = pairs_of_folders(data_dir / "jurkat" / "Metaphase", 0, 1)
    assert registered(data).notes == ("The stains lie on their inputs; none was moved.",)
