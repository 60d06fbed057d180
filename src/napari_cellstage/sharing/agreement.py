"""Whether figures agree: exactly by the same versions on the same machine, else within the interval of then."""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_cellstage.core.scoring.scores import Interval
from napari_cellstage.core.scoring.words import number
from napari_cellstage.sharing.contents import BundleError
from napari_cellstage.sharing.figures import Figures, Value, values_of

SAME = 1e-6  # figures as near as this are the same: sums over cells may be made in another order


@dataclass(frozen=True)
class Compared:
    """One figure then and now.

    Parameters
    ----------
    part
        What it is of: ``"held out"`` or ``"cross-validated"``.
    key, title
        Its name in JSON and in words.
    then, now
        Values; NaN where undefined.
    interval
        95 % of then; NaN where there is none.
    agrees
        None where that can't be judged, as without an interval.
    """

    part: str
    key: str
    title: str
    then: float
    now: float
    interval: Interval
    agrees: bool | None

    @property
    def difference(self) -> float:
        """Now less then."""
        return 0.0 if self.same else self.now - self.then

    @property
    def same(self) -> bool:
        """Both are the same, or both undefined."""
        return _same(self.then, self.now)

    @property
    def words(self) -> str:
        """Whether it agrees."""
        if self.same:
            return "the same"
        return {True: "within the interval", False: "differs", None: "not judged"}[self.agrees]


def compared(then: Figures, now: Figures, exact: bool) -> tuple[Compared, ...]:
    """Compare figures one by one.

    Parameters
    ----------
    then, now
        What is compared.
    exact
        All must be the same; else each must lie in the interval of then.

    Raises
    ------
    BundleError
        If now there are none of what there was then.
    """
    found = []
    for part, scores in then.scores.items():
        if part not in now.scores:
            raise BundleError(f"Trained again there are no figures for cells {part}, so they can't be compared.")
        again = {one.key: one for one in values_of(now.scores[part])}
        found += [_one(part, one, again.get(one.key), exact) for one in values_of(scores)]
    return tuple(found)


def _one(part: str, then: Value, now: Value | None, exact: bool) -> Compared:
    value = math.nan if now is None else now.value
    return Compared(part, then.key, then.title, then.value, value, then.interval, _agrees(then, value, exact))


def _agrees(then: Value, now: float, exact: bool) -> bool | None:
    low, high = then.interval
    if _same(then.value, now):
        return True
    if exact or math.isnan(now) or math.isnan(then.value):
        return False
    return None if math.isnan(low) or math.isnan(high) else low - SAME <= now <= high + SAME


def _same(then: float, now: float) -> bool:
    return (math.isnan(then) and math.isnan(now)) or abs(then - now) <= SAME


def lines(
    found: tuple[Compared, ...],
    exact: bool,
    agree: bool,
    differences: tuple[str, ...],
    same_answers: tuple[int, int] | None,
) -> list[str]:
    """Return a comparison as lines of text: a table, what was expected, and whether the figures agree."""
    rows = [("figure", "of cells", "then", "now", "difference", "")]
    rows += [
        (one.title, one.part, number(one.then, one.interval), number(one.now), _signed(one.difference), one.words)
        for one in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = ["  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if same_answers is not None:
        told.append(f"{same_answers[0]:,} of {same_answers[1]:,} cells get the same class as then.")
    expected = "so every figure must be the same" if exact else "so each figure must lie in the interval of then"
    makings = f"Not as then: {'; '.join(differences)}" if differences else "Versions and machine are as then"
    same = all(one.same for one in found)
    verdict = f"The figures agree{': all are the same' if same else ''}." if agree else "The figures do not agree."
    return [*told, "", f"{makings}, {expected}.", verdict]


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.3f}"
