"""Whether stain and transmitted light lie on each other, and the shift that makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari_cellstage.stain.pair import StainPair, StainSet


@dataclass(frozen=True)
class Shift:
    """By how much a stain is to be moved to lie on the transmitted light.

    Parameters
    ----------
    dy, dx
        Pixels, down and to the right.
    trust
        0 (can't be told) to 1.
    """

    dy: float
    dx: float
    trust: float


def shift_of(pair: StainPair) -> Shift:
    """Measure the shift of a pair by phase correlation of where there is texture."""
    raise NotImplementedError


def registered(data: StainSet, should_stop: Callable[[], bool] = lambda: False) -> StainSet:
    """Return the set with shifts corrected, and what was done in its notes."""
    raise NotImplementedError
