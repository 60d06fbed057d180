"""The one door to the networks: torchvision's and those of `nets`, by name, for any number of channels and classes.

Weights are not fetched here.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.nets.cellnet import CellNet
from napari_cellstage.learn.nets.deepflow import DeepFlow
from napari_cellstage.learn.nets.fastai_head import fastai_resnet34
from napari_cellstage.learn.nets.layers import LayeredNetwork
from napari_cellstage.learn.nets.names import CELLNET, DEEPFLOW, FASTAI_RESNET34, LAYERS, OWN
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch, torchvision

FAMILIES = ("resnet", "mobilenet_v3", "efficientnet", "convnext", "regnet", "swin")
LEAST_SIDE = 32  # torchvision's networks halve their input five times; smaller crops are enlarged to this
ANY_SIDE = (DEEPFLOW, LAYERS)  # of smaller ones these make something, or say that they can't
USUAL_SIDE = 64
# Mean and spread of red, green and blue in ImageNet, as torchvision gives them with its weights.
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
AT_ONCE = 64  # crops, so that no second copy of all of them is made


class CellNetwork(nn.Module):
    """A network behind a fixed standardisation of its input.

    Parameters
    ----------
    backbone
        Takes ``(N, C, H, W)``, gives ``(N, K)``.
    channels
        C.
    least_side
        Smaller crops are enlarged to this, in pixels.
    mean_side
        Side of the mean that is taken off: 1 for one value a channel, else that of the crops.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, backbone: nn.Module, channels: int, least_side: int = LEAST_SIDE, mean_side: int = 1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, mean_side, mean_side))
        self.register_buffer("spread", torch.ones(1, channels, 1, 1))
        self.backbone = backbone
        self.least_side = least_side

    def standardise_by(
        self, crops: Tensor, how: str = "channel", rows: NDArray[np.integer] | slice = slice(None)
    ) -> None:
        """Take what is taken off from training crops: it is part of the network.

        Parameters
        ----------
        crops
            ``(N, C, H, W)``.
        how
            As `Recipe.standardise`: mean and spread of each channel, the mean of each pixel (and one spread a
            channel), ImageNet's values, averaged over the colours where there are not three channels, or nothing.
        rows
            Which of the crops are training crops.
        """
        if how == "none":
            return
        if how == "imagenet":
            for buffer, values in zip((self.mean, self.spread), IMAGENET, strict=True):
                own = values if buffer.shape[1] == len(values) else (sum(values) / len(values),) * buffer.shape[1]
                buffer.copy_(torch.tensor(own).view_as(buffer))
            return
        mean, variance = _moments(crops, np.arange(len(crops))[rows])
        if how == "channel":
            variance = (variance + mean.square()).mean((1, 2)) - mean.mean((1, 2)).square()
            mean = mean.mean((1, 2), keepdim=True)
        self.mean.copy_(mean[None])
        self.spread.copy_(variance.reshape(len(mean), -1).mean(1).sqrt().clamp(min=1e-3).view_as(self.spread))

    def forward(self, crops: Tensor) -> Tensor:
        """Return ``(N, K)`` logits of normalised crops ``(N, C, H, W)``."""
        crops = (crops - self.mean) / self.spread
        side = min(crops.shape[2:])
        if side < self.least_side:
            share = self.least_side / side
            crops = functional.interpolate(crops, scale_factor=share, mode="bilinear", align_corners=False)
        return cast(Tensor, self.backbone(crops.contiguous(memory_format=torch.channels_last)))


def network_names() -> tuple[str, ...]:
    """Return every network that can be trained here."""
    names = torchvision.models.list_models(module=torchvision.models)
    return tuple(sorted((*OWN, *(name for name in names if name.startswith(FAMILIES)))))


def check_network(name: str) -> None:
    """Raise `TrainingError` when there is no such network."""
    if name not in network_names():
        raise TrainingError(f"There is no network '{name}'. Choose one of: {', '.join(network_names())}.")


