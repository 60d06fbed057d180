"""How bright an image is: its range and its background, from a sample of its pixels, measured once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.normalise import range_of

SAMPLE_PIXELS = 1 << 20  # of one channel
PATCH = 256
PLATE_IMAGES = 24  # images of a plate that are looked at; more would hardly change its range
_BINS = 256
_KEPT = 512  # samples
_samples: OrderedDict[tuple[object, ...], NDArray[Any]] = OrderedDict()


@dataclass(frozen=True)
class Levels:
    """Intensities of some channels, one value each.

    Parameters
    ----------
    low, high
        Dark and bright end of the range, in raw units; `high` is above `low`.
    background
        The commonest intensity: the dark ground of fluorescence, the gray ground of bright field.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    background: tuple[float, ...]


def levels_of(stacks: Sequence[ImageStack], channels: tuple[int, ...]) -> Levels:
    """Measure the channels of one image, or of the images of a plate together.

    Raises
    ------
    ImageError
        If an image lacks a channel, or can't be read.
    """
    spread = np.unique(np.linspace(0, len(stacks) - 1, PLATE_IMAGES).round().astype(int))
    low, high, background = [], [], []
    for channel in channels:
        values = np.concatenate([sample(stacks[i], channel, SAMPLE_PIXELS // len(spread)) for i in spread])
        dark, bright = range_of(values)
        low.append(dark)
        high.append(bright)
        background.append(_commonest(values, dark, bright))
    return Levels(tuple(low), tuple(high), tuple(background))


def sample(stack: ImageStack, channel: int, pixels: int = SAMPLE_PIXELS) -> NDArray[Any]:
    """Return about so many pixels of a channel, spread over its frames, planes and places; remembered."""
    key = (stack.path, stack.scene, stack.identity((channel,)), channel, pixels)
    found = _samples.pop(key, None) if stack.fingerprint else None
    if found is None:
        found = np.concatenate([part.ravel() for part in _parts(stack, channel, pixels)])
        found = found[:: max(1, len(found) // pixels)].copy()
        found = found.astype(np.uint8) if found.dtype == bool else found  # numpy has no histogram of bools
    if stack.fingerprint:
        _samples[key] = found
        while len(_samples) > _KEPT:
            _samples.popitem(last=False)
    return found


def _parts(stack: ImageStack, channel: int, pixels: int) -> Iterator[NDArray[Any]]:
    frames, _, planes, height, width = stack.shape
    chosen = list(product(_three(frames), _three(planes)))
    if height * width * len(chosen) <= 4 * pixels:
        places = [(slice(None), slice(None))]
    else:
        tops, lefts = (sorted({max(0, c * (n - PATCH) // 4) for c in range(5)}) for n in (height, width))
        places = [(slice(y, y + PATCH), slice(x, x + PATCH)) for y, x in product(tops, lefts)]
    for (t, z), (rows, columns) in product(chosen, places):
        yield stack.region(t, z, (channel,), rows, columns)


def _three(count: int) -> list[int]:
    """Return places a quarter, half and three quarters along, without repeating one."""
    return sorted({count // 4, count // 2, min(count * 3 // 4, count - 1)})


def _commonest(values: NDArray[Any], low: float, high: float) -> float:
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    whole = values.dtype.kind != "f" and high - low < _BINS
    bins = np.arange(np.floor(low), np.ceil(high) + 2) - 0.5 if whole else _BINS
    counts, edges = np.histogram(finite, bins=bins, range=(low, high))
    smooth = np.convolve(counts, np.ones(5), mode="same") if len(counts) > 5 else counts
    place = int(smooth.argmax())
    return float(edges[place] + edges[place + 1]) / 2
