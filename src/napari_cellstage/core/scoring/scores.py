"""How good predictions are on cells that were not trained on: `Scores`, and how they are made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.scoring.kappas import KappaKind

if TYPE_CHECKING:
    from napari_cellstage.core.classes import Kind
    from napari_cellstage.core.review.unseen import Unseen

Interval = tuple[float, float]
_UNKNOWN = (math.nan, math.nan)


@dataclass(frozen=True)
class ClassScores:
    """Figures of one class, each with its 95 % interval; NaN where undefined.

    Parameters
    ----------
    name
        Of the class.
    n
        Cells that are of it.
    predicted
        Cells that are predicted as it.
    precision, recall, f1
        Share of those predicted that are of it, of those of it that are predicted; their harmonic mean.
    precision_interval, recall_interval, f1_interval
        Low and high.
    """

    name: str
    n: int
    predicted: int
    precision: float
    recall: float
    f1: float
    precision_interval: Interval = _UNKNOWN
    recall_interval: Interval = _UNKNOWN
    f1_interval: Interval = _UNKNOWN


@dataclass(frozen=True)
class Scores:
    """Figures of one comparison of predicted with true classes.

    Parameters
    ----------
    accuracy
        Share of cells predicted right, 0 to 1.
    low, high
        Its 95 % interval.
    balanced_accuracy
        Mean over the true classes of the share predicted right: chance is 1 / number of classes.
    macro_f1
        Mean F1 over the classes that are true or predicted somewhere.
    n
        Number of cells.
    confusion
        ``(K, K)`` int64 counts; rows are true, columns predicted classes.
    classes
        Names of the K classes.
    matthews
        Matthews' correlation: 1 all right, 0 no better than chance.
    kappa
        Cohen's kappa with mistakes weighted by their distance; None where classes have no order.
    kappa_kind
        ``"quadratic"`` for ordered classes, ``"cyclic"`` for the cell cycle, else empty; see `kappa_weights`.
    per_class
        One a class, in their order.
    intervals
        95 % of accuracy, balanced_accuracy, macro_f1, matthews and kappa, as low and high.
    ece, ece_before
        Expected calibration error, 15 bins of equal width, of the confidence shown and before calibration; None where
        not known.
    groups
        How many images, movies, wells ... the cells are of; 0 where nobody said.
    by_cell
        Cells of one group are on both sides of the split: the score flatters.
    interval_over
        What was drawn again and again for the intervals: ``"12 movies"`` or ``"cells"``.
    warnings
        What to know before believing it, as sentences.
    """

    accuracy: float
    low: float
    high: float
    balanced_accuracy: float
    macro_f1: float
    n: int
    confusion: NDArray[np.int64]
    classes: tuple[str, ...]
    matthews: float = math.nan
    kappa: float | None = None
    kappa_kind: KappaKind = ""
    per_class: tuple[ClassScores, ...] = ()
    intervals: dict[str, Interval] = field(default_factory=dict)
    ece: float | None = None
    ece_before: float | None = None
    groups: int = 0
    by_cell: bool = False
    interval_over: str = "cells"
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Accuracy, interval and count, such as ``"0.86 (0.79–0.91), 212 cells"``."""
        return f"{self.accuracy:.2f} ({self.low:.2f}–{self.high:.2f}), {self.n:,} cell{'s' if self.n != 1 else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values; what is undefined is null."""
        figures = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "confusion"}
        figures["per_class"] = [asdict(one) for one in self.per_class]
        written: dict[str, Any] = _without_nan(figures)
        return written | {"confusion": self.confusion.tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Scores:
        """Make the scores that `to_dict` wrote, of this version or an older one; what a newer one adds is left out.

        Raises
        ------
        ValueError
            If they are not what was written.
        """
        names = {one.name for one in fields(cls)}
        try:
            found = cls(**{name: value for name, value in values.items() if name in names} | _read(values))
        except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as e:
            raise ValueError(f"its scores are damaged ({type(e).__name__}: {e})") from e
        if found.confusion.shape != (len(found.classes), len(found.classes)):
            raise ValueError(f"its scores have a matrix of {found.confusion.shape}, of {len(found.classes)} classes")
        return found


def score(
    truth: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    classes: tuple[str, ...] | list[str],
    *,
    groups: NDArray[Any] | None = None,
    probabilities: NDArray[np.floating[Any]] | None = None,
    raw: NDArray[np.floating[Any]] | None = None,
    kind: Kind = "nominal",
    by_cell: bool = False,
    seed: int = 0,
    gone: Sequence[str] = (),
) -> Scores:
    """Compare predicted with true classes.

    Parameters
    ----------
    truth, predicted
        ``(N,)`` indices into `classes`.
    classes
        Names of the K classes, in order.
    groups
        ``(N,)``; image, well or movie of each cell: intervals are over these. None: over cells.
    probabilities, raw
        ``(N, K)``, calibrated and before, for the calibration error.
    kind
        Of the class scheme: which kappa there is.
    by_cell
        Cells of one group were on both sides of the split.
    seed
        Same seed, same intervals.
    gone
        Classes that were deleted since, which nothing is to be warned of.

    Raises
    ------
    TrainingError
        If there is no cell to score on.
    """
    if len(truth) == 0:
        raise TrainingError("There are 0 cells to score on. Label more cells, or hold a larger share out.")
    from napari_cellstage.core.scoring.scoring import Answers, scored  # brings scipy

    answers = Answers(
        truth=np.asarray(truth, dtype=np.int64),
        predicted=np.asarray(predicted, dtype=np.int64),
        classes=tuple(classes),
        kind=kind,
        groups=None if groups is None else np.asarray(groups),
        by_cell=by_cell,
        gone=tuple(gone),
    )
    return scored(answers, probabilities, raw, seed)


def score_unseen(unseen: Unseen, seed: int = 0, gone: Sequence[str] = ()) -> Scores:
    """Score what models said of cells that they had not seen; `gone` as in `score`.

    Raises
    ------
    TrainingError
        If there is no cell to score on.
    """
    return score(
        unseen.truth,
        unseen.predicted,
        unseen.classes.names,
        groups=unseen.groups,
        probabilities=unseen.probabilities,
        raw=unseen.raw,
        kind=unseen.classes.kind,
        by_cell=unseen.by_cell,
        seed=seed,
        gone=gone,
    )


def _without_nan(value: Any) -> Any:
    """Return plain JSON: null where a number is undefined, lists for tuples."""
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _read(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that JSON has in another form."""
    kept: dict[str, Any] = {"n": int(values["n"])}
    kept["confusion"] = np.asarray(values["confusion"], dtype=np.int64)
    kept["classes"], kept["warnings"] = tuple(values["classes"]), tuple(values.get("warnings", ()))
    kept["per_class"] = tuple(_class_from(one) for one in values.get("per_class", ()))
    kept["intervals"] = {name: _interval_from(both) for name, both in values.get("intervals", {}).items()}
    for name in ("accuracy", "low", "high", "balanced_accuracy", "macro_f1", "matthews"):
        kept[name] = _number_from(values.get(name))
    for name in ("kappa", "ece", "ece_before"):
        kept[name] = None if values.get(name) is None else float(values[name])
    return kept


def _number_from(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _interval_from(both: list[float | None]) -> Interval:
    return (_number_from(both[0]), _number_from(both[1]))


def _class_from(values: dict[str, Any]) -> ClassScores:
    found: dict[str, Any] = {name: values[name] for name in ("name", "n", "predicted")}
    found |= {name: _number_from(values[name]) for name in ("precision", "recall", "f1")}
    found |= {name: _interval_from(values[name]) for name in values if name.endswith("_interval")}
    return ClassScores(**found)
