"""The making of `Scores`: figures, intervals and what to warn of, put together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.calibration import expected_calibration_error
from napari_cellstage.core.scoring.cautions import cautions, group_noun
from napari_cellstage.core.scoring.figures import OF_A_CLASS, Floats, GroupSums, Places, Sums, of_classes, overall
from napari_cellstage.core.scoring.intervals import FEW_GROUPS, Bootstrap, Interval, hull, wilson
from napari_cellstage.core.scoring.kappas import KINDS, kappa_weights
from napari_cellstage.core.scoring.scores import ClassScores, Scores

Probabilities = NDArray[np.floating[Any]]
_UNKNOWN: Interval = (math.nan, math.nan)
_SHARES = ("accuracy", "balanced_accuracy", "macro_f1")  # figures that are 0 where all is wrong


@dataclass(frozen=True, eq=False)
class Answers:
    """What is scored.

    Parameters
    ----------
    truth, predicted
        ``(N,)`` places in `classes`.
    classes
        Names of the K classes.
    kind
        Of the class scheme.
    groups
        ``(N,)``; image, well or movie of each cell; None where nobody said.
    by_cell
        Cells of one group were on both sides of the split.
    gone
        Classes that were deleted since: that they have no cells is nothing to warn of.
    """

    truth: Places
    predicted: Places
    classes: tuple[str, ...]
    kind: str
    groups: NDArray[Any] | None
    by_cell: bool
    gone: tuple[str, ...] = ()

    @cached_property
    def weights(self) -> Floats | None:
        """``(K, K)``, of kappa."""
        return kappa_weights(KINDS[self.kind], len(self.classes))

    @cached_property
    def numbered(self) -> tuple[tuple[str, ...], Places]:
        """The groups' names, and which each cell is of."""
        if self.groups is None:
            return (), np.zeros(len(self.truth), dtype=np.int64)
        names, places = np.unique(self.groups, return_inverse=True)
        return tuple(names.astype(str).tolist()), places.astype(np.int64)

    @property
    def names(self) -> tuple[str, ...]:
        """The groups' names."""
        return self.numbered[0]

    @property
    def by_group(self) -> bool:
        """Whether groups can be drawn again and again."""
        return len(self.names) > 1 and not self.by_cell

    def draws(self, seed: int) -> tuple[Bootstrap, ...]:
        """Return what intervals come from: groups drawn again and again, or cells; both where groups are few."""
        numbers: list[Places | None] = [None] if not self.by_group or len(self.names) < FEW_GROUPS else []
        numbers += [self.numbered[1]] if self.by_group else []
        size = len(self.classes)
        return tuple(Bootstrap(self.truth, self.predicted, one, self.weights, size, seed) for one in numbers)


def scored(
    answers: Answers, probabilities: Probabilities | None = None, raw: Probabilities | None = None, seed: int = 0
) -> Scores:
    """Compare predicted with true classes; see `scores.score`."""
    truth, size = answers.truth, len(answers.classes)
    alone = np.zeros(len(truth), dtype=np.int64)
    sums = GroupSums(truth, answers.predicted, alone, size, answers.weights).resampled(np.ones((1, 1)))
    figures = {name: float(values[0]) for name, values in overall(sums, answers.weights).items()}
    draws = answers.draws(seed)
    intervals = _intervals(figures, answers, draws)
    over_groups = answers.by_group and len(answers.names) < len(truth)
    counts = np.bincount(truth * size + answers.predicted, minlength=size * size)
    return Scores(
        **figures,
        low=intervals["accuracy"][0],
        high=intervals["accuracy"][1],
        n=len(truth),
        confusion=counts.reshape(size, size).astype(np.int64),
        classes=answers.classes,
        kappa_kind=KINDS[answers.kind],
        per_class=_per_class(sums, answers.classes, draws),
        intervals=intervals,
        ece=None if probabilities is None else expected_calibration_error(probabilities, truth),
        ece_before=None if raw is None else expected_calibration_error(raw, truth),
        groups=len(answers.names),
        by_cell=answers.by_cell,
        interval_over=f"{len(answers.names)} {group_noun(answers.names)}" if over_groups else "cells",
        warnings=cautions(
            np.bincount(truth, minlength=size),
            answers.classes,
            answers.names,
            answers.by_cell,
            [] if probabilities is None else _unknown(truth, probabilities, answers.classes),
            answers.gone,
        ),
    )


def _unknown(truth: NDArray[np.int64], probabilities: Probabilities, classes: tuple[str, ...]) -> list[str]:
    """Return the classes whose own cells were given no probability of them at all: no model had seen one."""
    own = np.bincount(truth, weights=probabilities[np.arange(len(truth)), truth], minlength=len(classes))
    return [name for place, name in enumerate(classes) if own[place] == 0 and (truth == place).any()]


def _intervals(figures: dict[str, float], answers: Answers, draws: tuple[Bootstrap, ...]) -> dict[str, Interval]:
    """Return the interval of each figure; a bootstrap never doubts what is all right or wrong, Wilson's does."""
    count = len(answers.truth)
    right = int((answers.truth == answers.predicted).sum())
    of_cells = wilson(right, count)
    of_groups = (draws[-1].overall("accuracy"),) if answers.by_group else ()
    accuracy = hull(of_cells, *of_groups)
    if right == count:
        # With one class Matthews' correlation is 0 by agreement and kappa undefined: there is no interval to speak of.
        return {name: accuracy if value == 1 else _UNKNOWN for name, value in figures.items()}
    if not right:
        # Cells that are all wrong, drawn again, are all wrong again: of how far below chance that is they say nothing.
        several = len(np.unique(answers.truth)) > 1
        return {n: accuracy if n in _SHARES else _anything(value, several) for n, value in figures.items()}
    others = {name: _around(value, *(one.overall(name) for one in draws)) for name, value in figures.items()}
    return others | {"accuracy": accuracy}


def _anything(value: float, known: bool) -> Interval:
    """Return all that a correlation or kappa can be, where it has a value at all."""
    return (-1.0, 1.0) if known and not np.isnan(value) else _UNKNOWN


def _around(value: float, *intervals: Interval) -> Interval:
    """Return the interval that holds all of them and the figure itself."""
    return _UNKNOWN if np.isnan(value) else hull((value, value), *intervals)


def _per_class(sums: Sums, classes: tuple[str, ...], draws: tuple[Bootstrap, ...]) -> tuple[ClassScores, ...]:
    figures = {name: values[0] for name, values in of_classes(sums).items()}
    found = []
    for place, name in enumerate(classes):
        right, true, predicted = (float(a[0, place]) for a in (sums.right, sums.true, sums.predicted))
        shares = {"precision": (right, predicted), "recall": (right, true), "f1": (right, true + predicted - right)}
        values: dict[str, Any] = {one: float(figures[one][place]) for one in OF_A_CLASS}
        for one in OF_A_CLASS:
            least = _least(one, *shares[one])
            values[f"{one}_interval"] = _around(values[one], least, *(d.of_class(one, place) for d in draws))
        found.append(ClassScores(name=name, n=int(true), predicted=int(predicted), **values))
    return tuple(found)


def _least(figure: str, part: float, whole: float) -> Interval:
    """Return Wilson's interval of a share, below which none goes; F1 follows from the share right of all concerned."""
    low, high = wilson(part, whole)
    return (low, high) if figure != "f1" else (2 * low / (1 + low), 2 * high / (1 + high))
