"""How far an image as a whole is from the training data: the spread of its places' looks against theirs.

Each look of the places, such as brightness or fine detail, has a distribution over the image. The largest difference of
the cumulative distributions (Kolmogorov-Smirnov) says how far it is from that of the training data, from 0 to 1, less
what chance makes of so few places. Images of the training differ, too: that much is granted. And images have more or
fewer cells: so training places count by how much of the image is as empty, or as full, as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.place_looks import AROUND, KINDS, OVER_PLANES

Floats = NDArray[np.float32]
PREFIX = "whole_"
_MOST_PLACES = 2000
_FULL = 5  # place of the kind that tells cells from empty ground
_STEPS = (0.2, 0.4, 0.6, 0.8)  # quantiles between places that are emptier and fuller
_HEAVIEST = 4.0  # by how much a place may count more than in the training
_CHANCE = 1.36  # over the root of the numbers: what a difference of distributions stays under in 95 % by chance
_MOST_IMAGES = 50
_LEAST_SPREAD = 1e-6
SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


@dataclass(frozen=True)
class Difference:
    """How an image differs from the training data as a whole.

    Parameters
    ----------
    amount
        0, like them, to 1; NaN where it can't be told.
    kind
        What differs most, in words.
    """

    amount: float
    kind: str


@dataclass(frozen=True, eq=False)
class WholeLooks:
    """What the training images look like as a whole.

    Parameters
    ----------
    places
        ``(R, F)``: some of their places.
    count
        ``(1,)``: how many places there were.
    granted
        ``(1,)``: by how much the images differ from each other.
    """

    places: Floats
    count: Floats
    granted: Floats

    @classmethod
    def fit(cls, looks: Floats, images: NDArray[Any], share: float = 1.0) -> Self:
        """Learn from training images.

        Parameters
        ----------
        looks
            ``(N, F)`` of places.
        images
            ``(N,)``: of which image or well each place is.
        share
            How many places each of them stands for.
        """
        names, between = np.unique(images), [0.0]
        for name in names[:: max(1, len(names) // _MOST_IMAGES)] if len(names) > 1 else ():
            here = images == name
            others = cls._of(looks[~here], share, 0.0)
            between.append(others.difference(looks[here], share).amount)
        return cls._of(looks, share, float(np.quantile(between, 0.9)))

    @classmethod
    def _of(cls, looks: Floats, share: float, granted: float) -> Self:
        some = looks[:: -(-len(looks) // _MOST_PLACES)]
        return cls(*(np.asarray(one, np.float32) for one in (some, [share * len(looks)], [granted])))

    def difference(self, looks: Floats, share: float = 1.0) -> Difference:
        """Compare an image.

        Parameters
        ----------
        looks
            ``(N, F)`` of its places.
        share
            How many places each of them stands for.
        """
        if not len(looks):
            return Difference(float("nan"), "")
        weights = self._weights(looks)
        far = np.array([_apart(one, known, weights) for one, known in zip(looks.T, self.places.T, strict=True)])
        # Neighbours' looks are means over the same pixels, so fewer places than there are count.
        known = self.count.item() * weights.mean() ** 2 / (weights**2).mean()
        chance = _CHANCE * AROUND * (1 / (share * len(looks)) + 1 / known) ** 0.5
        worst = int(far.argmax())
        amount = far[worst] - chance - self.granted.item()
        return Difference(max(0.0, float(amount)), KINDS[worst // OVER_PLANES % len(KINDS)])

    def _weights(self, looks: Floats) -> NDArray[np.float64]:
        """Return ``(R,)``: how much the training places count, so that as many are empty as in the image."""
        known, new = _fullness(self.places), _fullness(looks)
        edges = np.quantile(known, _STEPS)
        steps = np.searchsorted(edges, known)
        there, wanted = (
            np.bincount(one, minlength=len(edges) + 1) / len(one) for one in (steps, np.searchsorted(edges, new))
        )
        times = np.clip(wanted / np.maximum(there, 1e-9), 1 / _HEAVIEST, _HEAVIEST)
        return np.asarray(times[steps])

    def arrays(self) -> dict[str, Floats]:
        """Return all that a model's file has to hold."""
        return {f"{PREFIX}{one.name}": getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self | None:
        """Make what `arrays` gave, out of arrays that may hold others too; None where it is not among them."""
        names = [f"{PREFIX}{one.name}" for one in fields(cls)]
        return cls(*(arrays[name] for name in names)) if all(name in arrays for name in names) else None


def _fullness(looks: Floats) -> Floats:
    """Return ``(N,)``: how much places are unlike empty ground, mean over the channels."""
    return np.asarray(looks[:, _FULL * OVER_PLANES :: len(KINDS) * OVER_PLANES].mean(axis=1))


def _apart(values: Floats, known: Floats, weights: NDArray[np.float64]) -> float:
    """Return the largest difference of two cumulative distributions, of which the places of one have weights."""
    if known.max() - known.min() < _LEAST_SPREAD:
        return 0.0
    order = np.argsort(known, kind="stable")
    values, known = np.sort(values), known[order]
    below = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    gaps = [
        np.searchsorted(values, known, side) / len(values) - below[np.searchsorted(known, known, side)]
        for side in SIDES
    ]
    return float(np.abs(gaps).max())
