from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.networks import adapt_filters, first_conv, last_linear, make_network, network_names
from napari_cellstage.learn.recipe import Recipe

OURS = ("deepflow", "fastai-resnet34")
OF_TORCHVISION = ("resnet18", "mobilenet_v3_small", "efficientnet_b0", "convnext_tiny", "regnet_x_400mf", "swin_t")
ONE_OF_EACH = (*OURS, *OF_TORCHVISION)


def test_the_families_are_there():
    names = network_names()
    assert {*ONE_OF_EACH, "resnet34", "efficientnet_v2_s", "swin_v2_t", "regnet_y_400mf"} <= set(names)
    assert not any("quant" in name or "deeplab" in name for name in names)


@pytest.mark.parametrize("name", ONE_OF_EACH)
@pytest.mark.parametrize(("channels", "side"), [(1, 40), (5, 9)])
def test_any_channels_any_size(name: str, channels: int, side: int):
    network = make_network(name, channels, 4).eval()
    with torch.inference_mode():
        answer = network(torch.rand(2, channels, side, side + 3))
    assert answer.shape == (2, 4)
    assert bool(answer.isfinite().all())
    assert first_conv(network.backbone)[1].in_channels == channels
    assert last_linear(network.backbone)[1].out_features == 4


def test_tiny_crops_train_in_batches():
    network = make_network("resnet18", 1, 2).train()
    network(torch.rand(2, 1, 8, 8)).sum().backward()


def test_a_network_that_is_not_there():
    with pytest.raises(TrainingError, match=r"There is no network 'resnet35'. Choose one of: .*resnet34"):
        make_network("resnet35", 1, 2)


def test_standardisation_is_part_of_the_network():
    network = make_network("resnet18", 2, 3).eval()
    crops = torch.rand(16, 2, 32, 32) * torch.tensor([1.0, 9.0]).view(1, 2, 1, 1) + 5
    network.standardise_by(crops)
    seen = []
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(crops)
    assert torch.allclose(seen[0].mean((0, 2, 3)), torch.zeros(2), atol=1e-4)
    assert torch.allclose(seen[0].std((0, 2, 3)), torch.ones(2), atol=1e-2)
    assert {"mean", "spread"} <= set(network.state_dict())


def test_a_mean_image_is_taken_off_pixel_by_pixel():
    network = make_network(Recipe(network="deepflow", standardise="mean image"), 2, 3, 16).eval()
    crops = torch.rand(70, 2, 16, 16) * torch.tensor([1.0, 9.0]).view(1, 2, 1, 1) + torch.rand(1, 2, 16, 16) * 5
    rows = np.arange(0, 70, 2)
    network.standardise_by(crops, "mean image", rows)
    seen = []
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(crops[rows])
    assert torch.allclose(seen[0].mean(0), torch.zeros(2, 16, 16), atol=1e-5)
    assert torch.allclose(seen[0].std((0, 2, 3)), torch.ones(2), atol=1e-2), "one spread for all pixels of a channel"
    assert network.spread.shape == (1, 2, 1, 1)
    assert float(seen[0].std(0).std()) > 0


@pytest.mark.parametrize(("channels", "mean"), [(3, [0.485, 0.456, 0.406]), (1, [0.449]), (2, [0.449, 0.449])])
def test_imagenets_values_know_nothing_of_the_crops(channels: int, mean: list[float]):
    network = make_network(Recipe(network="resnet18", standardise="imagenet"), channels, 2)
    network.standardise_by(torch.full((2, channels, 8, 8), 7.0), "none")
    assert (network.mean == 0).all()
    assert (network.spread == 1).all()
    network.standardise_by(torch.full((2, channels, 8, 8), 7.0), "imagenet")
    assert network.mean.flatten().tolist() == pytest.approx(mean, abs=1e-6)
    assert 0.22 < float(network.spread.min()) <= float(network.spread.max()) < 0.23


@pytest.mark.parametrize(("name", "seen_at"), [("resnet18", 32), ("deepflow", 12), ("layers", 12)])
def test_only_networks_that_need_it_get_small_crops_enlarged(name: str, seen_at: int):
    network = make_network(Recipe(network=name, layers="conv 4 3"), 1, 2, 12).eval()
    seen = []
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
    network(torch.rand(2, 1, 12, 12))
    assert seen == [seen_at]


def test_a_constant_channel_does_no_harm():
    network = make_network("resnet18", 1, 2).eval()
    network.standardise_by(torch.ones(4, 1, 32, 32))
    assert bool(network(torch.ones(4, 1, 32, 32)).isfinite().all())


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_adapted_filters_say_the_same_to_a_gray_picture(channels: int):
    filters = torch.rand(8, 3, 7, 7)
    gray = torch.rand(1, 1, 7, 7)
    adapted = adapt_filters(filters, channels)
    assert adapted.shape == (8, channels, 7, 7)
    assert torch.allclose((adapted * gray).sum((1, 2, 3)), (filters * gray).sum((1, 2, 3)), rtol=1e-4)
    assert torch.equal(adapt_filters(filters, 3), filters)
