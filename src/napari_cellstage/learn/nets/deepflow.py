"""DeepFlow, the network of Eulenberg et al. 2017 (Nature Communications 8:463) for cells in imaging flow cytometry."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

FIRST = 96  # filters of the first convolution
# Blocks in order: two numbers are a dual block's filters of 1x1 and 3x3, one those of a block that halves the picture.
BLOCKS: tuple[tuple[int, ...], ...] = (
    *((32, 32), (32, 48), (80,)),
    *((112, 48), (96, 64), (80, 80), (48, 96), (96,)),
    *((176, 160), (176, 160), (96,)),
    *((176, 160), (176, 160)),
)


class DeepFlow(nn.Module):
    """A convolution, 13 blocks of two branches side by side, and a mean over all places.

    Made for 64 x 64 pixels, of which 8 x 8 places are left; the mean makes it fit any other size as well.

    Parameters
    ----------
    channels, classes
        C and K; 3 and 7 in the paper.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.features, width = nn.Sequential(ConvNormRelu(channels, FIRST, 3)), FIRST
        for filters in BLOCKS:
            block = Dual(width, *filters) if len(filters) == 2 else Down(width, *filters)
            self.features.append(block)
            width = block.width
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return ``(N, K)`` logits of ``(N, C, H, W)``."""
        return cast(Tensor, self.classifier(self.pool(self.features(pictures)).flatten(1)))


class Dual(nn.Module):
    """Convolutions of 1 x 1 and of 3 x 3 of the same picture, side by side."""

    def __init__(self, before: int, ones: int, threes: int) -> None:
        super().__init__()
        self.ones, self.threes = ConvNormRelu(before, ones, 1), ConvNormRelu(before, threes, 3)
        self.width = ones + threes

    def forward(self, picture: Tensor) -> Tensor:
        """Return ``(N, width, H, W)``."""
        return torch.cat([self.ones(picture), self.threes(picture)], dim=1)


class Down(nn.Module):
    """A convolution of 3 x 3 and the maximum of 3 x 3, side by side, at every second place."""

    def __init__(self, before: int, filters: int) -> None:
        super().__init__()
        self.threes, self.pool = ConvNormRelu(before, filters, 3, 2), nn.MaxPool2d(3, 2, padding=1)
        self.width = filters + before

    def forward(self, picture: Tensor) -> Tensor:
        """Return ``(N, width, H / 2, W / 2)``."""
        return torch.cat([self.threes(picture), self.pool(picture)], dim=1)


class ConvNormRelu(nn.Sequential):
    """A convolution, batch normalisation, ReLU. The normalisation's shift does what a bias would, so there is none."""

    def __init__(self, before: int, filters: int, kernel: int, stride: int = 1) -> None:
        conv = nn.Conv2d(before, filters, kernel, stride, padding=kernel // 2, bias=False)
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        super().__init__(conv, nn.BatchNorm2d(filters), nn.ReLU(inplace=True))
