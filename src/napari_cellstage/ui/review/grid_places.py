"""Where tiles lie in a grid, and which are chosen by mouse and keys: arithmetic only, no widgets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GAP = 6  # pixels between tiles
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class GridPlaces:
    """Tiles in rows.

    Parameters
    ----------
    count
        How many tiles.
    width
        Of the whole grid, in pixels.
    tile
        Width and height of a tile.
    """

    count: int
    width: int
    tile: tuple[int, int]

    @property
    def columns(self) -> int:
        """How many tiles a row."""
        return max(1, (self.width - GAP) // (self.tile[0] + GAP))

    @property
    def pitch(self) -> int:
        """From one row to the next."""
        return self.tile[1] + GAP

    @property
    def height(self) -> int:
        """Of all rows."""
        return -(-self.count // self.columns) * self.pitch + GAP

    def corner(self, place: int) -> tuple[int, int]:
        """Return x and y of a tile."""
        row, column = divmod(place, self.columns)
        return GAP + column * (self.tile[0] + GAP), GAP + row * self.pitch

    def place_at(self, x: int, y: int) -> int | None:
        """Return the tile at a point, None between tiles."""
        column, across = divmod(x - GAP, self.tile[0] + GAP)
        row, down = divmod(y - GAP, self.pitch)
        place = row * self.columns + column
        inside = 0 <= column < self.columns and across < self.tile[0] and down < self.tile[1]
        return place if inside and 0 <= place < self.count else None

    def between(self, top: int, bottom: int) -> range:
        """Return the tiles of the rows that are seen from one height to another."""
        first = max(0, (top - GAP) // self.pitch)
        last = max(first, (bottom - GAP) // self.pitch + 1)
        return range(min(first * self.columns, self.count), min(last * self.columns, self.count))

    def within(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.int64]:
        """Return the tiles that a rectangle touches."""
        rows = np.arange(max(0, (y0 - GAP) // self.pitch), max(0, (y1 - GAP) // self.pitch) + 1)
        columns = np.arange(max(0, (x0 - GAP) // (self.tile[0] + GAP)), (x1 - GAP) // (self.tile[0] + GAP) + 1)
        columns = columns[(columns >= 0) & (columns < self.columns)]
        lefts, tops = GAP + columns * (self.tile[0] + GAP), GAP + rows * self.pitch
        columns = columns[(lefts <= x1) & (lefts + self.tile[0] >= x0)]
        rows = rows[(tops <= y1) & (tops + self.tile[1] >= y0)]
        places = (rows[:, None] * self.columns + columns[None]).ravel()
        return np.asarray(places[places < self.count], dtype=np.int64)


@dataclass
class Picks:
    """Which tiles are chosen, the one the keys go on from, and the one a range begins at.

    Parameters
    ----------
    mask
        ``(N,)`` bool.
    current, anchor
        Places; -1: none.
    """

    mask: Mask
    current: int = -1
    anchor: int = -1

    def click(self, place: int, *, adds: bool = False, extends: bool = False) -> None:
        """Choose a tile alone; add it or let go of it; or choose all from the anchor to it."""
        if extends:
            self._range(place, keep=adds)
            return
        if adds:
            self.mask[place] = ~self.mask[place]
        else:
            self.mask[:] = False
            self.mask[place] = True
        self.current = self.anchor = place

    def step(self, by: int, *, extends: bool = False) -> None:
        """Go on by so many tiles, and choose where one comes to, or all on the way."""
        count = len(self.mask)
        if not count:
            return
        place = min(max(self.current + by, 0), count - 1) if self.current >= 0 else 0
        self.click(place, extends=extends)

    def all(self) -> None:
        """Choose all."""
        self.mask[:] = True

    def none(self) -> None:
        """Choose none."""
        self.mask[:] = False

    def show(self, mask: Mask) -> None:
        """Take what was chosen elsewhere."""
        self.mask = mask.copy()
        if not (0 <= self.current < len(mask) and mask[self.current]):
            self.current = self.anchor = int(mask.argmax()) if mask.any() else -1

    def _range(self, place: int, *, keep: bool) -> None:
        if not 0 <= self.anchor < len(self.mask):
            self.anchor = place
        if not keep:
            self.mask[:] = False
        self.mask[min(self.anchor, place) : max(self.anchor, place) + 1] = True
        self.current = place
