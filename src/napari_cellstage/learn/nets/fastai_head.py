"""resnet34 with the head that fastai puts on it (Howard & Gugger 2020, "fastai: a layered API", its vision learner)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from napari_cellstage.learn.torch_start import torchvision

HIDDEN = 512


def fastai_resnet34(classes: int, dropout: float) -> nn.Module:
    """Return torchvision's resnet34 with another pooling and head, under its own names, so that its weights fit.

    Parameters
    ----------
    classes
        K.
    dropout
        Before the last layer; half of it before the one before, as fastai does.
    """
    body: Any = torchvision.models.resnet34(weights=None)
    body.avgpool = ConcatPool()
    body.fc = _head(2 * body.fc.in_features, classes, dropout)
    whole: nn.Module = body
    return whole


class ConcatPool(nn.Module):
    """The maximum over all places beside their mean: ``(N, C, H, W)`` to ``(N, 2 C, 1, 1)``."""

    def forward(self, picture: Tensor) -> Tensor:
        """Return both."""
        return torch.cat([picture.amax(dim=(2, 3), keepdim=True), picture.mean(dim=(2, 3), keepdim=True)], dim=1)


def _head(before: int, classes: int, dropout: float) -> nn.Sequential:
    # fastai 2 gives its linear layers no biases where it normalises batches.
    hidden, last = nn.Linear(before, HIDDEN, bias=False), nn.Linear(HIDDEN, classes, bias=False)
    for layer in (hidden, last):
        nn.init.kaiming_normal_(layer.weight)
    return nn.Sequential(
        nn.BatchNorm1d(before), nn.Dropout(dropout / 2), hidden, nn.ReLU(), nn.BatchNorm1d(HIDDEN), nn.Dropout(dropout),
        last,
    )  # fmt: skip
