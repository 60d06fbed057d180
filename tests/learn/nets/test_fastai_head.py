"""fastai's resnet34 against its description: layers in order, their shapes, and parameters counted by hand."""

from __future__ import annotations

import torch
from torch import nn

from napari_cellstage.learn.nets.fastai_head import ConcatPool, fastai_resnet34
from napari_cellstage.learn.networks import head_of, make_network
from napari_cellstage.learn.recipe import Recipe


def conv(before: int, filters: int, kernel: int) -> int:
    """Count a convolution without biases and its batch normalisation."""
    return before * filters * kernel * kernel + 2 * filters


def stage(before: int, filters: int, blocks: int) -> int:
    """Count blocks of two 3 x 3 convolutions; the first of a stage that changes the width has a 1 x 1 beside."""
    first = conv(before, filters, 3) + conv(filters, filters, 3)
    beside = conv(before, filters, 1) if before != filters else 0
    return first + beside + (blocks - 1) * 2 * conv(filters, filters, 3)


def test_it_has_the_parameters_of_the_description():
    body = conv(3, 64, 7) + stage(64, 64, 3) + stage(64, 128, 4) + stage(128, 256, 6) + stage(256, 512, 3)
    head = 2 * 1024 + 1024 * 512 + 2 * 512 + 512 * 7
    network = fastai_resnet34(7, 0.5)
    assert sum(p.numel() for p in network.parameters()) == body + head == 21_815_616


def test_the_layers_of_the_head_are_in_order():
    kinds = [type(one) for one in fastai_resnet34(7, 0.5).fc]
    norm, drop, linear = nn.BatchNorm1d, nn.Dropout, nn.Linear
    assert kinds == [norm, drop, linear, nn.ReLU, norm, drop, linear]
    assert [one.p for one in fastai_resnet34(7, 0.5).fc if isinstance(one, drop)] == [0.25, 0.5]


def test_it_pools_the_maximum_beside_the_mean():
    picture = torch.arange(8.0).view(1, 2, 2, 2)
    assert ConcatPool()(picture).flatten().tolist() == [3, 7, 1.5, 5.5]


def test_any_channels_and_classes_and_all_of_the_head_is_new():
    network = make_network(Recipe(network="fastai-resnet34", dropout=0.4), 5, 4).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 5, 40, 40)).shape == (2, 4)
    head = set(head_of(network.backbone).parameters())
    assert sum(p.numel() for p in head) == 2 * 1024 + 1024 * 512 + 2 * 512 + 512 * 4
