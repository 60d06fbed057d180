"""95 % intervals of figures: a bootstrap over groups of cells, and Wilson's for shares.

Cells of one image, well or movie are alike, so what is drawn again and again is whole groups. Few groups say little of
how groups differ: the percentiles then are moved outwards as Student's t asks for (Hesterberg 2015, "expanded
percentile"), and of under ten groups the interval is never narrower than one over cells, nor than the jackknife's, that
leaves out one group at a time. With two groups any interval is too narrow, which `cautions` says.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_cellstage.core.scoring.figures import Floats, GroupSums, Places, Sums, of_classes, overall

Interval = tuple[float, float]

CONFIDENCE_LEVEL = 0.95
RESAMPLES = 2000
FEW_GROUPS = 10
"""Below this many groups the bootstrap over cells is looked at as well."""

FEWEST_TO_LEAVE_OUT = 3

_LEAST = {"matthews": -1.0, "kappa": -1.0}  # other figures are never under 0
_AT_ONCE = 4_000_000  # numbers drawn at a time: 32 MB


def wilson(part: float, whole: float) -> Interval:
    """Return the interval of a share (Wilson 1927); all of 0 to 1 where there is nothing to count."""
    from scipy.stats import binomtest

    if whole < 1:
        return (0.0, 1.0)
    found = binomtest(round(part), round(whole)).proportion_ci(CONFIDENCE_LEVEL, method="wilson")
    return (float(found.low), float(found.high))


def hull(*intervals: Interval) -> Interval:
    """Return the interval that holds all of them; those that are NaN are left out."""
    known = [one for one in intervals if not np.isnan(one).any()]
    if not known:
        return (float("nan"), float("nan"))
    return (min(low for low, _ in known), max(high for _, high in known))


def percentiles(values: Floats, groups: int) -> Interval:
    """Return the interval of ``(R,)`` resampled values, expanded for so many groups; NaN without a value."""
    from scipy.stats import norm, t

    known = values[~np.isnan(values)]
    if not len(known):
        return (float("nan"), float("nan"))
    tail = (1 - CONFIDENCE_LEVEL) / 2
    if groups > 1:
        tail = float(norm.cdf(np.sqrt(groups / (groups - 1)) * t.ppf(tail, groups - 1)))
    low, high = np.quantile(known, [tail, 1 - tail])
    return (float(low), float(high))


def jackknife(without: Floats, least: float = 0.0) -> Interval:
    """Return the interval that Student's t gives ``(G,)`` values, each with one group left out; NaN for fewer than 3.

    It is around their mean and never outside `least` to 1.
    """
    from scipy.stats import t

    known = without[~np.isnan(without)]
    count = len(known)
    if count < FEWEST_TO_LEAVE_OUT:
        return (float("nan"), float("nan"))
    error = float(np.sqrt((count - 1) / count * ((known - known.mean()) ** 2).sum()))
    reach = float(t.ppf((1 + CONFIDENCE_LEVEL) / 2, count - 1)) * error
    return (max(least, float(known.mean()) - reach), min(1.0, float(known.mean()) + reach))


class Bootstrap:
    """Figures of cells that are drawn again and again.

    Parameters
    ----------
    truth, predicted
        ``(N,)`` places of classes.
    group
        ``(N,)`` numbers of groups from 0; None: cells are drawn one by one.
    weights
        ``(K, K)`` of kappa, see `kappa_weights`.
    size
        How many classes there are.
    seed
        Same seed, same intervals.
    """

    def __init__(
        self, truth: Places, predicted: Places, group: Places | None, weights: Floats | None, size: int, seed: int
    ) -> None:
        if group is None:
            truth, predicted, chances, self._drawn = _kinds_of_cells(truth, predicted, size)
            group = np.arange(len(truth))
        else:
            self._drawn = int(group.max()) + 1
            chances = None
        sums = GroupSums(truth, predicted, group, size, weights)
        few = chances is None and FEWEST_TO_LEAVE_OUT <= self._drawn < FEW_GROUPS
        self._without = _figures(sums.resampled(1 - np.eye(sums.size)), weights) if few else {}
        self._holding = sums.holding() if chances is None else np.full(size, self._drawn)
        found: dict[str, list[Floats]] = {}
        for times in _times_drawn(sums.size, self._drawn, chances, np.random.default_rng(seed)):
            some = sums.resampled(times)
            for name, values in _figures(some, weights).items():
                found.setdefault(name, []).append(values)
        self._values = {name: np.concatenate(parts) for name, parts in found.items()}

    def overall(self, name: str) -> Interval:
        """Return the interval of one of `figures.OVERALL`."""
        drawn = percentiles(self._values[name], self._drawn)
        return hull(drawn, jackknife(self._without[name], _LEAST.get(name, 0.0))) if self._without else drawn

    def of_class(self, name: str, place: int) -> Interval:
        """Return the interval of one of `figures.OF_A_CLASS`; only groups that hold the class count."""
        drawn = percentiles(self._values[name][:, place], int(self._holding[place]))
        return hull(drawn, jackknife(self._without[name][:, place])) if self._without else drawn


def _figures(sums: Sums, weights: Floats | None) -> dict[str, Floats]:
    return overall(sums, weights) | of_classes(sums)


def _kinds_of_cells(truth: Places, predicted: Places, size: int) -> tuple[Places, Places, Floats, int]:
    """Return the pairs of classes that occur, and the share of each: cells with the same pair are all alike here."""
    kinds, counts = np.unique(truth * size + predicted, return_counts=True)
    return kinds // size, kinds % size, counts / len(truth), len(truth)


def _times_drawn(size: int, drawn: int, chances: Floats | None, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield blocks of rows; each says how often each of `size` things is drawn."""
    step = max(1, _AT_ONCE // size)
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        if chances is None:
            picks = rng.integers(0, size, (rows, size)) + np.arange(rows)[:, None] * size
            yield np.bincount(picks.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float64)
        else:
            yield rng.multinomial(drawn, chances, rows).astype(np.float64)


def mean_interval(values: Floats, group: Places | None, seed: int, least: float = -1.0) -> Interval:
    """Return the interval of the mean of ``(N,)`` values, drawn by group; of few groups also by cell, the wider counts.

    Parameters
    ----------
    values
        One a cell.
    group
        ``(N,)`` numbers of groups from 0; None: cells are drawn one by one.
    seed
        Same seed, same interval.
    least
        No value is under this one, and none over 1.
    """
    cells = _means(values, np.arange(len(values)), seed)
    if group is None:
        return cells
    groups = _means(values, group, seed)
    if int(group.max()) + 1 >= FEW_GROUPS:
        return groups
    sums, counts = np.bincount(group, weights=values), np.bincount(group)
    without = (sums.sum() - sums) / np.maximum(counts.sum() - counts, 1)
    return hull(groups, cells, jackknife(without, least))


def _means(values: Floats, group: Places, seed: int) -> Interval:
    sums, counts = np.bincount(group, weights=values), np.bincount(group).astype(np.float64)
    # Groups with the same sum and count are alike: of cells there are a few kinds only.
    kinds, of_kind = np.unique(np.stack([sums, counts], axis=1), axis=0, return_counts=True)
    rng = np.random.default_rng(seed)
    drawn = [t @ kinds for t in _times_drawn(len(kinds), len(sums), of_kind / len(sums), rng)]
    total = np.concatenate(drawn)
    return percentiles(total[:, 0] / total[:, 1], len(sums))
