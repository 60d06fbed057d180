"""DeepFlow against its description: the width and side after each block, and the parameters counted by hand."""

from __future__ import annotations

import pytest
import torch

from napari_cellstage.learn.nets.deepflow import DeepFlow

# conv 3x3 96; dual(32,32); dual(32,48); down(80); dual(112,48); dual(96,64); dual(80,80); dual(48,96); down(96);
# dual(176,160) twice; down(96); dual(176,160) twice: what comes out, and the side of it for 64 x 64 pixels.
DESCRIBED = [
    *((96, 64), (64, 64), (80, 64), (160, 32)),
    *((160, 32), (160, 32), (160, 32), (144, 32), (240, 16)),
    *((336, 16), (336, 16), (432, 8), (336, 8), (336, 8)),
]


def conv(before: int, filters: int, kernel: int) -> int:
    """Count a convolution without biases and its batch normalisation: a scale and a shift for each filter."""
    return before * filters * kernel * kernel + 2 * filters


def dual(before: int, ones: int, threes: int) -> int:
    return conv(before, ones, 1) + conv(before, threes, 3)


def described(channels: int, classes: int) -> int:
    return (
        conv(channels, 96, 3)
        + dual(96, 32, 32)
        + dual(64, 32, 48)
        + conv(80, 80, 3)
        + dual(160, 112, 48)
        + dual(160, 96, 64)
        + dual(160, 80, 80)
        + dual(160, 48, 96)
        + conv(144, 96, 3)
        + dual(240, 176, 160)
        + dual(336, 176, 160)
        + conv(336, 96, 3)
        + dual(432, 176, 160)
        + dual(336, 176, 160)
        + 336 * classes
        + classes
    )


@pytest.mark.parametrize(("channels", "classes"), [(3, 7), (1, 2)])
def test_it_has_the_parameters_of_the_description(channels: int, classes: int):
    network = DeepFlow(channels, classes)
    assert sum(p.numel() for p in network.parameters()) == described(channels, classes)


def test_every_block_is_as_wide_and_large_as_described():
    network, seen = DeepFlow(3, 7).eval(), []
    for block in network.features:
        block.register_forward_hook(lambda _m, _i, out: seen.append((out.shape[1], out.shape[2])))
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 64, 64)).shape == (1, 7)
    assert seen == DESCRIBED


@pytest.mark.parametrize("side", [8, 33, 66])
def test_the_mean_over_places_makes_it_fit_any_size(side: int):
    network = DeepFlow(2, 3).train()
    answer = network(torch.rand(2, 2, side, side + 5))
    answer.sum().backward()
    assert answer.shape == (2, 3)
    assert all(bool(p.grad.isfinite().all()) for p in network.parameters())
