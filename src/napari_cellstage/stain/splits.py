"""Splits of pairs into what is trained on, what chooses the epoch, and what is only scored."""

from __future__ import annotations

from dataclasses import dataclass

from napari_cellstage.stain.pair import StainSet


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
    """Split by group at random; where there is one group only, by blocks along the longer side."""
    raise NotImplementedError