def make_network(recipe: Recipe | str, channels: int, classes: int, side: int = USUAL_SIDE) -> CellNetwork:
    """Make a network with random weights.

    Parameters
    ----------
    recipe
        What it is: `network`, and where they count `layers`, `dropout` and `standardise`. Or one of `network_names`.
    channels
        Of the image, any number; the stem is made for them.
    classes
        K, the width of the answer.
    side
        Of the crops that it gets, in pixels; counts for ``layers``, which fit one size only, and for a mean image.

    Raises
    ------
    TrainingError
        If there is no such network, or it can't be made for crops of this side.
    """
    recipe = Recipe(network=recipe) if isinstance(recipe, str) else recipe
    check_network(recipe.network)
    least = 1 if recipe.network in ANY_SIDE else LEAST_SIDE
    mean_side = side if recipe.standardise == "mean image" else 1
    network = CellNetwork(_backbone(recipe, channels, classes, side), channels, least, mean_side)
    return network.to(memory_format=torch.channels_last)


def _backbone(recipe: Recipe, channels: int, classes: int, side: int) -> nn.Module:
    if recipe.network == CELLNET:
        return CellNet(channels, classes)
    if recipe.network == DEEPFLOW:
        return DeepFlow(channels, classes)
    if recipe.network == LAYERS:
        return LayeredNetwork(recipe.layers, channels, classes, side, recipe.dropout)
    with_fastai = recipe.network == FASTAI_RESNET34
    backbone = fastai_resnet34(classes, recipe.dropout) if with_fastai else _of_torchvision(recipe.network)
    stem_name, stem = first_conv(backbone)
    _put(backbone, stem_name, _conv_like(stem, channels))
    if not with_fastai:
        head_name, head = last_linear(backbone)
        _put(backbone, head_name, nn.Linear(head.in_features, classes))
    return backbone


def _of_torchvision(name: str) -> nn.Module:
    return cast(nn.Module, torchvision.models.get_model(name, weights=None))


def _moments(crops: Tensor, rows: NDArray[np.integer]) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each pixel of some crops, ``(C, H, W)`` float64 each, without copying them all."""
    total, squares = (torch.zeros(crops.shape[1:], dtype=torch.float64) for _ in range(2))
    for start in range(0, len(rows), AT_ONCE):
        some = crops[torch.from_numpy(rows[start : start + AT_ONCE])].double()
        total += some.sum(0)
        squares += some.square().sum(0)
    mean = total / len(rows)
    return mean, (squares / len(rows) - mean.square()).clamp(min=0)


def first_conv(backbone: nn.Module) -> tuple[str, nn.Conv2d]:
    """Return name and module of the convolution that sees the image."""
    return next((name, m) for name, m in backbone.named_modules() if isinstance(m, nn.Conv2d))


def last_linear(backbone: nn.Module) -> tuple[str, nn.Linear]:
    """Return name and module of the layer that gives the classes."""
    return [(name, m) for name, m in backbone.named_modules() if isinstance(m, nn.Linear)][-1]


def head_of(backbone: nn.Module) -> nn.Module:
    """Return what never was pretrained: the layer that gives the classes, and what a longer head has before it."""
    return dict(backbone.named_children()).get("fc") or last_linear(backbone)[1]


def adapt_filters(filters: Tensor, channels: int) -> Tensor:
    """Make pretrained filters ``(O, I, k, k)`` fit another number of channels, with the same answer to a gray picture.

    Channels and old inputs are paired in turn: fewer channels get the sum of theirs, more share one evenly.
    """
    have = filters.shape[1]
    if channels < have:
        fewer = filters.new_zeros(filters.shape[0], channels, *filters.shape[2:])
        return fewer.index_add(1, torch.arange(have) % channels, filters)
    turns = torch.arange(channels) % have
    return filters[:, turns] / torch.bincount(turns)[turns].view(1, -1, 1, 1)


def _conv_like(old: nn.Conv2d, channels: int) -> nn.Conv2d:
    new = nn.Conv2d(
        channels,
        old.out_channels,
        kernel_size=cast(tuple[int, int], old.kernel_size),
        stride=cast(tuple[int, int], old.stride),
        padding=cast(tuple[int, int], old.padding),
        bias=old.bias is not None,
    )
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    return new


def _put(root: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(root.get_submodule(parent), last, module)
