"""What a network gets of crops: one function for training, prediction, maps and the preview."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.learn import inputs as room
from napari_cellstage.learn.inputs import check_side, input_side, laid_back, middle, prepared, sharpened, shown
from napari_cellstage.learn.recipe import Recipe

BITS = Normalisation("fixed", (0.0,), (255.0,))


def bits(count: int = 3, height: int = 20, width: int = 20) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 1, height, width), dtype=np.uint8)


def test_without_choices_crops_are_normalised_and_nothing_else():
    crops = bits(3, 20, 26)
    assert np.array_equal(shown(crops, BITS, Recipe()), BITS.apply(crops))
    assert np.array_equal(prepared(crops, BITS, Recipe()), BITS.apply(crops))
    assert shown(crops[:0], BITS, Recipe()).shape == (0, 1, 20, 26)


def test_sharpening_is_pillows_on_the_very_bits():
    crops = bits()
    wanted = np.stack([np.asarray(Image.fromarray(one[0]).filter(ImageFilter.SHARPEN)) for one in crops])
    found = shown(crops, BITS, Recipe(sharpen=True))
    assert found.dtype == np.float32
    assert np.array_equal(np.round(found[:, 0] * 255).astype(np.uint8), wanted)
    assert not np.array_equal(wanted, crops[:, 0])


def test_sharpening_cuts_off_what_eight_bits_can_not_hold():
    bright = np.full((1, 2, 8, 8), 3.0, dtype=np.float32)
    assert sharpened(bright).max() == 1.0
    assert sharpened(-bright).min() == 0.0


def test_crops_are_resized_to_the_input_and_its_rim():
    recipe = Recipe(input_size=12, random_crop=3)
    whole = prepared(bits(), BITS, recipe)
    assert whole.shape == (3, 1, 15, 15)
    assert np.array_equal(shown(bits(), BITS, recipe), whole[..., 1:13, 1:13])
    assert input_side(recipe, 20) == 12
    assert input_side(Recipe(), 20) == 20


def test_crops_of_the_right_size_are_not_resampled():
    recipe = Recipe(input_size=17, random_crop=3)
    assert np.array_equal(prepared(bits(), BITS, recipe), BITS.apply(bits()))


def test_reducing_averages_and_enlarging_invents_nothing():
    stripes = np.zeros((1, 1, 32, 32), dtype=np.uint8)
    stripes[..., ::2] = 255
    small = shown(stripes, BITS, Recipe(input_size=8))
    assert small.min() > 0.3
    assert small.max() < 0.7
    large = shown(bits(), BITS, Recipe(input_size=50))
    assert 0 <= large.min() <= large.max() <= 1


def test_a_square_is_made_by_mirroring_where_one_is_needed():
    crops = bits(2, 10, 14)
    for recipe in (Recipe(network="layers"), Recipe(standardise="mean image"), Recipe(quarter_turns=True)):
        found = shown(crops, BITS, recipe)
        assert found.shape == (2, 1, 14, 14)
        assert np.array_equal(found[..., 2:12, :], BITS.apply(crops))
        assert np.array_equal(found[..., 1, :], found[..., 2, :]), "mirrored at the edge"


def test_many_crops_are_the_same_as_a_few(monkeypatch):
    recipe = Recipe(input_size=12, sharpen=True)
    at_once = shown(bits(5), BITS, recipe)
    monkeypatch.setattr(room, "AT_ONCE", 2)
    assert np.array_equal(shown(bits(5), BITS, recipe), at_once)


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(9, 40),
    width=st.integers(9, 40),
    size=st.sampled_from([0, 16, 33]),
    rim=st.sampled_from([0, 2, 5]),
)
def test_maps_lie_where_the_network_saw_it(height, width, size, rim):
    recipe = Recipe(input_size=size, random_crop=rim)
    crops = np.zeros((1, 1, height, width), dtype=np.uint8)
    crops[..., height // 2 - 1 : height // 2 + 2, width // 2 - 1 : width // 2 + 2] = 255
    seen = shown(crops, BITS, recipe)
    back = laid_back(seen[:, 0], crops.shape, recipe)
    assert back.shape == (1, height, width)
    y, x = np.unravel_index(back[0].argmax(), back[0].shape)
    assert abs(y - height // 2) <= 2
    assert abs(x - width // 2) <= 2


@pytest.mark.parametrize("rim", [0, 1, 4])
def test_the_middle_is_that_of_the_rim(rim: int):
    pictures = np.arange(100).reshape(1, 1, 10, 10)
    found = middle(pictures, Recipe(random_crop=rim))
    assert found.shape[-1] == 10 - rim
    assert found[0, 0, 0, 0] == pictures[0, 0, rim // 2, rim // 2]


def test_layers_that_look_further_than_the_picture_is_are_refused():
    recipe = Recipe(kind="finetune", network="layers", layers="conv 8 3, pool 2, conv 8 5")
    check_side(recipe, 14)
    with pytest.raises(TrainingError, match=r"of pictures of 10 pixels only 4 are left"):
        check_side(recipe, 10)
    check_side(recipe.but(input_size=14), 10)  # they are enlarged first
    check_side(recipe.but(network="resnet18"), 10)
