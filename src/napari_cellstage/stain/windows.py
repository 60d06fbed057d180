"""Where the windows lie that a network is asked about, and how much each counts where they overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Axis:
    """Windows along one axis of an image.

    Parameters
    ----------
    starts
        First pixel of each; under 0 where a window reaches over the edge.
    size
        Pixels of each.
    length
        Pixels of the axis.
    """

    starts: tuple[int, ...]
    size: int
    length: int

    def weights(self) -> list[Floats]:
        """Return ``(size,)`` a window: how much it counts at each of its pixels; at each pixel they sum to 1.

        A window counts most in its middle, as a network sees less around the pixels at the rim. Weights along the axes
        are multiplied, so they sum to 1 in the plane too, and nothing is to be divided at the end.
        """
        places = np.arange(self.size, dtype=np.float64)
        tent = np.minimum(places + 1, self.size - places)
        total = np.zeros(self.starts[-1] + self.size - self.starts[0])
        first = self.starts[0]
        for start in self.starts:
            total[start - first : start - first + self.size] += tent
        return [(tent / total[s - first : s - first + self.size]).astype(np.float32) for s in self.starts]


def windows_along(length: int, size: int, overlap: float, whole: int = 0) -> Axis:
    """Lay windows over an axis, evenly.

    Parameters
    ----------
    length
        Pixels of the axis.
    size
        Pixels of a window.
    overlap
        Share of a window that the next one covers too, at least; 0 to 0.9.
    whole
        An axis of at most so many pixels, or of at most `size`, is one window.
    """
    if length <= max(size, whole):
        return Axis((0,), length, length)
    rim = int(size * overlap / 2)  # so that pixels at the edge of the image are not at the edge of a window
    reach = length + 2 * rim - size
    count = 1 + -(-reach // max(1, int(size * (1 - overlap))))
    return Axis(tuple(round(number * reach / (count - 1)) - rim for number in range(count)), size, length)


def mirrored(start: int, stop: int, length: int) -> NDArray[np.intp]:
    """Return which pixels of an axis of some length lie at places ``start:stop``, mirrored at its edges."""
    places = np.arange(start, stop) % (2 * length)
    return np.where(places < length, places, 2 * length - 1 - places)
