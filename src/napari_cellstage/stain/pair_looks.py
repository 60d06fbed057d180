"""What the pixels of a pair look like: blank, saturated, nothing but noise, not finite; which planes are sharp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import isnan

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.pair import StainPair
from napari_cellstage.stain.plane_order import likenesses, profile
from napari_cellstage.stain.scaling import windows_in
from napari_cellstage.stain.splits import Region

_PIXELS = 1 << 20  # of a plane that are looked at
_ALL_PIXELS = 1 << 23  # of all planes
_BAND = 1 << 22  # pixels that are read at once where one value after the other is compared
_PLANES = 64  # in which the order is looked at
_ORDERED = 4  # planes from which on an order can be told
Floats = NDArray[np.float32]
Read = Callable[[slice, slice, slice], Floats]


@dataclass(frozen=True)
class ChannelLooks:
    """One channel of one pair.

    Parameters
    ----------
    blank
        Whether all its pixels are the same, or none is finite.
    value
        That value; NaN where it is not blank.
    top, highest
        Share of the pixels that have the highest value, and this value.
    missing
        Share of the pixels that are not finite.
    grain
        How well neighbouring pixels correlate; 0 in what is nothing but noise, NaN where that can't be told.
    """

    blank: bool
    value: float
    top: float
    highest: float
    missing: float
    grain: float


@dataclass(frozen=True)
class PairLooks:
    """A pair.

    Parameters
    ----------
    inputs, stains
        Each channel.
    profiles
        How sharp and rich in contrast each plane of the input is, and of the stain, see `plane_order.profile`; empty
        where there are too few planes.
    likeness
        ``(Z, Z)`` correlations of the planes of the input, or None where there are too few.
    digest
        The same for inputs of the same pixels; empty where they are blank.
    """

    inputs: tuple[ChannelLooks, ...]
    stains: tuple[ChannelLooks, ...]
    profiles: tuple[NDArray[np.float64], ...] = ()
    likeness: NDArray[np.float64] | None = None
    digest: str = ""


def looks_of(pair: StainPair) -> PairLooks:
    """Look at a sample of the pixels of a pair, in all of its planes; the stain where it is without its shift.

    Raises
    ------
    ImageError
        If they can't be read.
    """
    pair = replace(pair, shift=(0, 0))  # what a shift leaves empty is not missing in the image
    depth = pair.shape[0]
    windows = windows_in(Region(0, 0, 0, *pair.shape[1:]), min(_PIXELS, _ALL_PIXELS // depth))
    inputs = [_joined([pair.read_input(_one(z), y, x) for y, x in windows]) for z in range(depth)]
    stains = [_joined([pair.read_target(_one(z), y, x) for y, x in windows]) for z in range(pair.depth_out)]
    ordered = [stack for stack in (inputs, stains) if _ORDERED <= len(stack) <= _PLANES]
    seen = _channels(inputs, pair.read_input, pair.shape)
    return PairLooks(
        seen,
        _channels(stains, pair.read_target, (pair.depth_out, *pair.shape[1:])),
        tuple(profile([plane[0] for plane in stack]) for stack in ordered),
        likenesses([plane[0] for plane in inputs]) if _ORDERED <= depth <= _PLANES else None,
        "" if all(one.blank for one in seen) else blake2b(np.stack(inputs).tobytes(), digest_size=16).hexdigest(),
    )


def _one(z: int) -> slice:
    return slice(z, z + 1)


def _joined(parts: list[Floats]) -> Floats:
    """Put windows ``(C, 1, h, w)`` of one plane side by side: ``(C, h, W)``."""
    return np.concatenate([part[:, 0] for part in parts], axis=2)


def _channels(planes: list[Floats], read: Read, shape: tuple[int, int, int]) -> tuple[ChannelLooks, ...]:
    made = [_channel([plane[channel] for plane in planes]) for channel in range(len(planes[0]))]
    whole = planes[0].shape[1] * planes[0].shape[2] >= shape[1] * shape[2]
    return tuple(
        replace(one, blank=False) if one.blank and not whole and not _same_everywhere(channel, one.value, read, shape)
        else one
        for channel, one in enumerate(made)
    )  # fmt: skip


def _same_everywhere(channel: int, value: float, read: Read, shape: tuple[int, int, int]) -> bool:
    """Tell whether a large image, blank wherever it was looked at, is so everywhere."""
    depth, height, width = shape
    rows = max(1, _BAND // width)
    bands = (
        read(_one(z), slice(top, min(height, top + rows)), slice(0, width))[channel]
        for z in range(depth)
        for top in range(0, height, rows)
    )
    return all(np.array_equal(band, np.full_like(band, value), equal_nan=True) for band in bands)


def _channel(planes: list[Floats]) -> ChannelLooks:
    values = np.concatenate([plane.ravel() for plane in planes])
    known = values[np.isfinite(values)]
    missing = 1 - known.size / max(1, values.size)
    low, high = (float(known.min()), float(known.max())) if known.size else (np.nan, np.nan)
    blank = isnan(low) or low == high
    top = float((known == high).mean()) if known.size else 0.0
    return ChannelLooks(blank, low if blank else np.nan, top, high, missing, np.nan if blank else _grain(planes))


def _grain(planes: list[Floats]) -> float:
    """Return the correlation of each pixel with its right neighbour."""
    left = np.concatenate([plane[:, :-1].ravel() for plane in planes])
    right = np.concatenate([plane[:, 1:].ravel() for plane in planes])
    known = np.isfinite(left) & np.isfinite(right)
    left, right = left[known].astype(np.float64), right[known].astype(np.float64)
    if left.size < 2 or left.std() == 0 or right.std() == 0:
        return np.nan
    return float(np.corrcoef(left, right)[0, 1])
