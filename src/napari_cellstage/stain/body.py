"""The body of a network of stains: MONAI's U-Net blocks, with batch normalisation, and strides of their own in z.

Batch and not instance normalisation: how bright a picture is says how much stain there is, and instance normalisation
would take just that off.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from napari_cellstage.learn.torch_start import torch  # noqa: F401 - before MONAI, which loads torchvision
from napari_cellstage.stain.plan import Plan

DEEPEST = 320  # filters of a level at most, as in nnU-Net (Isensee et al. 2021)


class Body(nn.Module):
    """A U-Net: down level by level, and up again beside what was seen on the way down.

    Parameters
    ----------
    plan
        Filters, levels, and by how much planes are merged.
    channels
        Channels of what it gets.
    """

    def __init__(self, plan: Plan, channels: int) -> None:
        super().__init__()
        from monai.networks.blocks.dynunet_block import UnetBasicBlock, UnetUpBlock

        filters = [min(plan.filters * 2**level, max(DEEPEST, plan.filters)) for level in range(plan.levels)]
        strides = [(stride, 2, 2) if plan.volume else (2, 2) for stride in plan.strides]
        how: Any = {"norm_name": "batch", "act_name": ("leakyrelu", {"inplace": True})}
        dims = 3 if plan.volume else 2
        self.down = nn.ModuleList(
            UnetBasicBlock(dims, before, after, 3, stride, **how)
            for before, after, stride in zip([channels, *filters[:-1]], filters, [1, *strides], strict=True)
        )
        self.up = nn.ModuleList(
            UnetUpBlock(dims, below, level, 3, 1, upsample_kernel_size=stride, **how)
            for below, level, stride in zip(filters[1:], filters[:-1], strides, strict=True)
        )
        self.apply(_start)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, filters, ...)`` at the size of x."""
        seen = [x]
        for block in self.down:
            seen.append(block(seen[-1]))
        shown: Tensor = seen.pop()
        for block, beside in zip(reversed(self.up), reversed(seen[1:]), strict=True):
            shown = block(shown, beside)
        return shown


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        nn.init.kaiming_normal_(module.weight, a=0.01)
