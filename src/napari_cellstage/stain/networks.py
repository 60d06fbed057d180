"""`StainNetwork`: one U-Net of MONAI's blocks for all stains, and a small head for each; several of them averaged.

What a network gives is a mean and an interval, in scaled units (see `Scaling`). The interval is learned from features
that it can't change, so that it never costs the mean anything, and it lies around the mean by construction: the bounds
can't cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.body import Body
from napari_cellstage.stain.plan import Plan

MEAN, LOW, HIGH = 0, 1, 2  # along the third axis of what a network gives
HIDDEN = 16  # units that tell the interval
TO_NORMAL = 1.2816  # standard deviations between the mean and the 90 % quantile of a normal distribution
COARSER = (4, 16)  # pixels that are averaged for a multi-scale input


class StainNetwork(nn.Module):
    """One body, one head a stain.

    Parameters
    ----------
    plan
        Its layers.
    stain_names
        S, one head each, in this order.
    """

    def __init__(self, plan: Plan, stain_names: Sequence[str]) -> None:
        super().__init__()
        self.plan = plan
        channels = plan.channels * (1 + len(COARSER) * plan.multi_scale)
        self.body = Body(plan, channels)
        self.heads = nn.ModuleList(_Head(plan) for _ in stain_names)
        self.stain_names = tuple(stain_names)
        # Channels beside each other in memory: a quarter faster in 2D, on the CPU too.
        self._memory = torch.contiguous_format if plan.volume else torch.channels_last
        self.to(memory_format=self._memory)

    def forward(self, x: Tensor) -> Tensor:
        """Predict.

        Parameters
        ----------
        x
            ``(B, C, H, W)``, or ``(B, C, Z, H, W)`` in 3d, as `Scaling.to_input` gives it; any height and width. In
            2.5d C counts the planes, see `Plan.channels`.

        Returns
        -------
        Tensor
            ``(B, S, 3, H, W)``, or ``(B, S, 3, Zout, H, W)`` in 3d; float32: mean, 10 % and 90 % quantile.
        """
        padded, crop = _padded(x, self.plan)
        seen = torch.cat([padded, *_coarser(padded)], dim=1) if self.plan.multi_scale else padded
        shown = self.body(seen.contiguous(memory_format=self._memory))[crop]
        if self.plan.volume and self.plan.projects:
            shown = shown.mean(dim=2, keepdim=True)
        return torch.stack([head(shown) for head in self.heads], dim=1)

    def with_stain(self, name: str) -> StainNetwork:
        """Return the same network with a new, untrained head for one more stain; the rest is shared, not copied."""
        if name in self.stain_names:
            raise TrainingError(f"The model predicts '{name}' already. Give the new stain another name.")
        more = StainNetwork(self.plan, (*self.stain_names, name))
        fresh = more.heads[-1].to(next(self.parameters()).device)
        more.body, more.heads = self.body, nn.ModuleList([*self.heads, fresh])
        return more

    def start_at(self, means: Sequence[float], places: Sequence[int]) -> None:
        """Let untrained heads answer these means, so that the first steps are not spent on finding them."""
        for mean, place in zip(means, places, strict=True):
            cast(_Head, self.heads[place]).start_at(mean)


class _Head(nn.Module):
    """What one stain needs: a convolution of its own, then the mean; and the interval, which learns on its own."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        conv = nn.Conv3d if plan.volume else nn.Conv2d
        self.hidden = conv(plan.filters, plan.filters, 3, padding=1)
        self.mean = conv(plan.filters, 1, 1)
        self.interval = nn.Sequential(conv(plan.filters, HIDDEN, 1), nn.ReLU(), conv(HIDDEN, 2, 1))
        nn.init.normal_(self.mean.weight, std=0.01)
        nn.init.constant_(cast(Tensor, self.interval[-1].bias), -3.0)  # about 0.05 of the stain's range to each side

    def start_at(self, mean: float) -> None:
        nn.init.constant_(cast(Tensor, self.mean.bias), mean)

    def forward(self, shown: Tensor) -> Tensor:
        """Return ``(B, 3, ...)`` of features ``(B, F, ...)``."""
        hidden = functional.relu(self.hidden(shown))
        with torch.autocast(hidden.device.type, enabled=False):  # half precision would round what is predicted
            hidden = hidden.float()
            mean = self.mean(hidden)
            below, above = functional.softplus(self.interval(hidden.detach())).chunk(2, dim=1)
            middle = mean.detach()
            return torch.cat([mean, middle - below, middle + above], dim=1)


class Averaged(nn.Module):
    """Several networks as one: their mean, and an interval that is wider where they disagree.

    Parameters
    ----------
    networks
        All of one plan and with the same stains.
    """

    def __init__(self, networks: Sequence[StainNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.plan, self.stain_names = networks[0].plan, networks[0].stain_names

    def forward(self, x: Tensor) -> Tensor:
        """Predict as `StainNetwork` does."""
        said = torch.stack([network(x) for network in self.networks])
        mean, low, high = said.mean(dim=0).unbind(dim=2)
        spread = TO_NORMAL * said[:, :, :, MEAN].std(dim=0)
        bounds = (mean - torch.hypot(mean - low, spread), mean + torch.hypot(high - mean, spread))
        return torch.stack([mean, *bounds], dim=2)


def _padded(x: Tensor, plan: Plan) -> tuple[Tensor, tuple[slice, ...]]:
    """Return x up to sizes that can be halved as often as is needed, and what of the answer belongs to it."""
    deep = 1
    for stride in plan.strides:
        deep *= stride
    multiples = (deep, plan.multiple, plan.multiple) if plan.volume else (plan.multiple,) * 2
    more = [-size % by for size, by in zip(x.shape[2:], multiples, strict=True)]
    crop = (slice(None), slice(None), *(slice(size) for size in x.shape[2:]))
    if not any(more):
        return x, crop
    pads = [amount for one in reversed(more) for amount in (0, one)]
    return functional.pad(x, pads, mode="replicate"), crop


def _coarser(x: Tensor) -> list[Tensor]:
    """Return x averaged over squares of pixels, each at its full size again."""
    return [_blurred(x, side) for side in COARSER]


def _blurred(x: Tensor, side: int) -> Tensor:
    flat = x.flatten(1, -3)  # planes of a volume each alone
    size = [max(1, round(length / side)) for length in flat.shape[2:]]
    small = functional.interpolate(flat, size=size, mode="area")
    return functional.interpolate(small, size=flat.shape[2:], mode="bilinear", align_corners=False).view_as(x)
