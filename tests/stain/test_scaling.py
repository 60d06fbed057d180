"""Intensities to a network's units and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.images import from_array
from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.scaling import Scaling, own_ranges, sampled
from napari_cellstage.stain.splits import Region, split_pairs, whole

SCALING = Scaling("dataset", ((100.0, 300.0),), ((0.0, 10.0), (-5.0, 5.0)))


def test_the_range_is_that_of_the_part_that_is_trained_on(make_pairs):
    data = make_pairs(1, side=(40, 60), stains=2)
    split = split_pairs(data)
    scaling = Scaling.of(data, split.train)
    region = split.train[0]
    pixels = data.pairs[0].read_target(slice(None), *region.slices)
    for (low, high), channel in zip(scaling.stains, pixels, strict=True):
        assert (low, high) == pytest.approx(np.percentile(channel, (0.1, 99.9)))
    assert scaling != Scaling.of(data, split.held_out)


def test_what_lies_outside_the_trained_part_is_not_looked_at():
    array = np.zeros((2, 1, 40, 40), np.uint16)
    array[..., :20] = np.arange(20)
    array[..., 20:] = 50_000
    stack = from_array(array, "CZYX", "image")
    data = StainSet((StainPair("a", "a", stack, (0,), stack, (1,)),), ("light",), ("DNA",))
    scaling = Scaling.of(data, (Region(0, 0, 0, 40, 20),))
    assert scaling.inputs == scaling.stains == ((0.0, 19.0),)


def test_pixels_that_are_not_finite_count_for_nothing():
    array = np.random.default_rng(0).uniform(1, 2, (2, 1, 30, 30))
    array[:, :, :3], array[:, :, 3:6] = np.nan, np.inf
    stack = from_array(array, "CZYX", "image")
    data = StainSet((StainPair("a", "a", stack, (0,), stack, (1,)),), ("light",), ("DNA",))
    low, high = Scaling.of(data, whole(data)).stains[0]
    assert 1 < low < high < 2


def test_a_large_image_is_looked_at_in_places():
    array = np.broadcast_to(np.arange(9000, dtype=np.uint16), (2, 5, 9000, 9000))
    stack = from_array(array, "CZYX", "image")
    data = StainSet((StainPair("a", "a", stack, (0,), stack, (1,), output="plane", plane=2),), ("light",), ("DNA",))
    inputs, stains = sampled(data, whole(data))
    assert 1_000_000 < inputs.shape[1] < 4_000_000
    assert stains.shape[1] < 2_000_000
    assert stains.min() < 2000 < 7000 < stains.max()


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=9))
def test_stains_come_back_as_they_were(values):
    stains = np.array([values, values], np.float32)
    np.testing.assert_allclose(SCALING.to_stain(SCALING.to_scaled(stains)), stains, atol=1e-2)


def test_ends_and_middle():
    np.testing.assert_array_equal(SCALING.to_input(np.array([[100, 200, 300]])), [[-1, 0, 1]])
    np.testing.assert_array_equal(SCALING.to_scaled(np.array([[0, 10], [-5, 5]])), [[0, 1], [0, 1]])
    np.testing.assert_array_equal(SCALING.to_stain_width(np.ones((2, 3, 1, 1)))[:, 0, 0, 0], [10, 10])


def test_missing_pixels_are_the_middle_of_the_input_and_stay_missing_in_the_stain():
    np.testing.assert_array_equal(SCALING.to_input(np.array([[np.nan, 1e9, -1e9]])), [[0, 5, -5]])
    assert np.isnan(SCALING.to_scaled(np.full((2, 1), np.nan))).all()


def test_an_image_can_be_scaled_by_its_own_range(make_stack):
    stack = make_stack(side=40)
    (low, high), *_ = own = own_ranges(stack, (0,))
    scaling = replace(SCALING, mode="image")
    light = stack.plane(0, 0, (0,))
    made = scaling.to_input(light, own)
    np.testing.assert_allclose(made, (light - low) / (high - low) * 2 - 1, atol=1e-5)
    brighter = from_array(light * 1.5 + 7, "CYX", "brighter")
    np.testing.assert_allclose(
        scaling.to_input(brighter.plane(0, 0, (0,)), own_ranges(brighter, (0,))), made, atol=0.02
    )
    with pytest.raises(ModelError, match="own range"):
        scaling.to_input(light)


def test_a_blank_channel_scales_without_dividing_by_zero(make_stack):
    blank = from_array(np.full((1, 8, 8), 7, np.uint8), "CYX", "blank")
    scaling = replace(SCALING, mode="image")
    assert np.isfinite(scaling.to_input(blank.plane(0, 0, (0,)), own_ranges(blank, (0,)))).all()


def test_another_number_of_channels_is_refused():
    with pytest.raises(ModelError, match="2 input channels, the model was made for 1"):
        SCALING.to_input(np.zeros((2, 4)))
    with pytest.raises(ModelError, match="1 stains, the model was made for 2"):
        SCALING.to_stain(np.zeros((1, 4)))


def test_it_goes_through_json_and_takes_further_stains():
    more = SCALING.with_stains([(1.0, 2.0)])
    assert Scaling.from_dict(json.loads(json.dumps(more.to_dict()))) == more
    assert more.stains == ((0.0, 10.0), (-5.0, 5.0), (1.0, 2.0))


@pytest.mark.parametrize(
    "card", [{}, {"mode": "dataset", "inputs": [[1]], "stains": []}, {"mode": "x", "inputs": [], "stains": []}]
)
def test_a_damaged_card_is_refused(card):
    with pytest.raises(ModelError, match="card"):
        Scaling.from_dict(card)
