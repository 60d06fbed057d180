"""Patches on their way to the network: cut while it computes where that is faster; turned; light and noise changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from torch import Tensor
from torch.nn import functional

from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.patches import Cutter, Place
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.training_pixels import Held

RANGE = 2.0  # of an input as the network sees it, from -1 to 1


def fed(
    cutter: Cutter, held: Sequence[Held], dealt: Sequence[Sequence[Place]], ahead: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches as `Cutter.cut` gives them; with `ahead` the next one is cut meanwhile.

    That is faster beside a graphics card. On the CPU the network has all cores already.
    """
    if not ahead:
        for places in dealt:
            yield cutter.cut(held, places)
        return
    with ThreadPoolExecutor(1) as beside:
        coming = [beside.submit(cutter.cut, held, dealt[0])]
        for places in dealt[1:]:
            coming.append(beside.submit(cutter.cut, held, places))
            yield coming.pop(0).result()
        yield coming.pop().result()


def turned(inputs: Tensor, targets: Tensor, recipe: StainRecipe, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a batch, each piece and its target turned in the plane by an angle of its own; mirrored at the rim.

    Parameters
    ----------
    inputs, targets
        As `Cutter.cut` gives them. Beside pixels that are not known (NaN) none is known afterwards.
    recipe
        ``rotate``, and ``flip``: as the eight views turn by right angles, up to 45 degrees to each side are left then.
    rng
        On the device of both.
    """
    if not recipe.rotate:
        return inputs, targets
    angles = math.pi / (4 if recipe.flip else 1) * _random((len(inputs),), rng)
    return _rotated(inputs, angles), _rotated(targets, angles)


def _rotated(pieces: Tensor, angles: Tensor) -> Tensor:
    height, width = pieces.shape[-2:]
    flat = pieces.reshape(len(pieces), -1, height, width)  # planes of a volume turn together
    across = width / height  # the grid counts each axis from -1 to 1, however long it is
    rows = (angles.cos(), -angles.sin() / across, 0 * angles), (angles.sin() * across, angles.cos(), 0 * angles)
    matrices = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
    grid = functional.affine_grid(matrices, list(flat.shape), align_corners=False)
    found = functional.grid_sample(flat, grid, padding_mode="reflection", align_corners=False)
    return found.reshape(pieces.shape)


def relit(inputs: Tensor, recipe: StainRecipe, rng: torch.Generator) -> Tensor:
    """Return ``(B, C, ...)`` inputs, each with its own change of light and camera; the same for all its channels.

    Parameters
    ----------
    inputs
        As the network sees them.
    recipe
        ``brightness``, ``contrast``, ``noise``.
    rng
        On the device of the inputs.
    """
    one_each = (len(inputs), *(1,) * (inputs.ndim - 1))
    if recipe.contrast:
        inputs = inputs * (1 + recipe.contrast * _random(one_each, rng))
    if recipe.brightness:
        inputs = inputs + RANGE * recipe.brightness * _random(one_each, rng)
    if recipe.noise:
        level = recipe.noise * _random(one_each, rng).abs() * RANGE
        inputs = inputs + level * torch.randn(inputs.shape, generator=rng, device=inputs.device)
    return inputs


def _random(shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
    """Return numbers from -1 to 1."""
    return 2 * torch.rand(shape, generator=rng, device=rng.device) - 1
