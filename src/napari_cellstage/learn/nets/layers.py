"""A plain network of convolutions, poolings and dense layers, as the microtubule study describes its own."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from napari_cellstage.learn.nets.layer_text import CONV, DENSE, read_layers, side_after


class LayeredNetwork(nn.Module):
    """A network written as text (Shpilman et al.: conv 16 2, pool 2, conv 64 3, pool 2, dense 32, dense 32).

    A ReLU follows each convolution and each dense layer, and a dropout the last of these. The layer that gives the
    classes comes by itself; softmax is the loss's part. The study does not say where the dropout is, how the picture's
    rim is treated, nor how weights start: convolutions take no pixels from outside here, weights start as Glorot &
    Bengio 2010 propose, biases at 0.

    Parameters
    ----------
    text
        See `read_layers`.
    channels, classes
        C and K.
    side
        Of the pictures, in pixels: as a dense layer sees each place, the network fits this side only.
    dropout
        Share of the last dense layer's units that are switched off while training.

    Raises
    ------
    TrainingError
        If there can't be such a network for pictures of this side.
    """

    def __init__(self, text: str, channels: int, classes: int, side: int, dropout: float) -> None:
        super().__init__()
        layers = read_layers(text)
        left = side_after(layers, side)
        self.features, width = nn.Sequential(), channels
        last = self.features  # where a pooling belongs; that before any convolution stands alone
        for layer in (one for one in layers if one.word != DENSE):
            if layer.word == CONV:
                block = _Conv(width, layer.width, layer.kernel)
                self.features.append(block)
                last, width = block.pools, layer.width
            else:
                last.append(nn.MaxPool2d(layer.kernel))
        self.classifier, width = nn.Sequential(nn.Flatten()), width * left * left
        for layer in (one for one in layers if one.word == DENSE):
            self.classifier.extend((nn.Linear(width, layer.width), nn.ReLU()))
            width = layer.width
        if layers[-1].word == DENSE:
            self.classifier.append(nn.Dropout(dropout))
        self.classifier.append(nn.Linear(width, classes))
        self.apply(_start)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return ``(N, K)`` logits of ``(N, C, side, side)``."""
        return cast(Tensor, self.classifier(self.features(pictures)))


class _Conv(nn.Module):
    """A convolution, the poolings that follow it, and its ReLU.

    The ReLU of a maximum is the maximum of ReLUs; after a pooling there are only a quarter as many values.
    """

    def __init__(self, before: int, filters: int, kernel: int) -> None:
        super().__init__()
        self.conv, self.pools = nn.Conv2d(before, filters, kernel), nn.Sequential()

    def forward(self, picture: Tensor) -> Tensor:
        return functional.relu(self.pools(self.conv(picture)))


def _start(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
