"""Sums over pixels from which figures of predicted stains come, so that no image must stay in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
TINY = 1e-12
_BINS, _LOW, _HIGH = 4096, -24.0, 8.0  # of log2 of a width in scaled units: steps of half a per cent


def moments(truth: Floats, predicted: Floats) -> NDArray[np.float64]:
    """Return count, sums, sums of squares and of products of pixels that are both finite, ``(6,)``."""
    there = np.isfinite(truth) & np.isfinite(predicted)
    x, y = truth[there].astype(np.float64), predicted[there].astype(np.float64)
    return np.array([len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y])


def correlation(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson r of ``(..., 6)`` `moments`; NaN where either is the same everywhere."""
    count, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread_x, spread_y = xx / count - (x / count) ** 2, yy / count - (y / count) ** 2
        r = (xy / count - x * y / count**2) / np.sqrt(spread_x * spread_y)
        flat = (spread_x <= TINY * (1 + (x / count) ** 2)) | (spread_y <= TINY * (1 + (y / count) ** 2))
    return np.where(flat | (count < 2), np.nan, np.clip(r, -1, 1))


def flat(truth: Floats) -> bool:
    """Return whether pixels are all the same, or there is none."""
    known = truth[np.isfinite(truth)].astype(np.float64)
    return not len(known) or float(known.var()) <= TINY * (1 + float(known.mean()) ** 2)


def block_moments(truth: Floats, predicted: Floats, side: int) -> NDArray[np.float64]:
    """Return `moments` ``(N, 6)`` of squares of ``(Z, h, w)``, `side` pixels wide."""
    height, width = truth.shape[-2:]
    places = [(y, x) for y in range(0, height, side) for x in range(0, width, side)]
    cuts = [(..., slice(y, y + side), slice(x, x + side)) for y, x in places]
    return np.stack([moments(truth[cut], predicted[cut]) for cut in cuts])


def cell_correlations(
    truth: Floats, predicted: Floats, labels: NDArray[np.integer], fewest: int = 10
) -> NDArray[np.float64]:
    """Return r of each cell's pixels; cells of under `fewest` pixels, or of one intensity, are left out."""
    there = np.isfinite(truth) & np.isfinite(predicted) & (labels > 0)
    _, which = np.unique(labels[there], return_inverse=True)
    x, y = truth[there].astype(np.float64), predicted[there].astype(np.float64)
    weights = (None, x, y, x * x, y * y, x * y)
    sums = np.stack([np.bincount(which, weight).astype(np.float64) for weight in weights], axis=-1)
    found = correlation(sums)[sums[:, 0] >= fewest]
    return found[np.isfinite(found)]


@dataclass(eq=False)
class WidthTally:
    """Errors of pixels by the width of the interval predicted for them.

    Widths and errors are in scaled units: shares of the stain's range.
    """

    counts: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_BINS))
    errors: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_BINS))
    widths: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_BINS))
    inside: int = 0

    def add(self, truth: Floats, predicted: Floats, width: Floats) -> None:
        """Take pixels; those that are not finite do not count."""
        there = np.isfinite(truth) & np.isfinite(predicted) & np.isfinite(width)
        wide = width[there].astype(np.float64)
        errors = (predicted[there].astype(np.float64) - truth[there]) ** 2
        place = (np.log2(np.maximum(wide, 2.0**_LOW)) - _LOW) * (_BINS / (_HIGH - _LOW))
        bins = np.minimum(place.astype(np.intp), _BINS - 1)
        self.counts += np.bincount(bins, minlength=_BINS)
        self.errors += np.bincount(bins, errors, _BINS)
        self.widths += np.bincount(bins, wide, _BINS)
        self.inside += int((errors <= (wide / 2) ** 2).sum())

    @property
    def coverage(self) -> float:
        """Share of pixels in an interval of the predicted width around the mean."""
        total = self.counts.sum()
        return float(self.inside / total) if total else float("nan")

    def worst_share(self, share: float = 0.1) -> float:
        """Return the share of the squared error in that share of the pixels with the widest intervals."""
        total = self.errors.sum()
        if not total > 0:
            return float("nan")
        rest = self._up_to(1 - share)[1]
        return float(1 - rest / total)

    def curve(self, parts: int = 10) -> tuple[tuple[float, float], ...]:
        """Return mean width and root mean squared error of equal shares of the pixels, the narrowest first."""
        if not self.counts.sum():
            return ()
        ends = np.array([self._up_to(number / parts) for number in range(parts + 1)])
        count, error, width = np.diff(ends, axis=0).T
        return tuple(zip((width / count).tolist(), np.sqrt(np.maximum(error / count, 0)).tolist(), strict=True))

    def _up_to(self, share: float) -> tuple[float, float, float]:
        """Return count, squared error and width, summed over that share of the pixels with the narrowest intervals."""
        ends = np.concatenate([[0.0], np.cumsum(self.counts)])
        wanted = share * ends[-1]
        sums = (np.concatenate([[0.0], np.cumsum(one)]) for one in (self.errors, self.widths))
        error, width = (float(np.interp(wanted, ends, one)) for one in sums)
        return wanted, error, width
