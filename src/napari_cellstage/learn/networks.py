"""torchvision's networks by name, for any number of channels, classes and crop sizes. Weights are not fetched here."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.torch_start import torch, torchvision

FAMILIES = ("resnet", "mobilenet_v3", "efficientnet", "convnext", "regnet", "swin")
LEAST_SIDE = 32  # the networks halve their input five times; smaller crops are enlarged to this


class CellNetwork(nn.Module):
    """A torchvision network behind a fixed standardisation of its input.

    Parameters
    ----------
    backbone
        Takes ``(N, C, H, W)``, gives ``(N, K)``.
    channels
        C.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, backbone: nn.Module, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("spread", torch.ones(1, channels, 1, 1))
        self.backbone = backbone

    def standardise_by(self, crops: Tensor) -> None:
        """Take mean and spread of each channel from training crops ``(N, C, H, W)``: they are part of the network."""
        self.mean.copy_(crops.mean(dim=(0, 2, 3)).view_as(self.mean))
        self.spread.copy_(crops.std(dim=(0, 2, 3)).clamp(min=1e-3).view_as(self.spread))

    def forward(self, crops: Tensor) -> Tensor:
        """Return ``(N, K)`` logits of normalised crops ``(N, C, H, W)``."""
        side = min(crops.shape[2:])
        if side < LEAST_SIDE:
            crops = functional.interpolate(crops, scale_factor=LEAST_SIDE / side, mode="bilinear", align_corners=False)
        crops = ((crops - self.mean) / self.spread).contiguous(memory_format=torch.channels_last)
        return cast(Tensor, self.backbone(crops))


def network_names() -> tuple[str, ...]:
    """Return every torchvision network that can be trained here."""
    names = torchvision.models.list_models(module=torchvision.models)
    return tuple(sorted(name for name in names if name.startswith(FAMILIES)))


def check_network(name: str) -> None:
    """Raise `TrainingError` when there is no such network."""
    if name not in network_names():
        raise TrainingError(f"There is no network '{name}'. Choose one of: {', '.join(network_names())}.")


def make_network(name: str, channels: int, classes: int) -> CellNetwork:
    """Make a network with random weights.

    Parameters
    ----------
    name
        One of `network_names`.
    channels
        Of the image, any number; the stem is made for them.
    classes
        K, the width of the answer.
    """
    check_network(name)
    backbone = torchvision.models.get_model(name, weights=None)
    stem_name, stem = first_conv(backbone)
    _put(backbone, stem_name, _conv_like(stem, channels))
    head_name, head = last_linear(backbone)
    _put(backbone, head_name, nn.Linear(head.in_features, classes))
    network = CellNetwork(backbone, channels)
    return network.to(memory_format=torch.channels_last)


def first_conv(backbone: nn.Module) -> tuple[str, nn.Conv2d]:
    """Return name and module of the convolution that sees the image."""
    return next((name, m) for name, m in backbone.named_modules() if isinstance(m, nn.Conv2d))


def last_linear(backbone: nn.Module) -> tuple[str, nn.Linear]:
    """Return name and module of the layer that gives the classes."""
    return [(name, m) for name, m in backbone.named_modules() if isinstance(m, nn.Linear)][-1]


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
