"""Patches: pieces of the training regions, drawn anew each epoch, more often where there is stain.

Regions smaller than a patch are used whole, mirrored up to a common size; what is added is never learned from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.plan import Plan
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.splits import Region
from napari_cellstage.stain.training_pixels import BLOCK, Held
from napari_cellstage.stain.windows import mirrored

Floats = NDArray[np.float32]
VIEWS, UPRIGHT = 8, 4  # ways to mirror and turn; those that keep height and width
MOST_A_ROUND = 2000
LEAST_A_ROUND = 32


@dataclass(frozen=True)
class Place:
    """Where a patch is cut.

    Parameters
    ----------
    held
        Which region.
    plane
        First plane of it; in 2d and 2.5d the plane that is predicted.
    top, left
        First pixel, within the region.
    view
        0 as it is; 1, 2, 4 of it: mirrored along x, along y, turned.
    """

    held: int
    plane: int
    top: int
    left: int
    view: int = 0


@dataclass(frozen=True)
class Size:
    """How large patches are: planes, rows, columns. The same for all of a training."""

    planes: int
    rows: int
    columns: int

    @property
    def rows_and_columns(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.rows, self.columns

    @property
    def views(self) -> int:
        """In how many ways such a patch can be shown."""
        return VIEWS if self.rows == self.columns else UPRIGHT


def size_of(regions: Sequence[Region], recipe: StainRecipe, plan: Plan) -> Size:
    """Return how large patches are: as the recipe says, or as the largest region where all are smaller."""
    sides = np.max([region.size for region in regions], axis=0).tolist()
    rows, columns = (-(-min(recipe.patch, side) // plan.multiple) * plan.multiple for side in sides)
    return Size(plan.planes if plan.volume else 1, rows, columns)


def round_of(regions: Sequence[Region], depth_out: int, size: Size, recipe: StainRecipe) -> int:
    """Return how many patches an epoch has."""
    if recipe.patches:
        return recipe.patches
    areas = (max(1.0, np.prod(region.size) / (size.rows * size.columns)) for region in regions)
    cover = round(sum(areas) * max(1.0, depth_out / size.planes))
    return min(max(cover, LEAST_A_ROUND), MOST_A_ROUND)


class Cutter:
    """Draws places of patches, and cuts them out.

    Parameters
    ----------
    plan, size
        What the network gets.
    recipe
        ``signal``, ``flip``.
    """

    def __init__(self, plan: Plan, size: Size, recipe: StainRecipe) -> None:
        self.plan, self.size, self.recipe = plan, size, recipe

    def draw(self, held: Sequence[Held], count: int, rng: np.random.Generator) -> list[Place]:
        """Return places in random order: of each region as many as its share of the pixels, or one more."""
        worth = np.array([max(1.0, one.size[0] * one.size[1] / (self.size.rows * self.size.columns)) for one in held])
        steps = (np.arange(count) + rng.random()) / count
        regions = np.searchsorted(np.cumsum(worth / worth.sum()), steps).clip(max=len(held) - 1)
        return [self._place(int(number), held[number], rng) for number in rng.permutation(regions)]

    def cut(self, held: Sequence[Held], places: Sequence[Place]) -> tuple[Tensor, Tensor]:
        """Return what a network gets of these places, and what it should answer.

        Returns
        -------
        tuple of Tensor
            ``(B, C, [D,] h, w)`` float32 as the network sees it, and ``(B, S, [Dout,] h, w)`` scaled stains, NaN where
            they are not known.
        """
        cuts = [self._cut(held[place.held], place) for place in places]
        inputs, targets = (torch.from_numpy(np.stack(part)) for part in zip(*cuts, strict=True))
        return inputs, targets

    def _place(self, number: int, held: Held, rng: np.random.Generator) -> Place:
        depth_out = int(held.targets.shape[1])
        if rng.random() < self.recipe.signal:
            plane, down, across = self._stained(held, rng)
        else:
            plane, down, across = (int(rng.integers(length)) for length in (depth_out, *held.size))
        view = int(rng.integers(self.size.views)) if self.recipe.flip else 0
        top = _around(down, self.size.rows, held.size[0], rng)
        left = _around(across, self.size.columns, held.size[1], rng)
        deep = _around(plane, self.size.planes, held.inputs.shape[1], rng) if self.plan.volume else plane
        return Place(number, 0 if self.plan.projects else deep, top, left, view)

    def _stained(self, held: Held, rng: np.random.Generator) -> tuple[int, int, int]:
        """Return plane, row and column of a pixel, by how much of one of the stains is there; anywhere without any."""
        amounts = held.stained[int(rng.integers(len(held.stained)))]
        place = int(np.searchsorted(amounts, rng.random() * amounts[-1], side="right"))
        plane, row, column = np.unravel_index(min(place, len(amounts) - 1), held.grid)
        within = rng.integers(BLOCK, size=2)
        return int(plane), int(row) * BLOCK + int(within[0]), int(column) * BLOCK + int(within[1])

    def _cut(self, held: Held, place: Place) -> tuple[Floats, Floats]:
        down, across = slice(place.top, place.top + self.size.rows), slice(place.left, place.left + self.size.columns)
        seen = held.scaling.to_input(self._seen(held, place)[..., down, across], held.own)
        truth = held.scaling.to_scaled(held.targets[:, self._given(place), down, across])
        if not self.plan.volume:
            seen, truth = seen.reshape(-1, *seen.shape[2:]), truth[:, 0]
        return _view(self._whole(seen, False), place.view), _view(self._whole(truth, True), place.view)

    def _seen(self, held: Held, place: Place) -> NDArray[np.generic]:
        if self.plan.volume:
            return held.inputs[:, place.plane : place.plane + self.size.planes]
        planes = self.plan.looks(held.inputs.shape[1])[place.plane]
        return held.inputs if planes == tuple(range(held.inputs.shape[1])) else held.inputs[:, list(planes)]

    def _given(self, place: Place) -> slice:
        if self.plan.volume and not self.plan.projects:
            return slice(place.plane, place.plane + self.size.planes)
        return slice(place.plane, place.plane + 1)

    def _whole(self, values: Floats, unknown: bool) -> Floats:
        """Return values up to the patch's size: mirrored, or not known."""
        wanted = (self.size.rows, self.size.columns)
        if values.shape[-2:] == wanted:
            return values
        if not unknown:
            down, across = (mirrored(0, want, have) for want, have in zip(wanted, values.shape[-2:], strict=True))
            return values[..., down[:, None], across]
        rim = [(0, 0)] * (values.ndim - 2)
        more = [(0, want - have) for want, have in zip(wanted, values.shape[-2:], strict=True)]
        return np.pad(values, [*rim, *more], constant_values=np.nan)


def batches(places: Sequence[Place], size: int) -> Iterator[Sequence[Place]]:
    """Deal places to batches of like size, so that none is tiny."""
    count = -(-len(places) // size)
    for number in range(count):
        yield places[number * len(places) // count : (number + 1) * len(places) // count]


def _around(place: int, size: int, length: int, rng: np.random.Generator) -> int:
    """Return the start of a stretch of an axis that holds a place, somewhere in its middle half."""
    start = place - size // 4 - int(rng.integers(max(1, size // 2)))
    return min(max(start, 0), max(length - size, 0))


def _view(values: Floats, view: int) -> Floats:
    """Return one of 8 views; see `Place`."""
    if view & 1:
        values = values[..., ::-1]
    if view & 2:
        values = values[..., ::-1, :]
    return np.swapaxes(values, -1, -2) if view & 4 else values
