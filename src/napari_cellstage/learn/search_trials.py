"""The trials of a topology search, one network after the other, each cross-validated."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note, share_done
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.search_report import Found, found_so_far, write_recipe, write_trials
from napari_cellstage.learn.search_space import BYTES, SearchChoices, weigh
from napari_cellstage.learn.search_study import Study

if TYPE_CHECKING:
    import optuna

Event = Note | BatchDone | EpochDone
Work = Generator[Event, None, None]
ShouldStop = Callable[[], bool]
GIVE_UP = 100  # trials in a row that can't be
GIGA = 1e9
STEPS = 100  # of progress a fold


@dataclass(frozen=True, eq=False)
class Trials:
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
        if isinstance(event, BatchDone):
            reached = max(reached, share_done(event))
            yield BatchDone(f"trial {so_far.tried + 1}{best}", int(STEPS * (place + reached)), STEPS * total)
