"""Whether stain and transmitted light lie on each other, and the shift that makes them.

Both look different, so it is not their intensities that are compared but where there is texture: the magnitude of
their gradients, smoothed. The shift is the peak of their cross-correlation (scikit-image's phase correlation without
normalisation, after Guizar-Sicairos et al. 2008, Optics Letters 33:156), good to about 2 pixels between such images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.stain.pair import StainPair, StainSet

TRUSTED = 0.25  # from this trust on a shift is corrected
_LEAST = 2.0  # pixels; less can't be told from none
_WINDOW = 1024  # pixels of the middle that are looked at
_PLANES = 5
_QUARTERED = 96  # pixels a side from which on quarters are compared too
_FARTHEST = 0.25  # of a side; more leaves too little to compare
_FINE = 4  # parts of a pixel
_EQUAL = 1.5  # pixels within which shifts of many pairs are one offset of the camera
_MANY = 5
_TOO_SMALL = (
    "The images are too small, or too few, to tell a shift of the stain from where things lie in cells; none was moved."
)
_NONE = "The stains lie on their inputs; none was moved."
Plane = NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """By how much a stain is to be moved to lie on the transmitted light.

    Parameters
    ----------
    dy, dx
        Pixels, down and to the right.
    trust
        0 (can't be told) to 1: how alike the textures are then, times the share of the image's quarters that find the
        same shift.
    """

    dy: float
    dx: float
    trust: float

    @property
    def trusted(self) -> bool:
        """Whether it is sure enough to be corrected."""
        return self.trust >= TRUSTED

    @property
    def length(self) -> float:
        """In pixels."""
        return hypot(self.dy, self.dx)

    @property
    def whole(self) -> tuple[int, int]:
        """In whole pixels, so that no intensity is made up between two."""
        return round(self.dy), round(self.dx)

    @property
    def text(self) -> str:
        """What it means, in a sentence."""
        if not self.trusted:
            return (
                "Whether the stain is shifted can't be told: its texture and that of the input have too little alike."
            )
        if self.length < _LEAST:
            return "The stain lies on its input."
        return f"The stain is {_told(self.dy, self.dx)} of where its input is."


def shift_of(pair: StainPair) -> Shift:
    """Measure the shift of a pair; one that was corrected already counts as none.

    Raises
    ------
    ImageError
        If its pixels can't be read.
    """
    rows, columns = (_middle(n) for n in pair.shape[1:])
    light = _texture([pair.read_input(z, rows, columns) for z in _some(pair.shape[0])])
    stain = _texture([pair.read_target(z, rows, columns) for z in _some(pair.depth_out)])
    found = _correlated(light, stain)
    if found is None:
        return Shift(0.0, 0.0, 0.0)
    dy, dx = found
    return Shift(dy, dx, _likeness(light, stain, dy, dx) * _agreeing(light, stain, dy, dx))


def registered(data: StainSet, should_stop: Callable[[], bool] = lambda: False) -> StainSet:
    """Return the set with trusted shifts corrected by whole pixels, and in its notes what was done.

    Where many pairs have the same shift, as an offset of the camera gives them, all are moved by it. Small images are
    never moved one by one.

    Raises
    ------
    ImageError
        If pixels can't be read.
    TrainingStopped
        If stopped.
    """
    shifts = []
    for pair in data.pairs:
        if should_stop():
            raise TrainingStopped("Stopped while it was measured whether the stains are shifted.")
        shifts.append(shift_of(pair))
    small = min(min(pair.shape[1:]) for pair in data.pairs) < _QUARTERED
    common = _common(shifts, small)
    if common is None and small:
        return data.noting(_TOO_SMALL)
    used = [common or one for one in shifts]
    pairs = tuple(_moved(pair, one) for pair, one in zip(data.pairs, used, strict=True))
    return replace(data, pairs=pairs).noting(*_notes(data.pairs, shifts, common))


def _moved(pair: StainPair, by: Shift) -> StainPair:
    if not by.trusted or by.length < _LEAST:
        return pair
    return replace(pair, shift=(pair.shift[0] + by.whole[0], pair.shift[1] + by.whole[1]))


def _common(shifts: Sequence[Shift], small: bool) -> Shift | None:
    """Return the shift that many pairs have together; None where they differ, or it is not known well enough.

    In small images, such as crops of cells, what is off the middle may be the nucleus within its cell. Only the middle
    of many of them tells something, so there it is enough that this is known.
    """
    found = np.array([(one.dy, one.dx) for one in shifts if one.trusted])
    if len(found) < max(_MANY, len(shifts) / 2):
        return None
    middle = np.median(found, axis=0)
    spread = float(np.median(np.abs(found - middle), axis=0).max())
    if (1.86 * spread / np.sqrt(len(found)) if small else spread) > _EQUAL:  # standard error of a median
        return None
    return Shift(float(middle[0]), float(middle[1]), float(np.mean([one.trust for one in shifts if one.trusted])))


def _notes(pairs: Sequence[StainPair], shifts: Sequence[Shift], common: Shift | None) -> list[str]:
    if common is not None:
        if common.length < _LEAST:
            return [_NONE]
        return [f"All stains were {_told(common.dy, common.dx)} of where their inputs are, and were moved back."]
    far = [(pair, one) for pair, one in zip(pairs, shifts, strict=True) if one.trusted and one.length >= _LEAST]
    unsure = sum(not one.trusted for one in shifts)
    moved = "; ".join(f"{pair.name} by {one.whole[0]} down, {one.whole[1]} right" for pair, one in far[:4])
    more = f"; and {len(far) - 4} more" if len(far) > 4 else ""
    notes = [f"{len(far)} of {len(pairs)} stains were shifted and moved: {moved}{more}."] if far else []
    if unsure:
        notes.append(
            f"Whether the stains of {unsure} of {len(pairs)} pairs are shifted can't be told; left as they are."
        )
    return notes or [_NONE]


def _told(dy: float, dx: float) -> str:
    """Return where a stain is that has to be moved by dy, dx."""
    down = f"{abs(dy):.1f} pixels {'above' if dy > 0 else 'below'}"
    right = f"{abs(dx):.1f} pixels {'left' if dx > 0 else 'right'}"
    return f"{down} and {right}"


def _middle(length: int) -> slice:
    start = max(0, (length - _WINDOW) // 2)
    return slice(start, min(length, start + _WINDOW))


def _some(depth: int) -> list[slice]:
    return [slice(z, z + 1) for z in np.unique(np.linspace(0, depth - 1, min(depth, _PLANES)).round().astype(int))]


def _texture(parts: Sequence[NDArray[np.float32]]) -> Plane:
    """Return ``(h, w)``: where there is texture in channels and planes, each of them counting alike."""
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    planes = [plane.astype(np.float64) for part in parts for channel in part for plane in channel]
    found = np.zeros(planes[0].shape)
    for plane in planes:
        known = np.isfinite(plane)
        edges = gaussian_gradient_magnitude(np.where(known, plane, np.median(plane[known]) if known.any() else 0), 1)
        smooth = gaussian_filter(edges, 2)
        found += _standard(smooth)
    return found / len(planes)


def _standard(values: Plane) -> Plane:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 1e-9 * np.abs(values).max() else np.zeros(values.shape)


def _correlated(light: Plane, stain: Plane) -> tuple[float, float] | None:
    """Return the shift of two textures; None where one is flat, or the shift too far to be one."""
    from skimage.registration import phase_cross_correlation

    if not light.any() or not stain.any() or min(light.shape) < 8:
        return None
    fade = np.outer(*(np.hanning(n + 2)[1:-1] for n in light.shape))  # the border is no texture
    found: Any = phase_cross_correlation(  # type: ignore[no-untyped-call]
        _standard(light) * fade, _standard(stain) * fade, normalization=None, upsample_factor=_FINE
    )
    dy, dx = found[0]
    far = any(abs(by) > _FARTHEST * n for by, n in zip((dy, dx), light.shape, strict=True))
    return None if far else (float(dy), float(dx))


def _likeness(light: Plane, stain: Plane, dy: float, dx: float) -> float:
    """Return how well textures correlate where they overlap after the shift; 0 where they don't."""
    down, right = round(dy), round(dx)
    height, width = light.shape
    here = light[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
    there = stain[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    if here.std() == 0 or there.std() == 0:
        return 0.0
    return float(max(0.0, np.corrcoef(here.ravel(), there.ravel())[0, 1]))


def _agreeing(light: Plane, stain: Plane, dy: float, dx: float) -> float:
    """Return the share of the quarters that find the same shift; 1 for images too small to be cut."""
    if min(light.shape) < _QUARTERED:
        return 1.0
    halves = [(slice(0, n // 2), slice(n // 2, n)) for n in light.shape]
    near = 2 + 0.02 * min(light.shape)
    found = [_correlated(light[part], stain[part]) for part in product(*halves)]
    agree = [one is not None and hypot(one[0] - dy, one[1] - dx) <= near for one in found]
    return agree.count(True) / len(agree)
