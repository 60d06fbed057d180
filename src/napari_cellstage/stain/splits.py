"""Splits of pairs into what is trained on, what chooses the epoch, and what is only scored.

Pixels of one image, well or movie are alike, so a split never cuts through such a group. Only where there is a single
group is its area cut, and a gap left that nothing uses: neighbouring pixels are alike as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.stain.pair import StainPair, StainSet

ONE_GROUP_HOLDOUT = 0.3  # a narrower strip of one image would say little of others
_GAP = 0.1  # of the longer side


@dataclass(frozen=True)
class Region:
    """A part of a pair, all its planes.

    Parameters
    ----------
    pair
        Its place in the set.
    top, left, bottom, right
        Pixels; the last two are the first outside.
    """

    pair: int
    top: int
    left: int
    bottom: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left


@dataclass(frozen=True)
class StainSplit:
    """Which parts are for what; they never overlap, and never share a group unless there is one only.

    Parameters
    ----------
    train, validation, held_out
        Parts that are trained on, that choose the epoch, and that are only scored; the last two may be empty.
    how
        How it was split, as a sentence.
    """

    train: tuple[Region, ...]
    validation: tuple[Region, ...]
    held_out: tuple[Region, ...]
    how: str


def split_pairs(
    data: StainSet, holdout: float = 0.2, validation: float = 0.1, seed: int = 0, gap: int | None = None
) -> StainSplit:
    """Split whole groups at random; where there is one group only, cut its images along their longer side.

    Parameters
    ----------
    data
        The pairs.
    holdout
        Share of the groups that is only scored; at least one where it is above 0. Of a single group it is the right
        (or lower) end, and at least `ONE_GROUP_HOLDOUT` unless it is 0.
    validation
        Share of the other groups that chooses the epoch. A single group has no such part.
    seed
        Same seed, same split.
    gap
        Pixels between trained and held-out part of a single group that nothing uses; None: a tenth of the side.

    Raises
    ------
    TrainingError
        If there are no pairs, a share is out of range, or the gap leaves nothing.
    """
    if not data.pairs:
        raise TrainingError("There are no pairs of input and stain to split. Choose images that have both.")
    for name, share in (("holdout", holdout), ("validation", validation)):
        if not 0 <= share < 1:
            raise TrainingError(f"{name} is {share}. Give a share of at least 0 and below 1.")
    if gap is not None and gap < 0:
        raise TrainingError(f"The gap is {gap} pixels. Give 0 or more.")
    groups = np.array(data.groups)
    return _by_group(data, groups, holdout, validation, seed) if len(set(groups)) > 1 else _cut(data, holdout, gap)


def whole(data: StainSet, places: Iterable[int] | None = None) -> tuple[Region, ...]:
    """Return the whole area of these pairs; of all where none are named."""
    chosen = range(len(data)) if places is None else places
    return tuple(Region(place, 0, 0, *data.pairs[place].shape[1:]) for place in chosen)


def _by_group(data: StainSet, groups: NDArray[np.str_], holdout: float, validation: float, seed: int) -> StainSplit:
    names = np.unique(groups)
    shuffled = np.random.default_rng(seed).permutation(names)
    held = min(max(1, round(holdout * len(names))), len(names) - 1) if holdout else 0
    choosing = min(round(validation * (len(names) - held)), len(names) - held - 1)
    parts = shuffled[:held], shuffled[held : held + choosing], shuffled[held + choosing :]
    held_out, validating, train = (whole(data, np.flatnonzero(np.isin(groups, part)).tolist()) for part in parts)
    what = "images" if len(names) == len(groups) else "groups of images"
    how = f"{held:,} of {len(names):,} {what} held out at random (seed {seed})" if held else "Nothing is held out"
    chooses = f", {choosing:,} others choose the epoch" if choosing else ""
    return StainSplit(train, validating, held_out, f"{how}{chooses}.")


def _cut(data: StainSet, holdout: float, gap: int | None) -> StainSplit:
    """Cut each image of the only group; they may be the time points of a movie, so all at the same place."""
    if not holdout:
        return StainSplit(whole(data), (), (), "Nothing is held out.")
    share = max(holdout, ONE_GROUP_HOLDOUT)
    cuts = [_of_one(place, pair, share, gap) for place, pair in enumerate(data.pairs)]
    train, held_out = (tuple(cut[part] for cut in cuts) for part in (0, 1))
    return StainSplit(train, (), held_out, _told(data, train[0], held_out[0]))


def _told(data: StainSet, train: Region, held_out: Region) -> str:
    """Return how the images of one group were cut, by the first of them."""
    across = _across(data.pairs[0])
    near, far = ("left", "right") if across else ("upper", "lower")
    side, kept, held = data.pairs[0].shape[1 + across], train.size[across], held_out.size[across]
    return (
        f"Of the one image or group of images the {near} {kept / side:.0%} is trained on, the {far} {held / side:.0%} "
        f"held out, and {side - kept - held} pixels between them are not used."
    )


def _across(pair: StainPair) -> bool:
    _depth, height, width = pair.shape
    return width >= height


def _of_one(place: int, pair: StainPair, share: float, gap: int | None) -> tuple[Region, Region]:
    _depth, height, width = pair.shape
    length = max(height, width)
    held = max(1, round(share * length))
    between = max(1, round(_GAP * length)) if gap is None else gap
    kept = length - held - between
    if kept < 1:
        raise TrainingError(
            f"'{pair.name}' is {length} pixels long: {held} held out and a gap of {between} leave nothing to train on. "
            "Hold out less, choose a smaller gap, or add another image."
        )
    if _across(pair):
        return Region(place, 0, 0, height, kept), Region(place, 0, width - held, height, width)
    return Region(place, 0, 0, kept, width), Region(place, height - held, 0, height, width)
