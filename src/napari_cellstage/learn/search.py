"""`search_topology`: which layers suit the cells, found by trying many and cross-validating each.

Some cells are held out of the whole search; the best network is scored on them at the end, once. Its cross-validated
accuracy flatters, as it is the best of many.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.fit import fit, never
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.search_report import BEST, OF_THE_MACHINE, Found, found_so_far, write_recipe, write_trials
from napari_cellstage.learn.search_space import BYTES, SearchSpace, weigh
from napari_cellstage.learn.search_study import Study, check_optuna, opened

if TYPE_CHECKING:
    import optuna

Event = Note | BatchDone | EpochDone
Work = Generator[Event, None, None]
ShouldStop = Callable[[], bool]
HELD_OUT = 0.2  # of the cells, where the recipe holds out none
GIVE_UP = 100  # trials in a row that can't be
GIGA = 1e9
ABOUT = "The best of a topology search."
STEPS = 100  # of progress a fold


@dataclass(frozen=True)
class SearchChoices:
    """How is searched.

    Parameters
    ----------
    trials
        How many networks are tried, with those of an earlier part of the same search; those that can't be don't count.
    minutes
        After so many no further trial is begun; None: no limit.
    folds
        Of the cross-validation.
    epochs
        The most that each network gets.
    seed
        Same seed, same data: same trials.
    memory_gb
        Networks that need more are not tried, 10^9 bytes.
    space
        The ranges.
    """

    trials: int = 30
    minutes: float | None = None
    folds: int = 3
    epochs: int = 20
    seed: int = 0
    memory_gb: float = 4.0
    space: SearchSpace = field(default_factory=SearchSpace)


@dataclass(frozen=True)
class Searched:
    """What a search has found.

    Parameters
    ----------
    found
        The trials, the best of them, and what each choice matters.
    recipe
        The best as a recipe; None before any trial was complete.
    scores
        Of the best, on cells held out from the whole search; None when stopped before.
    """

    found: Found
    recipe: Recipe | None
    scores: Scores | None


def search_topology(
    data: TrainingSet,
    recipe: Recipe,
    folder: Path,
    choices: SearchChoices | None = None,
    should_stop: ShouldStop = never,
) -> Generator[Event, None, Searched]:
    """Search for layers; what is found is in the folder at any time: ``search.sqlite``, ``trials.csv``, ``best.toml``.

    Parameters
    ----------
    data
        Labelled cells. A part of them is never seen by the search.
    recipe
        All other choices of the training; its network is replaced by layers.
    folder
        Where the search is kept; one that is there is resumed.
    choices
        How is searched.
    should_stop
        A stop ends the search normally with the best so far; the trial that was at work is not counted.

    Raises
    ------
    MissingExtraError
        If Optuna is not installed.
    TrainingError
        If the recipe trains no network, the cells can't be divided, or the search was begun with something else.
    """
    check_optuna()
    choices = choices or SearchChoices()
    base = _base(recipe, choices)
    held_out = data.held_out(base)
    training = data.take(~held_out)
    fold = kfold(training.labels, training.groups, choices.folds, choices.seed)
    if not held_out.any() or fold.max(initial=0) < 1:
        raise TrainingError(
            f"{len(data)} cells in {len(set(data.groups.tolist()))} groups can't be divided into some held out and two "
            "folds of the others. Label more cells, in more images."
        )
    with opened(folder, _begun_with(data, base, choices)) as study:
        search = _Search(training, base, choices, fold, study, folder, should_stop)
        yield from search.run()
        found = found_so_far(study, choices.seed)
    best = None if found.best is None else base.but(layers=found.best.layers, input_size=found.best.input_size)
    scores = None
    if best is not None and not should_stop():
        yield Note("The best network is trained on all cells of the search, and scored on those held out from it.")
        with contextlib.suppress(TrainingStopped):
            scores = (yield from fit(data, best, should_stop, held_out=held_out)).scores
    return Searched(found, best, None if should_stop() else scores)


def _base(recipe: Recipe, choices: SearchChoices) -> Recipe:
    """Return the recipe of all trials; networks beside to stop by would be a cross-validation within each fold."""
    if recipe.kind != "finetune":
        raise TrainingError(
            f"Recipe '{recipe.name}' is of the kind {recipe.kind}, which has no layers. Search with one that trains a "
            "network, such as microtubule-cnn."
        )
    return recipe.but(
        name=BEST,
        about=ABOUT,
        network="layers",
        weights="none",
        stop_by="validation",
        validation=recipe.validation or 0.1,
        epochs=choices.epochs,
        folds=0,
        holdout=recipe.holdout or HELD_OUT,
        seed=choices.seed,
    )


def _begun_with(data: TrainingSet, base: Recipe, choices: SearchChoices) -> dict[str, Any]:
    """Return what a search is resumed with only, by what it is in words."""
    cells = hashlib.blake2b(digest_size=16)
    for part in (data.crops, data.labels, data.groups, np.array(data.classes.names)):
        cells.update(np.ascontiguousarray(part).tobytes())
    places = (*OF_THE_MACHINE, "layers", "input_size")
    return {
        "cells": cells.hexdigest(),
        "ranges": choices.space.to_dict(),
        "seed": choices.seed,
        "folds": choices.folds,
        "memory": choices.memory_gb,
        "choices of the recipe": {name: value for name, value in base.to_dict().items() if name not in places},
    }


@dataclass(frozen=True, eq=False)
class _Search:
    """The trials, one after the other."""

    data: TrainingSet
    base: Recipe
    choices: SearchChoices
    fold: NDArray[np.int64]
    study: Study
    folder: Path
    should_stop: ShouldStop

    def run(self) -> Work:
        """Try networks until there are enough of them."""
        began, impossible = time.monotonic(), 0
        if ended := self.study.forget_running():
            yield Note(f"Trials that were ended in their midst: {ended}. They are not counted.")
        while (done := found_so_far(self.study, None)).tried < self.choices.trials and not self.should_stop():
            if self.choices.minutes is not None and time.monotonic() - began > 60 * self.choices.minutes:
                yield Note(f"{self.choices.minutes:g} minutes are over: {done.tried} of {self.choices.trials} trials.")
                break
            trial = self.study.ask(self.choices.seed)
            reason = yield from self._try(trial, done)
            impossible = impossible + 1 if reason else 0
            if impossible == GIVE_UP:
                raise TrainingError(f"None of {GIVE_UP} networks in a row can be. The last: {reason} Widen the ranges.")
            self._save()
        if self.study.trials:
            self._save()

    def _save(self) -> None:
        found = found_so_far(self.study, None)
        write_trials(self.folder, found)
        if found.best is not None:
            best = self.base.but(layers=found.best.layers, input_size=found.best.input_size)
            write_recipe(self.folder, best, found)

    def _try(self, trial: optuna.Trial, so_far: Found) -> Generator[Event, None, str]:
        """Cross-validate the network of a trial; return why that can't be, empty where it can."""
        layers, side = self.choices.space.suggest(trial)
        trial.set_user_attr("layers", layers)
        trial.set_user_attr("input size", side)
        began = time.monotonic()
        try:
            self._check(trial, layers, side)
            accuracy, given_up = yield from self._folds(trial, self.base.but(layers=layers, input_size=side), so_far)
        except TrainingStopped:
            self.study.drop(trial)
            return ""
        except TrainingError as e:
            self.study.give_up(trial, f"can't be: {e}")
            return str(e)
        trial.set_user_attr("seconds", round(time.monotonic() - began, 2))
        if given_up:
            self.study.give_up(trial, given_up)
        else:
            self.study.complete(trial, accuracy)
        yield Note(self._told(layers, side, given_up))
        return ""

    def _check(self, trial: optuna.Trial, layers: str, side: int) -> None:
        channels = self.data.crops.shape[1]
        need = weigh(layers, channels, len(self.data.classes), side, self.base.batch_size)
        trial.set_user_attr("parameters", need.parameters)
        memory = need.memory + BYTES * len(self.data) * channels * side**2  # all pictures are in memory, too
        if memory > self.choices.memory_gb * GIGA:
            raise TrainingError(
                f"It needs about {memory / GIGA:.1f} GB of memory, more than the {self.choices.memory_gb:g} GB that "
                "were allowed."
            )

    def _folds(self, trial: optuna.Trial, recipe: Recipe, so_far: Found) -> Generator[Event, None, tuple[float, str]]:
        """Train a network a fold; return the accuracy, and why it was given up, empty where it was not."""
        right, reached, folds = 0, 0, int(self.fold.max()) + 1
        accuracies: list[float] = []
        for number in range(folds):
            place = so_far.tried * folds + number
            work = fit(self.data, recipe, self.should_stop, held_out=self.fold == number)
            unseen = (yield from _followed(work, place, self.choices.trials * folds, so_far)).unseen
            if self.should_stop() or unseen is None:
                raise TrainingStopped("The search was stopped.")
            hits = unseen.predicted == unseen.truth
            right, reached = right + int(hits.sum()), reached + len(hits)
            accuracies.append(float(hits.mean()))
            trial.set_user_attr("folds", accuracies)
            trial.report(right / reached, number)
            if number < folds - 1 and trial.should_prune():
                why = f"given up after fold {number + 1} of {folds}: {right / reached:.3f} is below the middle trial"
                return right / reached, why
        return right / reached, ""

    def _told(self, layers: str, side: int, given_up: str) -> str:
        now = found_so_far(self.study, None)
        last = now.trials[-1]
        said = given_up or f"{last.accuracy:.3f} in {last.seconds:.0f} s"
        best = "" if now.best is None else f" · best {now.best.accuracy:.3f} of trial {now.best.number}"
        return f"trial {last.number}, {now.tried} of {self.choices.trials}: {said}{best} · {layers}; {side} pixels"


def _followed(work: Generator[Event, None, Any], place: int, total: int, so_far: Found) -> Generator[Event, None, Any]:
    """Pass progress on as part of the whole search; notes and epochs of each network are left out."""
    best = "" if so_far.best is None else f" · best {so_far.best.accuracy:.3f}"
    reached = 0.0
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value
        if isinstance(event, BatchDone) and event.what not in ("validating", "scoring"):
            reached = max(reached, event.done / max(event.total, 1))
            yield BatchDone(f"trial {so_far.tried + 1}{best}", int(STEPS * (place + reached)), STEPS * total)
