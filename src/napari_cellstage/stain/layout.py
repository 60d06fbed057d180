"""How a field is cut into windows: planes, rows and columns; and into bands narrow enough for memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.plan import Plan
from napari_cellstage.stain.windows import Axis, mirrored, windows_along

Floats = NDArray[np.float32]
BUDGET = 96 << 20  # bytes of answers, and of input, that are in memory at a time
WIDE = 1024  # columns of a band are a multiple of it, as of the chunks they are written in
TALL = 256
FLAT_SIDE, DEEP_SIDE = 512, 96  # of windows, at least: larger ones overlap over a smaller share of the image
BLENDED = 128  # pixels of which the recipe's share overlaps, at least; of larger patches, of these


@dataclass(frozen=True)
class Cut:
    """How a model's network is asked about a field.

    Parameters
    ----------
    plan
        What it gets and gives.
    side
        Rows and columns of a window.
    overlap, deep
        Share of a window that the next one covers too, at least: of rows and columns, and of planes.
    whole
        Rows and columns of the largest field that is one window.
    """

    plan: Plan
    side: int
    overlap: float
    whole: int
    deep: float = 0.0

    @classmethod
    def of(cls, plan: Plan, patch: int, overlap: float) -> Cut:
        """Return the cut for a network that was trained on patches of a size."""
        least = max(patch, DEEP_SIDE if plan.volume else FLAT_SIDE)
        side = -(-least // plan.multiple) * plan.multiple
        shared = overlap * min(side, max(patch, BLENDED)) / side
        return cls(plan, side, shared, 5 * side // 4, overlap)

    def depth_out(self, depth: int) -> int:
        """Return how many planes come out of so many."""
        return 1 if self.plan.projects else depth


@dataclass(frozen=True, eq=False)
class Slab:
    """Planes that are looked at together.

    Parameters
    ----------
    planes
        Which, within the stack; mirrored at its ends.
    out
        First plane that comes out.
    weights
        ``(n,)`` a plane that comes out; they sum to 1 over the slabs.
    """

    planes: NDArray[np.intp]
    out: int
    weights: Floats


@dataclass(frozen=True)
class Band:
    """Columns that are worked through together, from the top to the bottom, and the windows that reach into them."""

    start: int
    stop: int
    windows: range


@dataclass(frozen=True, eq=False)
class Layout:
    """Windows of one field.

    Parameters
    ----------
    slabs, down, across
        Along planes, rows and columns.
    bands
        Of columns.
    depth_out
        Planes that come out.
    rows
        How many rows are finished, or read, at a time.
    """

    slabs: tuple[Slab, ...]
    down: Axis
    across: Axis
    bands: tuple[Band, ...]
    depth_out: int
    rows: int

    @property
    def count(self) -> int:
        """How many windows there are, those that two bands share twice."""
        return len(self.slabs) * len(self.down.starts) * sum(len(band.windows) for band in self.bands)


def laid_out(depth: int, size: tuple[int, int], channels: tuple[int, int], cut: Cut, budget: int = BUDGET) -> Layout:
    """Lay windows over a field.

    Parameters
    ----------
    depth, size
        Planes; rows and columns of the field.
    channels
        How many go in, and how many come out.
    cut
        How the network is asked.
    budget
        Bytes of answers, and of input, in memory at a time; they decide on bands only, not on what comes out.
    """
    down, across = (windows_along(length, cut.side, cut.overlap, cut.whole) for length in size)
    depth_out = cut.depth_out(depth)
    column = 4 * max(channels[0] * depth, channels[1] * depth_out)  # bytes of one row's
    most = max(across.size, budget // (column * 2 * down.size))
    bands = _bands(across, size[1] if size[1] <= most else max(WIDE * (most // WIDE), min(most, WIDE)))
    widest = max(band.stop - band.start for band in bands)
    rows = max(1, (budget // (column * widest) - down.size) // TALL) * TALL
    return Layout(_slabs(depth, cut), down, across, bands, depth_out, min(rows, 4 * TALL))


def _slabs(depth: int, cut: Cut) -> tuple[Slab, ...]:
    one = np.ones(1, np.float32)
    if not cut.plan.volume:
        return tuple(Slab(np.array(planes), out, one) for out, planes in enumerate(cut.plan.looks(depth)))
    if cut.plan.projects:
        return (Slab(np.arange(depth), 0, one),)
    axis = windows_along(depth, cut.plan.planes, cut.deep)
    return tuple(
        Slab(mirrored(start, start + axis.size, depth), start, weights)
        for start, weights in zip(axis.starts, axis.weights(), strict=True)
    )


def _bands(across: Axis, wide: int) -> tuple[Band, ...]:
    starts = np.array(across.starts)
    bands = []
    for first in range(0, across.length, wide):
        stop = min(first + wide, across.length)
        reach = np.flatnonzero((starts < stop) & (starts + across.size > first))
        bands.append(Band(first, stop, range(int(reach[0]), int(reach[-1]) + 1)))
    return tuple(bands)
