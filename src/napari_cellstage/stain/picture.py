"""Which places are looked at after each epoch, and the live picture of some of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.stain.events import StainPicture
from napari_cellstage.stain.learner import Answer
from napari_cellstage.stain.networks import MEAN
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.patches import Cutter, Place, Size
from napari_cellstage.stain.scaling import Scaling
from napari_cellstage.stain.splits import Region
from napari_cellstage.stain.training_pixels import hold

Floats = NDArray[np.float32]
MOST = 256  # places
MOST_PIXELS = 1 << 22
SIDE = 256  # pixels of the live picture, about


@dataclass(frozen=True, eq=False)
class Shown:
    """What the live picture shows: one place, or several small images side by side.

    Parameters
    ----------
    inputs, targets
        ``(B, C, ...)`` and ``(B, S, ...)`` as `Cutter.cut` gives them.
    raw
        ``(h, w)`` of the first input channel.
    across
        How many images are side by side, and as many rows of them.
    stain_names, scaling
        S, and back to their own units.
    """

    inputs: Tensor
    targets: Tensor
    raw: Floats
    across: int
    stain_names: tuple[str, ...]
    scaling: Scaling

    @classmethod
    def of(
        cls, data: StainSet, tiles: Sequence[Region], cutter: Cutter, scaling: Scaling, names: Sequence[str]
    ) -> Shown:
        """Read what is shown, of a volume the planes in the middle."""
        held = [hold(data.pairs[tile.pair], tile, scaling) for tile in tiles]
        rows, columns = np.max([cutter.size.rows_and_columns, *(tile.size for tile in tiles)], axis=0).tolist()
        wide = Cutter(cutter.plan, Size(cutter.size.planes, rows, columns), cutter.recipe)
        middle = (held[0].targets.shape[1] - (cutter.size.planes if cutter.plan.volume else 1)) // 2
        places = [Place(number, max(0, middle), 0, 0) for number in range(len(held))]
        inputs, targets = wide.cut(held, places)
        raw = [_up_to(one.inputs[0, one.inputs.shape[1] // 2], rows, columns) for one in held]
        across = math.isqrt(len(tiles))
        return cls(inputs, targets, _side_by_side(np.stack(raw)[:, None], across)[0], across, tuple(names), scaling)

    def by(self, ask: Answer) -> StainPicture:
        """Return the picture as a network now predicts it."""
        said, _loss = ask(self.inputs, self.targets)
        predicted, truth = (self._stains(one) for one in (said[:, :, MEAN], self.targets))
        return StainPicture(self.stain_names, self.raw, truth, predicted, predicted - truth)

    def _stains(self, scaled: Tensor) -> Floats:
        values = scaled.numpy()
        flat = values[:, :, values.shape[2] // 2] if values.ndim == 5 else values
        return self.scaling.to_stain(_side_by_side(flat, self.across))


def covering(data: StainSet, regions: Sequence[Region], cutter: Cutter) -> tuple[list[Place], list[Region]]:
    """Return places side by side, at most `MOST`, evenly chosen, and the tiles whose pixels they are of."""
    size, plan = cutter.size, cutter.plan
    depth = size.planes if plan.volume and not plan.projects else 1
    found = [
        (replace(region, top=top, left=left, bottom=bottom, right=right), plane)
        for region in regions
        for top, bottom in _spans(region.top, region.bottom, size.rows)
        for left, right in _spans(region.left, region.right, size.columns)
        for plane, _end in _spans(0, data.pairs[region.pair].depth_out, depth)
    ]
    most = max(1, min(MOST, MOST_PIXELS // (size.planes * size.rows * size.columns)))
    chosen = found if len(found) <= most else [found[round(place)] for place in np.linspace(0, len(found) - 1, most)]
    tiles = list(dict.fromkeys(tile for tile, _plane in chosen))
    numbers = {tile: number for number, tile in enumerate(tiles)}
    return [Place(numbers[tile], plane, 0, 0) for tile, plane in chosen], tiles


def worth_showing(
    data: StainSet, regions: Sequence[Region], tiles: Sequence[Region], targets: Floats, cutter: Cutter
) -> list[Region]:
    """Return what the live picture shows: small images side by side, or a place where there is much to see.

    Parameters
    ----------
    data, regions, cutter
        What is looked at.
    tiles, targets
        ``(N,)`` places, and their stains ``(N, S, ...)``.
    """
    first_of_each = list({tile.pair: tile for tile in tiles}.values())
    across = min(SIDE // max(cutter.size.rows_and_columns), math.isqrt(len(first_of_each)))
    small = all(data.pairs[tile.pair].shape[1:] == tile.size for tile in first_of_each)
    if small and across > 1:
        return first_of_each[: across**2]
    most = max(range(len(tiles)), key=lambda number: _spread(targets[number]))
    return [_widened(tiles[most], next(one for one in regions if _holds(one, tiles[most])), cutter.plan.multiple)]


def _spread(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if known.size else 0.0


def _spans(start: int, stop: int, size: int) -> list[tuple[int, int]]:
    """Return stretches of one size side by side, in the middle of an axis; the whole where it is shorter."""
    if stop - start <= size:
        return [(start, stop)]
    count = (stop - start) // size
    first = start + (stop - start - count * size) // 2
    return [(first + number * size, first + (number + 1) * size) for number in range(count)]


def _side_by_side(images: Floats, across: int) -> Floats:
    """Return ``(S, across * h, across * w)`` of ``(across ** 2, S, h, w)``."""
    rows = [np.concatenate(list(images[start : start + across]), axis=-1) for start in range(0, len(images), across)]
    return np.concatenate(rows, axis=-2)


def _up_to(values: NDArray[np.generic], rows: int, columns: int) -> Floats:
    more = [(0, rows - values.shape[0]), (0, columns - values.shape[1])]
    return np.pad(values.astype(np.float32), more, mode="symmetric")


def _holds(region: Region, tile: Region) -> bool:
    inside = region.top <= tile.top and region.left <= tile.left
    return inside and region.pair == tile.pair and region.bottom >= tile.bottom and region.right >= tile.right


def _widened(tile: Region, within: Region, multiple: int) -> Region:
    """Return a tile up to the size of the live picture, within its region."""
    top, bottom = _wider(tile.top, tile.bottom, within.top, within.bottom, multiple)
    left, right = _wider(tile.left, tile.right, within.left, within.right, multiple)
    return replace(tile, top=top, bottom=bottom, left=left, right=right)


def _wider(start: int, stop: int, first: int, last: int, multiple: int) -> tuple[int, int]:
    side = max(stop - start, min(SIDE, last - first) // multiple * multiple)
    begin = min(max(first, (start + stop - side) // 2), last - side)
    return begin, begin + side
