"""Which images, or parts of them, a model of stains has learned from, whatever they are called now. Loads no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_cellstage.stain.pair import StainPair, StainSet
from napari_cellstage.stain.splits import Region, whole

_ROWS = 64  # of a plane, that are looked at


@dataclass(frozen=True)
class Fresh:
    """What of a set a model has not learned from.

    Parameters
    ----------
    regions
        Whole images, or the parts of them that were held out; empty where it has learned from all.
    train
        Parts that it was trained on, as far as they are in the set.
    left_out
        Names of the images that are not among the regions.
    """

    regions: tuple[Region, ...]
    train: tuple[Region, ...]
    left_out: tuple[str, ...]


def fresh(split: dict[str, Any], data: StainSet, by_group: bool = False) -> Fresh:
    """Return which parts of a set were not learned from: neither trained on nor used to choose the epoch.

    Parameters
    ----------
    split
        As in the model's card.
    data
        Pairs.
    by_group
        Whether images of a group that was learned from are left out, too.
    """
    learned = [*split["train"], *split["validation"], *split.get("earlier", [])]
    seen, held, train = (_by_identity(part) for part in (learned, split["held_out"], split["train"]))
    groups = {one["group"] for one in learned} if by_group else set()
    regions: list[Region] = []
    trained: list[Region] = []
    left_out: list[str] = []
    for place, pair in enumerate(data.pairs):
        known = _names_of(pair)
        parts = _regions(place, known, held)
        trained += _regions(place, known, train)
        if not parts and (known & seen.keys() or pair.group in groups):
            left_out.append(pair.name)
        else:
            regions += parts or whole(data, [place])
    return Fresh(tuple(regions), tuple(trained), tuple(left_out))


def calibrated_by(card: dict[str, Any], data: StainSet, regions: Iterable[Region]) -> bool:
    """Return whether a model's interval was calibrated on some of these regions' images."""
    part = card.get("calibrated_on")
    told = {_called(one) for one in card["split"][part]} if part else set()
    return bool(told) and any(told & _names_of(data.pairs[place]) for place in {one.pair for one in regions})


def identity(pair: StainPair) -> str:
    """Return what tells an image by its pixels: a hash of some rows of its input, in the middle plane.

    Raises
    ------
    ImageError
        If it can't be read.
    """
    depth, height, width = pair.shape
    top = max(0, (height - _ROWS) // 2)
    middle = slice(depth // 2, depth // 2 + 1)
    rows = pair.read_input(middle, slice(top, min(height, top + _ROWS)), slice(0, width))
    made = hashlib.sha256(f"{pair.shape} ".encode())
    made.update(np.ascontiguousarray(rows).tobytes())
    return made.hexdigest()[:32]


def _names_of(pair: StainPair) -> set[str]:
    """Return how a card may call an image; by name alone where it was written without its pixels."""
    return {identity(pair), f"name {pair.name}"}


def _called(one: dict[str, Any]) -> str:
    return str(one.get("identity") or f"name {one['image']}")


def _by_identity(told: Iterable[dict[str, Any]]) -> dict[str, list[tuple[int, int, int, int]]]:
    found: dict[str, list[tuple[int, int, int, int]]] = {}
    for one in told:
        found.setdefault(_called(one), []).append(tuple(one["pixels"]))
    return found


def _regions(place: int, known: set[str], told: dict[str, list[tuple[int, int, int, int]]]) -> list[Region]:
    return [Region(place, *pixels) for name in known & told.keys() for pixels in told[name]]
