"""Small windows spread over a large image, from which contrast and thresholds are measured."""

from __future__ import annotations

from itertools import product
from math import sqrt

_SIDE = 512
_PIXELS = 1 << 24


def sample_windows(depth: int, height: int, width: int) -> list[tuple[slice, slice]]:
    """Return rows and columns of windows spread evenly over a frame, enough to know it by."""
    count = max(4, _PIXELS // (depth * _SIDE**2))
    down = max(1, round(sqrt(count * height / width)))
    across = max(1, round(count / down))
    return [(_window(i, down, height), _window(j, across, width)) for i, j in product(range(down), range(across))]


def _window(index: int, count: int, length: int) -> slice:
    side = min(_SIDE, length)
    start = int((index + 0.5) * length / count - side / 2)
    start = min(max(start, 0), length - side)
    return slice(start, start + side)
