"""Pixels of training regions in memory, in their own number format, and where in them there is stain.

Up to `MOST` bytes everything is held, read once. Of more, each epoch holds another part, chosen at random: tiles that
are read anew, so that a training never needs more memory than that.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.learn.events import BatchDone
from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.scaling import Range, Scaling, own_ranges
from napari_cellstage.stain.splits import Region

MOST = 1 << 30  # bytes
TILE = 8  # patches a side of a tile that is read in one go, where not everything is held
BLOCK = 8  # pixels a side of the squares in which it is known how much stain there is
Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Held:
    """One region's pixels.

    Parameters
    ----------
    inputs
        ``(C, Z, h, w)`` raw, in the image's own format; float32 where pixels are not finite.
    targets
        ``(S, Zout, h, w)`` likewise.
    own
        Ranges of the whole image, where inputs are scaled by these; else None.
    group
        The image, well or movie it is of.
    scaling
        What makes scaled values of them.
    """

    inputs: Array
    targets: Array
    own: tuple[Range, ...] | None
    group: str
    scaling: Scaling

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return int(self.inputs.shape[2]), int(self.inputs.shape[3])

    @cached_property
    def stained(self) -> tuple[NDArray[np.float64], ...]:
        """How much of each stain is in squares of `BLOCK` pixels, summed up over ``(Zout, rows, columns)``, flat."""
        return tuple(np.cumsum(self._amounts(number)) for number in range(len(self.targets)))

    @property
    def grid(self) -> tuple[int, int, int]:
        """How many such squares there are: planes, rows, columns."""
        height, width = self.size
        return int(self.targets.shape[1]), -(-height // BLOCK), -(-width // BLOCK)

    def _amounts(self, number: int) -> NDArray[np.float64]:
        """Return squares' mean scaled intensity, squared: bright places are drawn more often than dim ones."""
        low, high = self.scaling.stains[number]
        found = np.zeros(self.grid)
        for z, plane in enumerate(self.targets[number]):
            scaled = np.clip(np.nan_to_num((plane.astype(np.float32) - low) / (high - low)), 0, 1)
            rim = [(0, -length % BLOCK) for length in scaled.shape]
            whole = np.pad(scaled, rim)
            rows, columns = whole.shape[0] // BLOCK, whole.shape[1] // BLOCK
            found[z] = whole.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3))
        return np.square(found).ravel()


def hold(pair: StainPair, region: Region, scaling: Scaling) -> Held:
    """Read a region."""
    y, x = region.slices
    return Held(
        _compact(pair.read_input(y=y, x=x), pair.inputs.pixels.dtype),
        _compact(pair.read_target(y=y, x=x), pair.targets.pixels.dtype),
        own_ranges(pair.inputs, pair.input_channels) if scaling.mode == "image" else None,
        pair.group,
        scaling,
    )


def _compact(values: NDArray[np.float32], dtype: Any) -> Array:
    """Return values in the format they have in the image, where it holds them as they are."""
    kind = np.dtype(dtype)
    if kind.itemsize >= values.itemsize or (kind.kind in "iub" and not np.isfinite(values).all()):
        return values
    return values.astype(kind)


@dataclass(frozen=True, eq=False)
class Shelf:
    """The training part: what of it is in memory, epoch by epoch.

    Parameters
    ----------
    data, regions, scaling
        The training part.
    side
        Of a patch.
    most
        Bytes.
    """

    data: StainSet
    regions: tuple[Region, ...]
    scaling: Scaling
    side: int
    most: int = MOST

    @cached_property
    def fits(self) -> bool:
        """Whether everything can be in memory at once."""
        return sum(map(self._bytes, self.regions)) <= self.most

    def fill(
        self, rng: np.random.Generator, should_stop: Callable[[], bool], before: Sequence[Held] = ()
    ) -> Generator[BatchDone, None, tuple[Held, ...]]:
        """Read what the next epoch learns from; the same as before where everything fits."""
        if self.fits and before:
            return tuple(before)
        chosen = self.regions if self.fits else self._some(rng)
        held: list[Held] = []
        for number, region in enumerate(chosen):
            if should_stop():
                break
            held.append(hold(self.data.pairs[region.pair], region, self.scaling))
            if number % 100 == 0:
                yield BatchDone("reading images", number, len(chosen))
        return tuple(held)

    def _some(self, rng: np.random.Generator) -> tuple[Region, ...]:
        """Return tiles in random order, as many as may be in memory."""
        tiles = [tile for region in self.regions for tile in tiles_of(region, TILE * self.side)]
        order, room, chosen = rng.permutation(len(tiles)), self.most, list[Region]()
        for place in order:
            room -= self._bytes(tiles[place])
            if room < 0 and chosen:
                break
            chosen.append(tiles[place])
        return tuple(chosen)

    def _bytes(self, region: Region) -> int:
        pair = self.data.pairs[region.pair]
        area = region.size[0] * region.size[1]
        seen = len(pair.input_channels) * pair.shape[0] * pair.inputs.pixels.dtype.itemsize
        stained = len(pair.target_channels) * pair.depth_out * pair.targets.pixels.dtype.itemsize
        return area * (min(seen, 4 * len(pair.input_channels) * pair.shape[0]) + stained)


def tiles_of(region: Region, side: int) -> list[Region]:
    """Cut a region into tiles of about `side` pixels, all of like size."""
    rows = _cuts(region.top, region.bottom, side)
    columns = _cuts(region.left, region.right, side)
    return [
        replace(region, top=top, bottom=bottom, left=left, right=right)
        for top, bottom in rows
        for left, right in columns
    ]


def _cuts(start: int, stop: int, side: int) -> list[tuple[int, int]]:
    edges = np.linspace(start, stop, max(1, round((stop - start) / side)) + 1).round().astype(int).tolist()
    return list(pairwise(edges))
