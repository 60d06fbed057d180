"""Whether stain and transmitted light lie on each other, and the shift that makes them.

Where they fit best is told by `textures`; a shift counts as known where the quarters of the image, each by itself, find
the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import hypot

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.textures import Plane, best_shift, looks, texture

TRUSTED = 0.25  # from this trust on a shift is corrected
_LEAST = 3.0  # pixels; less can't be told from none
_WINDOW = 768  # pixels of the middle that are looked at
_PLANES = 3
_QUARTERED = 96  # pixels a side from which on quarters are compared too
_EQUAL = 1.5  # pixels within which shifts of many pairs are one offset of the camera
_MANY = 5
_TOO_SMALL = (
    "The images are too small, or too few, to tell a shift of the stain from where things lie in cells; none was moved."
)
_NONE = "The stains lie on their inputs; none was moved."


@dataclass(frozen=True)
class Shift:
    """By how much a stain is to be moved to lie on the transmitted light.

    Parameters
    ----------
    dy, dx
        Pixels, down and to the right.
    trust
        0 (can't be told) to 1: how much of the stain's texture the light tells then, as a correlation, times the share
        of the image's quarters that find the same shift.
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
    def off(self) -> bool:
        """Whether the stain is known to lie beside its input."""
        return self.trusted and self.length >= _LEAST

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
    light = looks(_planes([pair.read_input(z, rows, columns) for z in _some(pair.shape[0])]))
    stain = texture(_planes([pair.read_target(z, rows, columns) for z in _some(pair.depth_out)]))
    found = best_shift(light, stain)
    if found is None:
        return Shift(0.0, 0.0, 0.0)
    dy, dx, likeness = found
    return Shift(dy, dx, likeness * _agreeing(light, stain, dy, dx))


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
    if not by.off:
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
        if not common.off:
            return [_NONE]
        return [f"All stains were {_told(common.dy, common.dx)} of where their inputs are, and were moved back."]
    far = [(pair, one) for pair, one in zip(pairs, shifts, strict=True) if one.off]
    unsure = sum(not one.trusted for one in shifts)
    moved = "; ".join(f"{pair.name} {_way(*one.whole)}" for pair, one in far[:4])
    more = f"; and {len(far) - 4} more" if len(far) > 4 else ""
    notes = [f"{len(far)} of {len(pairs)} stains were shifted and moved, in pixels: {moved}{more}."] if far else []
    if unsure:
        notes.append(
            f"Whether the stains of {unsure} of {len(pairs)} pairs are shifted can't be told; left as they are."
        )
    return notes or [_NONE]


def _told(dy: float, dx: float) -> str:
    """Return where a stain is that has to be moved by dy, dx."""
    down = f"{abs(dy):.0f} pixels {'above' if dy > 0 else 'below'}"
    right = f"{abs(dx):.0f} pixels {'left' if dx > 0 else 'right'}"
    return f"{down} and {right}"


def _way(dy: int, dx: int) -> str:
    """Return in which direction something was moved by dy, dx."""
    return f"{abs(dy)} {'down' if dy > 0 else 'up'}, {abs(dx)} {'right' if dx > 0 else 'left'}"


def _middle(length: int) -> slice:
    start = max(0, (length - _WINDOW) // 2)
    return slice(start, min(length, start + _WINDOW))


def _some(depth: int) -> list[slice]:
    """Return some planes, but not the outermost: out of focus, light that falls in aslant moves what it shows."""
    planes = np.linspace(0, depth - 1, _PLANES + 2)[1:-1] if depth > _PLANES else np.arange(depth)
    return [slice(z, z + 1) for z in planes.round().astype(int)]


def _planes(parts: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return all planes of parts ``(C, Z, h, w)``."""
    return [plane for part in parts for channel in part for plane in channel]


def _agreeing(light: Plane, stain: Plane, dy: int, dx: int) -> float:
    """Return the share of the quarters that find the same shift; 1 for images too small to be cut."""
    if min(stain.shape) < _QUARTERED:
        return 1.0
    halves = [(slice(0, n // 2), slice(n // 2, n)) for n in stain.shape]
    near = 2 + 0.02 * min(stain.shape)
    found = [best_shift(light[:, *part], stain[part]) for part in product(*halves)]
    agree = [one is not None and hypot(one[0] - dy, one[1] - dx) <= near for one in found]
    return agree.count(True) / len(agree)
