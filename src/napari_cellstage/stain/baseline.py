"""What a stain is to be predicted better than: the single plane of the input that fits it best, blurred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.splits import Region
from napari_cellstage.stain.tallies import correlation, moments

Floats = NDArray[np.float32]
BLURS = (0.0, 1.0, 2.0, 4.0, 8.0)  # pixels
MOST_REGIONS, SIDE = 100, 1024


@dataclass(frozen=True)
class BestPlane:
    """One plane of one input channel, blurred; upside down where dark places are stained.

    Parameters
    ----------
    channel, plane
        Which; plane is None where each plane of a stack stands for its own.
    blur
        Standard deviation in pixels.
    sign
        1 or -1.
    """

    channel: int
    plane: int | None
    blur: float
    sign: int

    def of(self, seen: Floats) -> Floats:
        """Return ``(Zout, h, w)`` of raw input ``(C, Z, h, w)``."""
        from scipy.ndimage import gaussian_filter

        some = seen[self.channel] if self.plane is None else seen[self.channel, self.plane : self.plane + 1]
        known = np.where(np.isfinite(some), some, np.nanmedian(some) if np.isfinite(some).any() else 0.0)
        made: Floats = self.sign * gaussian_filter(known, (0, self.blur, self.blur)).astype(np.float32)
        return made

    def text(self, input_names: Sequence[str]) -> str:
        """Say which it is."""
        plane = "" if self.plane is None else f", plane {self.plane}"
        dark = ", upside down" if self.sign < 0 else ""
        return f"{input_names[self.channel]}{plane}, blurred by {self.blur:g} pixels{dark}"


def best_planes(data: StainSet, train: Sequence[Region], stains: Sequence[int]) -> list[BestPlane]:
    """Choose on the training part, by the mean r over its regions (at most 100, the middle of large ones).

    Parameters
    ----------
    data
        The pairs.
    train
        What was trained on; at least one.
    stains
        Which stains of the data, by place.
    """
    chosen = [train[round(place)] for place in np.linspace(0, len(train) - 1, min(len(train), MOST_REGIONS))]
    first = data.pairs[chosen[0].pair]
    depth = first.shape[0]
    planes = (None,) if first.depth_out == depth else tuple(range(depth))
    options = [BestPlane(c, z, blur, 1) for c, z, blur in product(range(len(data.input_names)), planes, BLURS)]
    found = np.full((len(options), len(stains), len(chosen)), np.nan)
    for number, region in enumerate(chosen):
        found[:, :, number] = _fits(data, region, options, stains)
    with np.errstate(invalid="ignore"):
        sums, counts = np.nansum(found, axis=2), np.isfinite(found).sum(axis=2)
    means = sums / np.maximum(counts, 1)
    best = np.abs(means).argmax(axis=0)
    return [
        BestPlane(options[b].channel, options[b].plane, options[b].blur, -1 if means[b, s] < 0 else 1)
        for s, b in enumerate(best)
    ]


def _fits(data: StainSet, region: Region, options: Sequence[BestPlane], stains: Sequence[int]) -> NDArray[np.float64]:
    """Return r ``(options, stains)`` in the middle of a region."""
    pair = data.pairs[region.pair]
    y, x = (_middle(start, stop) for start, stop in ((region.top, region.bottom), (region.left, region.right)))
    seen, truth = pair.read_input(y=y, x=x), pair.read_target(y=y, x=x)
    if seen.shape[1] not in (1, truth.shape[1]) and options[0].plane is None:
        return np.full((len(options), len(stains)), np.nan)
    sums = [
        [moments(truth[s], np.broadcast_to(one, truth[s].shape)) for s in stains]
        for one in (o.of(seen) for o in options)
    ]
    return correlation(np.array(sums))


def _middle(start: int, stop: int) -> slice:
    rest = max(0, stop - start - SIDE) // 2
    return slice(start + rest, stop - rest)
