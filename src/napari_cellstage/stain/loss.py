"""How wrong a prediction of stains is: each pixel, the structure, the amount; and the interval, learned beside.

Pixels that are not known (NaN) never count.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.networks import HIGH, LOW, MEAN
from napari_cellstage.stain.recipe import StainRecipe

SSIM_SIDE = 7  # pixels, as scikit-image's; smaller patches have no structure to compare
OUTSIDE = 0.1  # share of pixels to each side of the interval


class StainLoss(nn.Module):
    """The loss of a recipe, in scaled units.

    Parameters
    ----------
    recipe
        ``loss``, ``structure``, ``content``.
    """

    def __init__(self, recipe: StainRecipe) -> None:
        super().__init__()
        self._recipe = recipe
        self._ssim = _ssim() if recipe.structure else None

    def forward(self, said: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Compare.

        Parameters
        ----------
        said
            ``(B, S, 3, ...)`` as a network gives it.
        truth
            ``(B, S, ...)``; NaN where it is not known.

        Returns
        -------
        tuple of Tensor
            The loss of the mean, by which an epoch is picked, and that of the interval, which never moves the mean.
            Both 0 where nothing is known.
        """
        said = said.float()
        known = torch.isfinite(truth)
        mean = torch.where(known, said[:, :, MEAN], said[:, :, MEAN].detach())  # what is not known moves nothing,
        filled = torch.where(known, truth, mean.detach())  # and is no error
        count = known.sum().clamp(min=1)
        error = mean - filled
        loss = (error.abs() if self._recipe.loss == "l1" else error.square()).sum() / count
        if self._recipe.content:
            amounts = error.flatten(2).sum(dim=2) / known.flatten(2).sum(dim=2).clamp(min=1)
            loss = loss + self._recipe.content * amounts.square().mean()
        if self._ssim is not None and min(mean.shape[-2:]) >= SSIM_SIDE:
            loss = loss + self._recipe.structure * self._ssim(_planes(mean), _planes(filled))
        return loss, _pinball(said, filled, known) / count


def _pinball(said: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Return the summed loss whose least is reached where a share `OUTSIDE` lies to each side (Koenker 1978)."""
    total = truth.new_zeros(())
    for place, share in ((LOW, OUTSIDE), (HIGH, 1 - OUTSIDE)):
        over = truth - said[:, :, place]
        total = total + (torch.maximum(share * over, (share - 1) * over) * known).sum()
    return total


def _planes(values: Tensor) -> Tensor:
    """Return ``(N, 1, H, W)`` of any stains and planes: each is compared on its own."""
    return values.reshape(-1, 1, *values.shape[-2:])


def _ssim() -> Any:
    from monai.losses.ssim_loss import SSIMLoss

    return SSIMLoss(spatial_dims=2, data_range=1.0, win_size=SSIM_SIDE)
