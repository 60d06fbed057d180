from __future__ import annotations

import math

import torch

from napari_cellstage.learn.keep import Keeper
from napari_cellstage.learn.networks import CellNetwork


def network(value: float) -> CellNetwork:
    made = CellNetwork(torch.nn.Linear(1, 1), 1)
    torch.nn.init.constant_(made.backbone.weight, value)
    return made


def test_the_lowest_loss_is_kept():
    keeper, net = Keeper(patience=0), network(0)
    for epoch, loss in enumerate((3.0, 1.0, 2.0), start=1):
        torch.nn.init.constant_(net.backbone.weight, epoch)
        assert keeper.look(net, epoch, loss) == (epoch < 3)
    assert keeper.epoch == 2
    assert keeper.restore(net).backbone.weight.item() == 2


def test_without_a_loss_the_latest_is_kept():
    keeper, net = Keeper(patience=1), network(0)
    for epoch in (1, 2, 3):
        torch.nn.init.constant_(net.backbone.weight, epoch)
        assert keeper.look(net, epoch, math.nan)
        assert not keeper.patience_is_over(epoch)
    torch.nn.init.constant_(net.backbone.weight, 9)
    assert keeper.restore(net).backbone.weight.item() == 3


def test_with_no_epoch_done_the_network_stays():
    assert Keeper(0).restore(network(5)).backbone.weight.item() == 5


def test_patience():
    keeper = Keeper(patience=2)
    keeper.look(network(0), 1, 1.0)
    assert [keeper.patience_is_over(epoch) for epoch in (1, 2, 3)] == [False, False, True]
    assert not Keeper(patience=0).patience_is_over(1000)
