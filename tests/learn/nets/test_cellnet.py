"""The small network: its parameters counted by hand, its sides, and that it learns, looks and goes through the disk."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_cellstage.core.folders import CropSet
from napari_cellstage.learn.attention import attention
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.nets.cellnet import CellNet, Residual
from napari_cellstage.learn.networks import make_network, network_names
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.recipe import NETWORKS, Recipe


def conv(before: int, filters: int, kernel: int) -> int:
    """Count a convolution without biases and its batch normalisation: a scale and a shift for each filter."""
    return before * filters * kernel * kernel + 2 * filters


@pytest.mark.parametrize(("channels", "classes"), [(1, 16), (3, 7)])
def test_parameters(channels, classes):
    wanted = conv(channels, 32, 5) + 256 * classes + classes
    for before, filters in ((32, 64), (64, 128), (128, 256)):
        wanted += conv(before, filters, 3) + conv(filters, filters, 3) + conv(before, filters, 1)
    assert sum(one.numel() for one in CellNet(channels, classes).parameters()) == wanted


@pytest.mark.parametrize("side", [16, 33, 40, 64, 97])
def test_any_side_fits(side):
    network = CellNet(2, 5).eval()
    assert network.features(torch.zeros(2, 2, side, side)).shape == (2, 256, -(-side // 16), -(-side // 16))
    assert network(torch.zeros(2, 2, side, side)).shape == (2, 5)


def test_a_new_block_is_its_short_cut():
    block, picture = Residual(4, 8).eval(), torch.rand(1, 4, 6, 6)
    assert torch.equal(block(picture), block.short(picture).relu())


def test_it_can_be_chosen_by_name():
    assert "cellnet" in network_names()
    assert "cellnet" in NETWORKS
    assert isinstance(make_network("cellnet", 1, 3).backbone, CellNet)


def test_it_learns_looks_and_is_the_same_from_disk(run, tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    crops = rng.integers(0, 60, (40, 1, 32, 32)).astype(np.uint16)
    crops[labels == 1, 0, 4:12, 4:12] += 500
    names = tuple(map(str, range(40)))
    cells = CropSet(crops, None, labels.astype(np.int64), ("none", "spot"), names, np.array(["a"] * 40))
    recipe = Recipe.load("finetune").but(
        network="cellnet", weights="imagenet", epochs=10, batch_size=8, threads=1, views=1, validation=0.0, average=0.0,
        rotate=False, flip=False,
    )  # fmt: skip
    _, model = run(fit(TrainingSet.from_crops(cells, recipe), recipe))
    said = run(predict(model, crops))[1]
    assert (said.argmax(axis=1) == labels).mean() > 0.9
    model.save(tmp_path)
    assert np.array_equal(run(predict(TrainedModel.load(tmp_path), crops))[1], said)
    maps = run(attention(model, crops[1:8:2], places=np.ones(4, dtype=np.int64)))[1]
    assert maps[:, :18, :18].sum() > 0.5 * maps.sum()
