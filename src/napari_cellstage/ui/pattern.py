"""How a cell's code is spread over its pixels: filled, outlined or hatched. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
NO_CODE = 0
SMALLEST_OUTLINED = 6  # pixels across a cell; an outline would fill a smaller one anyway


@dataclass(frozen=True)
class Pattern:
    """Which pixels of a cell show its code.

    Parameters
    ----------
    width
        Pixels inside the cell's edge; 0 fills the cell.
    thin
        Code of cells whose outline is one pixel wide.
    rim
        Code put on the outermost pixel of all other cells, so that their outline stands out from any image.
    hatched
        Code of cells that are drawn in stripes.
    crossed
        Code of cells that are drawn in thin stripes the other way.
    period
        Pixels from stripe to stripe.
    """

    width: int = 0
    thin: int = NO_CODE
    rim: int = NO_CODE
    hatched: int = NO_CODE
    crossed: int = NO_CODE
    period: int = 8

    def at_level(self, level: int, diameter: float) -> Pattern:
        """Return the pattern for every ``2 ** level``-th pixel of cells of a diameter; the smallest are just filled."""
        if not level:
            return self
        if diameter / 2**level < SMALLEST_OUTLINED:
            return replace(self, width=0, rim=NO_CODE, hatched=NO_CODE, crossed=NO_CODE)
        width = max(1, round(self.width / 2**level)) if self.width else 0
        return replace(self, width=width, rim=self.rim if width > 2 else NO_CODE)

    def apply(self, codes: NDArray[Any], band: Mask | None, edge: Mask | None, y0: int, x0: int) -> None:
        """Take the code from pixels that do not show it.

        Parameters
        ----------
        codes
            ``(Y, X)`` code of the cell at each pixel; changed in place.
        band, edge
            ``(Y, X)`` `inner_outline` of `width` and of 1 pixel; not looked at when `width` is 0.
        y0, x0
            Place of the first pixel in the image, so that stripes meet whatever part is drawn.
        """
        if self.hatched:
            codes *= (codes != self.hatched) | self._stripes(codes.shape, y0, x0)
        if self.crossed:
            codes *= (codes != self.crossed) | self._cross_stripes(codes.shape, y0, x0)
        if self.width and band is not None and edge is not None:
            codes *= band
            if self.thin:
                codes *= (codes != self.thin) | edge
            if self.rim:
                np.putmask(codes, edge & (codes > self.thin), self.rim)

    def _stripes(self, shape: tuple[int, ...], y0: int, x0: int) -> Mask:
        height, width = shape
        one = (np.arange(y0 + x0, y0 + x0 + height + width) % self.period) < self.period // 2
        # Row y of a diagonal pattern is the first row moved by y: a view, no pixel is computed twice.
        return np.lib.stride_tricks.sliding_window_view(one, width)[:height]

    def _cross_stripes(self, shape: tuple[int, ...], y0: int, x0: int) -> Mask:
        height, width = shape
        first = x0 - y0 - height + 1
        one = (np.arange(first, first + height + width) % self.period) < max(1, self.period // 3)
        return np.lib.stride_tricks.sliding_window_view(one, width)[:height][::-1]


def inner_outline(plane: NDArray[np.integer[Any]], width: int) -> Mask:
    """Return the pixels of each label that are within `width` pixels of another label or the background.

    Parameters
    ----------
    plane
        ``(..., Y, X)`` labels; only Y and X count, so that a stack's planes are outlined one by one.
    width
        In pixels. The edge of the image is no outline.
    """
    edge = np.zeros(plane.shape, dtype=bool)
    for shift in range(1, width + 1):
        for axis in (-2, -1):
            behind, ahead = _shifted(axis, shift)
            differs = plane[behind] != plane[ahead]
            edge[behind] |= differs
            edge[ahead] |= differs
    edge &= plane != 0
    return edge


def _shifted(axis: int, shift: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return indices of an array without its last, and without its first, `shift` pixels along Y or X."""
    whole, behind, ahead = slice(None), slice(None, -shift), slice(shift, None)
    if axis == -1:
        return (..., whole, behind), (..., whole, ahead)
    return (..., behind, whole), (..., ahead, whole)
