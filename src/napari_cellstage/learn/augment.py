"""Random changes to whole batches that keep a cell's class: turned, mirrored, resized, moved, cut, brighter, noisier.

One affine resampling a batch, on the device the batch is on. Every cell of the batch gets its own change.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from napari_cellstage.learn.recipe import Recipe


def augment(crops: Tensor, recipe: Recipe, rng: torch.Generator) -> Tensor:
    """Return a batch, each crop changed at random.

    Parameters
    ----------
    crops
        ``(N, C, H, W)`` float, normalised.
    recipe
        How much of each change; nothing is changed where all are off.
    rng
        On the device of the crops: same state, same changes.

    Returns
    -------
    Tensor
        ``(N, C, H, W)``, less the rim of ``random_crop`` pixels. What comes into view from outside is the crop mirrored
        at its edge.
    """
    return _relight(_part(_move(crops, recipe, rng), recipe, rng), recipe, rng)


def turned(crops: Tensor, quarters: Tensor) -> Tensor:
    """Return square crops ``(N, C, S, S)``, each turned by its own number of right angles, ``(N,)`` from 0 to 3."""
    whole = crops.clone()
    for number in (1, 2, 3):
        whole[quarters == number] = torch.rot90(crops[quarters == number], number, (2, 3))
    return whole


def view(crops: Tensor, number: int) -> Tensor:
    """Return one of the 8 ways to turn and mirror crops by right angles; 0 is as they are.

    The first views differ most: as is, mirrored, upside down, both; then the same turned by 90 degrees.
    """
    if number & 4:
        crops = crops.transpose(2, 3)
    axes = [axis for bit, axis in ((1, 3), (2, 2)) if number & bit]
    return crops.flip(axes) if axes else crops


def _move(crops: Tensor, recipe: Recipe, rng: torch.Generator) -> Tensor:
    if not (recipe.rotate or recipe.flip or recipe.scale or recipe.shift):
        return crops
    matrices = _affine(len(crops), recipe, rng)
    height, width = crops.shape[2:]
    # affine_grid works in units of half the side; on a crop that is not square a rotation would shear.
    matrices[:, 0, 1] *= height / width
    matrices[:, 1, 0] *= width / height
    grid = functional.affine_grid(matrices, list(crops.shape), align_corners=False)
    return functional.grid_sample(crops, grid, padding_mode="reflection", align_corners=False)


def _affine(count: int, recipe: Recipe, rng: torch.Generator) -> Tensor:
    """Return ``(N, 2, 3)`` matrices from output to input coordinates, both from -1 to 1."""
    angle = math.radians(recipe.rotate_up_to) * _within(1.0 if recipe.rotate else 0.0, count, rng)
    mirror_x, mirror_y = _mirrors(recipe, count, rng)
    shrink = 1 + _within(recipe.scale, count, rng)
    cos, sin = torch.cos(angle) * shrink, torch.sin(angle) * shrink
    move_x, move_y = 2 * _within(recipe.shift, count, rng), 2 * _within(recipe.shift, count, rng)
    rows = torch.stack([cos * mirror_x, -sin * mirror_y, move_x, sin * mirror_x, cos * mirror_y, move_y], dim=1)
    return rows.reshape(count, 2, 3)


def _mirrors(recipe: Recipe, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return ``(N,)`` signs for left and right, and for up and down; all four combinations are as likely."""
    quarter = (4 * torch.rand(count, generator=rng, device=rng.device)).long() * int(recipe.flip)
    return 1.0 - 2.0 * (quarter & 1), 1.0 - (quarter & 2)


def _part(crops: Tensor, recipe: Recipe, rng: torch.Generator) -> Tensor:
    """Cut a random part out of each crop, `random_crop` pixels smaller."""
    rim = recipe.random_crop
    if not rim:
        return crops
    height, width = (side - rim for side in crops.shape[2:])
    corners = torch.randint(rim + 1, (len(crops), 2), generator=rng, device=rng.device).tolist()
    return torch.stack([c[:, y : y + height, x : x + width] for c, (y, x) in zip(crops, corners, strict=True)])


def _relight(crops: Tensor, recipe: Recipe, rng: torch.Generator) -> Tensor:
    count = len(crops)
    if recipe.brightness or recipe.contrast:
        mean = crops.mean(dim=(2, 3), keepdim=True)
        brighter = 1 + _within(recipe.brightness, count, rng).view(-1, 1, 1, 1)
        starker = 1 + _within(recipe.contrast, count, rng).view(-1, 1, 1, 1)
        crops = torch.addcmul(mean * (brighter - starker), crops, starker)
    if recipe.noise:
        level = recipe.noise * torch.rand(count, 1, 1, 1, generator=rng, device=rng.device)
        crops = torch.addcmul(crops, torch.randn(crops.shape, generator=rng, device=rng.device), level)
    return crops


def _within(limit: float, count: int, rng: torch.Generator) -> Tensor:
    """Return ``(count,)`` values from -limit to limit; drawn even when the limit is 0, so that others stay the same."""
    return limit * (2 * torch.rand(count, generator=rng, device=rng.device) - 1)
