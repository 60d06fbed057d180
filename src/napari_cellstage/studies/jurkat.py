"""The Jurkat cell cycle study: stages of single cells in imaging flow cytometry, as seven classes and as five.

Compared are boosted trees on classical features (the kind of analysis before networks), DeepFlow as published, a
pretrained network as biologists train it with fastai, and this program's own recipe for features. All are trained and
scored on the same folds; nothing is chosen on the cells that are scored.

Source: Eulenberg et al. 2017, Nature Communications 8:463.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import score_unseen
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.studies import published
from napari_cellstage.studies.comparing import against
from napari_cellstage.studies.merging import has_classes, merged
from napari_cellstage.studies.method import Event, Method, Outcome, ShouldStop, run_method
from napari_cellstage.studies.place import digest_of, digest_of_choices, settle
from napari_cellstage.studies.tables import NONE, StudyError, StudyTable, percent

NAME = "jurkat"
FOLDS = 5
INTERPHASE = ("G1", "S", "G2")
BASELINE, BEST = "features-xgboost", "quick"
COLUMNS = (
    "method",
    "cells scored",
    "7 classes: published",
    "accuracy",
    "balanced accuracy",
    f"against {BASELINE}",
    "5 classes: published",
    "accuracy (5)",
    "balanced accuracy (5)",
    "minutes",
)


@dataclass(frozen=True)
class JurkatStudy:
    """The study on one set of cells.

    Parameters
    ----------
    data
        Class folders that were read; any classes.
    source
        What the cells are, for the title.
    quick
        Shorter trainings of the two networks, on one fold: ten minutes instead of hours.
    seed
        Of folds and trainings.
    """

    data: TrainingSet
    source: str
    quick: bool = False
    seed: int = 0

    @property
    def title(self) -> str:
        """Which cells; original or not."""
        count, classes = len(self.data), len(self.data.classes)
        if (count, classes) == (published.JURKAT_CELLS, published.JURKAT_CLASSES):
            return f"Jurkat cell cycle, {count:,} cells: the original data"
        return (
            f"Jurkat cell cycle on {self.source}: {count:,} cells, {classes} classes; "
            f"NOT the original data, which are {published.JURKAT_CELLS:,} cells"
        )

    def methods(self) -> tuple[Method, ...]:
        """Return what is compared."""
        return quick_methods(self.seed) if self.quick else full_methods(self.seed)

    def run(self, out: Path, should_stop: ShouldStop) -> Generator[Event, None, list[Outcome]]:
        """Train and score every method, one after the other; runs are kept in folders of `out`.

        Raises
        ------
        StudyError, TrainingStopped
            If the folder holds another study; at a stop.
        """
        recipes = digest_of_choices(one.recipe for one in self.methods())
        same = {"study": NAME, "data": digest_of(self.data), "recipe": recipes, "quick": self.quick, "seed": self.seed}
        settle(out, same)
        folds = self._folds()
        outcomes = []
        for method in self.methods():
            parts = folds[: method.folds]
            method = replace(method, folds=len(parts))  # fewer where there are fewer groups
            outcomes.append((yield from run_method(self.data, method, parts, out / method.title, should_stop)))
        return outcomes

    def table(self, outcomes: Sequence[Outcome], notes: Sequence[str] = ()) -> StudyTable:
        """Return published figures beside those obtained."""
        baseline = next((one.unseen for one in outcomes if one.method.title == BASELINE), None)
        rows = tuple(_row(one, baseline) for one in outcomes)
        remarks = [f"{one.method.title}: {one.method.remark}." for one in outcomes if one.method.remark]
        return StudyTable(self.title, COLUMNS, rows, (*remarks, *_how_to_read(self.data), *notes))

    def _folds(self) -> list[NDArray[np.bool_]]:
        fold = kfold(self.data.labels, self.data.groups, FOLDS, self.seed)
        if fold.max() == 0:
            raise StudyError(f"The {len(self.data):,} cells can't be divided into folds. Add cells, or groups of them.")
        return [fold == number for number in np.unique(fold)]


def full_methods(seed: int) -> tuple[Method, ...]:
    """Return the methods with every choice as published; hours on a CPU."""
    names = (BASELINE, BEST, "deepflow", "fastai-resnet34")
    return tuple(Method(name, Recipe.load(name).but(seed=seed, folds=0), FOLDS) for name in names)


def quick_methods(seed: int) -> tuple[Method, ...]:
    """Return the methods for ten minutes on two cores."""
    features = tuple(Method(name, Recipe.load(name).but(seed=seed, folds=0), FOLDS) for name in (BASELINE, BEST))
    deepflow = Recipe.load("deepflow").but(epochs=3, step_epochs=2, upsample=False, seed=seed)
    fastai = Recipe.load("fastai-resnet34").but(epochs=4, weights="none", seed=seed)
    return (
        *features,
        Method("deepflow", deepflow, 1, "3 epochs instead of 100, rare classes not upsampled, one fold of five"),
        Method("fastai-resnet34", fastai, 1, "4 epochs, without outside weights, one fold of five"),
    )


def _row(outcome: Outcome, baseline: Unseen | None) -> tuple[str, ...]:
    scores, title = score_unseen(outcome.unseen), outcome.method.title
    return (
        title,
        f"{scores.n:,}",
        NONE,
        percent(scores.accuracy, (scores.low, scores.high)),
        percent(scores.balanced_accuracy, scores.intervals.get("balanced_accuracy")),
        NONE if baseline is None or title == BASELINE else against(baseline, outcome.unseen),
        f"{published.DEEPFLOW_FIVE_CLASSES:.2f}" if title == "deepflow" else NONE,
        *_of_five(outcome.unseen),
        f"{outcome.seconds / 60:.1f}",
    )


def _of_five(unseen: Unseen) -> tuple[str, str]:
    if not has_classes(unseen, INTERPHASE) or len(unseen.classes) <= len(INTERPHASE):
        return NONE, NONE
    scores = score_unseen(merged(unseen, INTERPHASE, " + ".join(INTERPHASE)))
    return (
        percent(scores.accuracy, (scores.low, scores.high)),
        percent(scores.balanced_accuracy, scores.intervals.get("balanced_accuracy")),
    )


def _how_to_read(data: TrainingSet) -> tuple[str, ...]:
    lines = [
        "Accuracies in per cent with 95 % intervals, on cells that these trainings had not seen.",
        f"Published: {published.JURKAT_SOURCE}, on {published.JURKAT_CELLS:,} cells.",
        f"Against {BASELINE}: difference in accuracy on the same cells, its 95 % interval, McNemar's exact test.",
    ]
    if {name.lower() for name in INTERPHASE} <= {name.lower() for name in data.classes.names}:
        lines.append("Five classes: G1, S and G2 of the same answers merged. Not comparable with seven.")
    else:
        lines.append("Five classes: there are no classes G1, S and G2 to merge.")
    return tuple(lines)
