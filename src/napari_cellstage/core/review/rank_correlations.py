"""Correlations of places with ranks of classes, of cells that may be drawn again; their intervals, and chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.intervals import FEW_GROUPS, Interval, hull, percentiles

Values = NDArray[np.float64]
Ranks = NDArray[np.int64]
SHUFFLES = 200
DRAWS = 1000
BY_CHANCE = 0.95


class RankPairs:
    """Places and classes of ``n`` cells, each counted as often as it is drawn."""

    def __init__(self, places: Values, ranks: Ranks) -> None:
        self._codes = [np.unique(values, return_inverse=True)[1].reshape(-1) for values in (places, ranks)]

    def shares(self, times: Values) -> tuple[Values, Values]:
        """Return middle ranks of both, as shares of all that is drawn."""
        found = []
        for codes in self._codes:
            counts = np.bincount(codes, weights=times)
            found.append(((np.cumsum(counts) - counts / 2) / times.sum())[codes])
        return found[0], found[1]

    def spearman(self, times: Values) -> float:
        """Return Pearson's correlation of the middle ranks; NaN where either is the same for all."""
        a, b = self.shares(times)
        a, b = a - np.average(a, weights=times), b - np.average(b, weights=times)
        spread = float(np.sqrt((times * a * a).sum() * (times * b * b).sum()))
        return float((times * a * b).sum()) / spread if spread > 0 else float("nan")

    def circular(self, times: Values) -> float:
        """Return Fisher and Lee's correlation of two angles, here of ranks: +1 where both turn alike, -1 opposite."""
        a, b = (np.exp(2j * np.pi * share) for share in self.shares(times))
        same, against = abs((times * a * b.conj()).sum()) ** 2, abs((times * a * b).sum()) ** 2
        spread_a, spread_b = ((times.sum() ** 2 - abs((times * one**2).sum()) ** 2) for one in (a, b))
        tiny = 1e-9 * float(times.sum()) ** 2  # what is left of all alike
        return (
            float((same - against) / np.sqrt(spread_a * spread_b)) if min(spread_a, spread_b) > tiny else float("nan")
        )


def intervals(pairs: RankPairs, group: Ranks, cyclic: bool, seed: int) -> list[Interval]:
    """Return both intervals; groups are drawn, and where they are few cells as well, the wider counts."""
    cells = np.arange(len(group))
    many = int(group.max()) + 1
    units = [group] if many >= FEW_GROUPS else [cells, *([group] if many > 1 else [])]
    found: list[list[Interval]] = [[], []]
    for unit in units:
        rng, count = np.random.default_rng(seed), int(unit.max()) + 1
        picked = (np.bincount(rng.integers(0, count, count), minlength=count)[unit] for _ in range(DRAWS))
        values = np.array([(pairs.spearman(t), pairs.circular(t) if cyclic else 0.0) for t in map(_floats, picked)])
        for place in (0, 1):
            found[place].append(percentiles(values[:, place], count))
    return [hull(*one) for one in found]


def _floats(counts: NDArray[np.int64]) -> Values:
    return counts.astype(np.float64)


def by_chance(tried: list[Values], ranks: Ranks, seed: int) -> float:
    """Return what shuffled labels stay under, when the best of all ways is taken for them, too."""
    from scipy.stats import rankdata

    rng = np.random.default_rng(seed)
    labels = np.stack([_standard(rng.permutation(rankdata(ranks))) for _ in range(SHUFFLES)])
    best = np.max([labels @ _standard(rankdata(way)) for way in tried], axis=0)
    return float(np.quantile(best, BY_CHANCE))


def _standard(values: Values) -> Values:
    centred = values - values.mean()
    unit: Values = centred / max(float(np.linalg.norm(centred)), 1e-30)
    return unit
