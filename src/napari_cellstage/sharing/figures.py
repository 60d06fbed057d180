"""The figures of a run as they were obtained, with what made them: ``figures.json`` of a bundle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_cellstage.core.scoring.scores import Interval, Scores
from napari_cellstage.core.scoring.words import figures_of
from napari_cellstage.sharing.contents import BundleError

HELD_OUT, CROSS_VALIDATED = "held out", "cross-validated"


@dataclass(frozen=True)
class Figures:
    """Scores and what they are of.

    Parameters
    ----------
    scores
        Those on held-out cells and those out of fold, by `HELD_OUT` and `CROSS_VALIDATED`; what there is of them.
    folds
        How many models were cross-validated; 0: none.
    versions, machine
        See `learn.machine`; empty where the run does not say.
    made
        When the run was trained, ISO 8601 in UTC.
    seed
        Of the recipe.
    started_from
        Where a network started.
    """

    scores: Mapping[str, Scores]
    folds: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)
    made: str = ""
    seed: int = 0
    started_from: str = ""

    @classmethod
    def of_card(cls, card: Mapping[str, Any], folds: int) -> Figures:
        """Return what a run's card says; `BundleError` where that is damaged."""
        first = card.get("held_out_scores") if card.get("cross_validated") else card.get("scores")
        written = {HELD_OUT: first, CROSS_VALIDATED: card.get("scores") if folds else None}
        try:
            return cls._read(written, dict(card), folds)
        except (ValueError, TypeError, AttributeError) as e:
            raise BundleError(f"The card of the run has no figures that can be read: {e}. Train anew.") from e

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Figures:
        """Return what `to_dict` wrote; ValueError where it is something else."""
        try:
            return cls._read(values["scores"], dict(values), int(values["folds"]))
        except (KeyError, TypeError, AttributeError) as e:
            raise ValueError(f"its figures are damaged ({type(e).__name__}: {e})") from e

    @classmethod
    def _read(cls, written: Mapping[str, Any], values: dict[str, Any], folds: int) -> Figures:
        return cls(
            scores={name: Scores.from_dict(one) for name, one in written.items() if one},
            folds=folds,
            versions={str(k): str(v) for k, v in (values.get("versions") or {}).items()},
            machine=dict(values.get("machine") or {}),
            made=str(values.get("made", "")),
            seed=int(values.get("seed", 0)),
            started_from=str(values.get("started_from", "")),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "made": self.made,
            "seed": self.seed,
            "started_from": self.started_from,
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "folds": self.folds,
            "scores": {name: one.to_dict() for name, one in self.scores.items()},
        }

    def same_makings(self, other: Figures) -> bool:
        """Tell whether both were made by the same versions on the same kind of machine, so that they must be equal.

        On a graphics card sums are not made in the same order each time.
        """
        known = bool(self.versions) and bool(self.machine) and self.machine.get("device") == "CPU"
        both = (self.versions, self.machine) == (other.versions, other.machine)
        return known and both and self.started_from == other.started_from


@dataclass(frozen=True)
class Value:
    """One figure: name, value, and 95 % interval where it has one."""

    key: str
    title: str
    value: float
    interval: Interval


def values_of(scores: Scores) -> tuple[Value, ...]:
    """Return the figures of scores that can be compared: those of all cells, then F1 of each class."""
    found = [
        Value(one.key, one.title, float(getattr(scores, one.key)), _interval(scores, one.key))
        for one in figures_of(scores)
    ]
    return (*found, *(Value(f"f1 {c.name}", f"F1 of {c.name}", c.f1, c.f1_interval) for c in scores.per_class))


def _interval(scores: Scores, key: str) -> Interval:
    return (scores.low, scores.high) if key == "accuracy" else scores.intervals.get(key, (math.nan, math.nan))
