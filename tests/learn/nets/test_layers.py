"""Networks written as text: the microtubule study's counted by hand, and what can't be, said plainly."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.nets.layer_text import Layer, read_layers, side_after
from napari_cellstage.learn.nets.layers import LayeredNetwork
from napari_cellstage.learn.recipe import Recipe

PUBLISHED = "conv 16 2, pool 2, conv 64 3, pool 2, dense 32, dense 32"


def test_the_published_network_has_the_parameters_of_its_description():
    # 300 pixels: a convolution of 2 x 2 leaves 299, a pooling 149, a convolution of 3 x 3 147, a pooling 73.
    side = ((300 - 2 + 1) // 2 - 3 + 1) // 2
    assert side == 73
    wanted = {
        "features.0.conv": 16 * 1 * 2 * 2 + 16,
        "features.1.conv": 64 * 16 * 3 * 3 + 64,
        "classifier.1": 64 * side * side * 32 + 32,
        "classifier.3": 32 * 32 + 32,
        "classifier.6": 32 * 3 + 3,
    }
    network = LayeredNetwork(PUBLISHED, 1, 3, 300, 0.5)
    found = {name: sum(p.numel() for p in network.get_submodule(name).parameters()) for name in wanted}
    assert found == wanted
    assert sum(p.numel() for p in network.parameters()) == sum(wanted.values()) == 10_924_339
    assert [m.p for m in network.modules() if isinstance(m, torch.nn.Dropout)] == [0.5]


def test_it_gives_logits_of_pictures_of_its_side():
    network = LayeredNetwork("conv 4 3, conv 6 2, pool 3, dense 5", 2, 3, 20, 0.0).eval()
    with torch.inference_mode():
        seen = network.features(torch.rand(2, 2, 20, 20))
        assert seen.shape == (2, 6, 5, 5)
        assert network(torch.rand(2, 2, 20, 20)).shape == (2, 3)


def test_pooling_before_the_relu_gives_the_same():
    network = LayeredNetwork("pool 2, conv 4 3, pool 3, conv 3 2", 1, 2, 40, 0.0).eval()
    picture = torch.randn(2, 1, 40, 40)
    first, last = network.features[1].conv, network.features[2].conv
    with torch.inference_mode():
        seen = torch.relu(first(torch.nn.functional.max_pool2d(picture, 2)))
        wanted = torch.relu(last(torch.nn.functional.max_pool2d(seen, 3)))
        assert torch.equal(network.features(picture), wanted)


def test_dense_layers_may_be_left_out():
    assert LayeredNetwork("conv 4 3", 1, 2, 8, 0.5)(torch.rand(1, 1, 8, 8)).shape == (1, 2)


def test_text_is_read_and_written():
    layers = read_layers("conv 16 2,pool 2 , dense 32,")
    assert layers == (Layer("conv", 16, 2), Layer("pool", 0, 2), Layer("dense", 32, 0))
    assert [one.text for one in layers] == ["conv 16 2", "pool 2", "dense 32"]


@settings(deadline=None, max_examples=40)
@given(
    convs=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5), st.booleans()), min_size=1, max_size=5),
    dense=st.lists(st.integers(1, 9), max_size=4),
    side=st.integers(4, 40),
)
def test_any_text_is_a_network_or_an_error_that_says_which_layer(convs, dense, side):
    words = [f"conv {filters} {kernel}" + (", pool 2" if pool else "") for filters, kernel, pool in convs]
    text = ", ".join([*words, *(f"dense {units}" for units in dense)])
    layers = read_layers(text)
    if not _fits(convs, side):
        with pytest.raises(TrainingError, match=f"of pictures of {side} pixels only"):
            LayeredNetwork(text, 1, 3, side, 0.0)
        return
    left = side_after(layers, side)
    network = LayeredNetwork(text, 1, 3, side, 0.0).eval()
    with torch.inference_mode():
        assert network.features(torch.rand(1, 1, side, side)).shape == (1, convs[-1][0], left, left)
        assert network(torch.rand(2, 1, side, side)).shape == (2, 3)


def _fits(convs: list[tuple[int, int, bool]], left: int) -> bool:
    for _, kernel, pool in convs:
        left = (left - kernel + 1) // (2 if pool else 1)
        if left < 1:
            return False
    return True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conf 16 2, pool 2", r"'conf' of 'conf 16 2' is no layer. Write 'conv 16 3'"),
        ("conv 16", r"'conv 16' has 1 numbers, but conv needs filters and pixels"),
        ("conv 16 2, pool", r"'pool' has 0 numbers, but pool needs pixels"),
        ("conv 16 2, dense 3 3", r"'dense 3 3' has 2 numbers, but dense needs units"),
        ("conv 16 2.5", r"'2.5' of 'conv 16 2.5' must be a whole number of pixels from 1 to 31"),
        ("conv 0 2", r"'0' of 'conv 0 2' must be a whole number of filters from 1 to 4096"),
        ("conv 16 ²", r"'²' of 'conv 16 ²' must be a whole number"),
        ("conv 4 2, pool 1", r"'1' of 'pool 1' must be a whole number of pixels from 2 to 31"),
        ("conv 4 2, dense 99999", r"'99999' of 'dense 99999' must be a whole number of units from 1 to 65536"),
        ("pool 2, dense 32", r"'pool 2, dense 32', which has no convolution"),
        ("", r"layers is '', which has no convolution"),
        ("conv 16 2, dense 32, pool 2", r"'pool 2' comes after a dense layer.* Put the dense layers last"),
    ],
)
def test_what_can_not_be_is_said_when_the_recipe_is_made(text: str, said: str):
    with pytest.raises(TrainingError, match=said):
        Recipe(network="layers", layers=text)
    assert Recipe(network="resnet18", layers=text).layers == text, "it does not count there"


def test_a_picture_that_gets_smaller_than_a_layer_looks_at_is_said():
    said = r"'conv 64 3' looks at 3 pixels, but of pictures of 5 pixels only 2 are left.* Leave out a pooling"
    with pytest.raises(TrainingError, match=said):
        LayeredNetwork(PUBLISHED, 1, 3, 5, 0.5)
    with pytest.raises(TrainingError, match=r"'pool 2' looks at 2 pixels, .* only 1 is left there"):
        LayeredNetwork("conv 4 4, pool 2", 1, 3, 4, 0.5)
