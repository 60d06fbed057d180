"""The microtubule study: exposure to paclitaxel told from single cells, by networks and, as published, by experts.

Three networks differ in what they are shown: crops as they are, turned by right angles too (T), and sharpened as well
(T+S). Each learns every task, the three classes and each pair of them, on the same division of the cells.

Source: Shpilman et al.; the figures are in `published`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.exporting.places import distinct_names
from napari_cellstage.core.scoring.scores import score_unseen
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.studies import published
from napari_cellstage.studies.comparing import against
from napari_cellstage.studies.method import Event, Method, Outcome, ShouldStop, run_method
from napari_cellstage.studies.place import digest_of, digest_of_choices, settle
from napari_cellstage.studies.tables import NONE, StudyError, StudyTable, listed, percent

NAME = "microtubules"
PLAIN, BEST = "microtubule-cnn", "microtubule-cnn-t-s"
NETWORKS = {PLAIN: "CNN", "microtubule-cnn-t": "CNN+T", BEST: "CNN+T+S"}
BASELINE = "features-xgboost"
BASELINE_TASKS = (("0", "0.1", "1"), ("0.1", "1"))  # as published


@dataclass(frozen=True)
class MicrotubuleStudy:
    """The study on one set of cells.

    Parameters
    ----------
    data
        Class folders that were read, or the synthetic sample; any two classes or more.
    held_out
        ``(N,)``; the cells that are scored.
    source
        What the cells are, for the title.
    quick
        Smaller pictures and a fixed, small number of epochs: ten minutes instead of hours.
    seed
        Of the trainings.
    """

    data: TrainingSet
    held_out: NDArray[np.bool_]
    source: str
    quick: bool = False
    seed: int = 0

    @property
    def title(self) -> str:
        """Which cells; nobody but its authors has the original."""
        trained, scored = int((~self.held_out).sum()), int(self.held_out.sum())
        return (
            f"Microtubules under paclitaxel on {self.source}: {trained:,} training and {scored:,} test cells; "
            "NOT the original data"
        )

    @property
    def tasks(self) -> tuple[tuple[str, ...], ...]:
        """All classes at once, and each pair of them."""
        names = self.data.classes.names
        return (names, *combinations(names, 2)) if len(names) > 2 else (names,)

    def methods(self, task: tuple[str, ...]) -> tuple[Method, ...]:
        """Return what is compared in a task."""
        changes = QUICK if self.quick else {}
        remark = QUICK_REMARK if self.quick else ""
        networks = tuple(Method(name, Recipe.load(name).but(**changes, seed=self.seed), 1, remark) for name in NETWORKS)
        trees = Method(BASELINE, Recipe.load(BASELINE).but(seed=self.seed, folds=0))
        return (*networks, trees) if task in BASELINE_TASKS or task == self.data.classes.names else networks

    def run(self, out: Path, should_stop: ShouldStop) -> Generator[Event, None, dict[tuple[str, ...], list[Outcome]]]:
        """Train and score every method on every task; runs are kept in folders of `out`, one a task.

        Raises
        ------
        StudyError, TrainingStopped
            If the folder holds another study; at a stop.
        """
        if not self.held_out.any():
            raise StudyError(
                f"No cell of {self.source} can be held out as a test and leave one of its class to learn from. Add "
                "cells, or groups of them."
            )
        recipes = digest_of_choices(one.recipe for one in self.methods(self.tasks[0]))
        same = {"study": NAME, "data": digest_of(self.data), "recipe": recipes, "quick": self.quick, "seed": self.seed}
        settle(out, same)
        found: dict[tuple[str, ...], list[Outcome]] = {}
        for task, place in zip(self.tasks, task_folders(self.tasks), strict=True):
            rows = np.isin(self.data.labels, [self.data.classes.names.index(name) for name in task])
            data, held_out = self.data.take(rows), self.held_out[rows]
            for method in self.methods(task):
                named = replace(method, title=f"{method.title}, {task_name(task)}")
                outcome = yield from run_method(data, named, [held_out], out / place / method.title, should_stop)
                found.setdefault(task, []).append(replace(outcome, method=method))
        return found

    def table(self, outcomes: dict[tuple[str, ...], list[Outcome]], notes: Sequence[str] = ()) -> StudyTable:
        """Return published figures beside those obtained."""
        return StudyTable(
            self.title,
            columns(),
            tuple(_row(task, found) for task, found in outcomes.items()),
            (*self._notes(), *notes),
        )

    def _notes(self) -> tuple[str, ...]:
        return (
            *([f"Networks: {QUICK_REMARK}."] if self.quick else []),
            "Accuracies in per cent; those obtained with 95 % intervals, on test cells that no choice was made on, the "
            "same for every method.",
            f"Published: {published.MICROTUBULE_SOURCE}; three experts, and networks, on 100 test crops a class.",
            "T: crops also turned by 90, 180 and 270 degrees. S: sharpened. T+S less CNN: difference on the same "
            "cells, its 95 % interval, McNemar's exact test.",
        )


# A third of the side, and as many epochs as two cores do in ten minutes over all tasks; the last epoch is kept.
QUICK = {"input_size": 100, "epochs": 8, "stop_by": "validation", "validation": 0.0, "patience": 0}
QUICK_REMARK = "pictures of 100 x 100 instead of 300 x 300, 8 epochs instead of stopping by tenfold cross-validation"


def columns() -> tuple[str, ...]:
    """Return the heads of the table."""
    networks = [f"{title}, {which}" for title in NETWORKS.values() for which in ("published", "obtained")]
    return ("task", *(f"{who}, published" for who in published.EXPERTS), *networks, "T+S less CNN", f"{BASELINE}")


def task_name(task: Sequence[str]) -> str:
    """Return a task in words."""
    return f"{len(task)} classes ({listed(task)})" if len(task) != 2 else f"{task[0]} against {task[1]}"


def task_folders(tasks: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a folder name for each task that every system allows, no two the same."""
    return distinct_names("-against-".join(name.replace(" ", "_") for name in task) for task in tasks)


def _row(task: tuple[str, ...], outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    known = published.MICROTUBULES.get(task, {})
    found = {one.method.title: one for one in outcomes}
    networks = [text for name in NETWORKS for text in (_published(known, name), _obtained(found.get(name)))]
    return (
        task_name(task),
        *(_published(known, who) for who in published.EXPERTS),
        *networks,
        against(found[PLAIN].unseen, found[BEST].unseen),
        _obtained(found.get(BASELINE)),
    )


def _published(known: dict[str, float], name: str) -> str:
    return f"{known[name]:.2f}" if name in known else NONE


def _obtained(outcome: Outcome | None) -> str:
    if outcome is None:
        return NONE
    scores = score_unseen(outcome.unseen)
    return percent(scores.accuracy, (scores.low, scores.high))
