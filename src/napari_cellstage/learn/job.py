"""What the Train button does: train by one recipe after the other, predict every cell, keep the better model.

The predictions are shown as soon as there are any; cross-validation of the model that is kept comes after.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellStageError, ModelError, ProjectError, TrainingError, TrainingStopped
from napari_cellstage.core.feature_cache import FeatureCache
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.core.steps import relayed
from napari_cellstage.learn.answers import Answer, Kept, Trained
from napari_cellstage.learn.choice import choose
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.examples import save_examples
from napari_cellstage.learn.feature_tables import FeatureTables
from napari_cellstage.learn.fit import fit, never
from napari_cellstage.learn.known_choice import known_choice
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict_snapshot
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import new_run_folder, note_in_card, save_predictions, save_run
from napari_cellstage.learn.validating import Validated, cross_validated

ShouldStop = Callable[[], bool]


Event = Note | BatchDone | EpochDone | Answer


def train_and_predict(
    snapshot: WorkSnapshot, recipes: Sequence[Recipe], runs_folder: Path, should_stop: ShouldStop = never
) -> Generator[Event, None, Answer | None]:
    """Train by each recipe in turn, on one split, and end with the answer that scores best.

    Parameters
    ----------
    snapshot
        The project's images, cells and labels.
    recipes
        One or more; the first one's held-out share and seed hold for all.
    runs_folder
        Each training leaves a folder in it: model, card.json, labels.csv, history.csv, predictions.csv, unseen.npz.
    should_stop
        A stop ends the work normally, with the best answer so far.

    Yields
    ------
    Note, BatchDone, EpochDone
        As they come.
    Answer
        Whenever there is one to be shown while the work goes on: before the next recipe, and before cross-validation.

    Returns
    -------
    Answer or None
        None when it was stopped before there was any model.

    Raises
    ------
    CellStageError
        For anything the user can mend. A RuntimeError is never raised, as a viewer's worker would swallow it.
    """
    try:
        return (yield from _Work(snapshot, runs_folder, should_stop).run(recipes))
    except TrainingStopped as stopped:
        yield Note(str(stopped))
        return None
    except RuntimeError as e:
        raise TrainingError(f"Training can't go on: {e}") from e


def predict_run(
    snapshot: WorkSnapshot, folder: Path, should_stop: ShouldStop = never
) -> Generator[Note | BatchDone, None, Answer]:
    """Predict every cell with the model of a run folder.

    Parameters
    ----------
    snapshot
        The project's images and cells.
    folder
        What a training left.
    should_stop
        The cells not reached stay unpredicted.

    Raises
    ------
    CellStageError
        For a model that can't be read or does not fit. A RuntimeError is never raised.
    """
    try:
        trained = Trained(TrainedModel.load(folder), folder)
        return (yield from _predicted(trained, snapshot, folder.parent.parent / "cache", should_stop))
    except RuntimeError as e:
        raise TrainingError(f"The cells can't be predicted: {e}") from e


def _predicted(
    trained: Trained, snapshot: WorkSnapshot, cache: Path, should_stop: ShouldStop
) -> Generator[Note | BatchDone, None, Answer]:
    """Predict every cell, and keep the table with the run."""
    known = (FeatureCache(cache), FeatureTables(cache))
    predictions = yield from predict_snapshot(trained.model, snapshot, should_stop, trained.run, *known)
    if missing := _missing(predictions):
        yield Note(f"Stopped: {missing} cells were not predicted.")
    if trained.folder:
        try:
            save_predictions(trained.folder, snapshot, predictions)
        except ProjectError as e:
            yield Note(str(e))
    return trained.answer(predictions)


class _Work:
    """One press of Train."""

    def __init__(self, snapshot: WorkSnapshot, runs: Path, should_stop: ShouldStop) -> None:
        self._snapshot = snapshot
        self._runs = runs
        self._should_stop = should_stop
        self._cache = runs.parent / "cache"

    def run(self, recipes: Sequence[Recipe]) -> Generator[Event, None, Answer]:
        """Train by each recipe; see `train_and_predict`."""
        first = recipes[0]
        trained = yield from self._train(first)
        best = Kept((yield from self._answer(trained)), trained)
        for recipe in recipes[1:]:
            if self._should_stop():
                yield Note(f"Stopped: {recipe.name} was not trained.")
                break
            yield best.answer
            same_split = recipe.but(holdout=first.holdout, seed=first.seed)
            try:
                best = yield from self._better(best, (yield from self._train(same_split, trained.model.held_out)))
            except TrainingStopped:
                yield Note(f"Stopped before {recipe.name} had learned anything: {best.answer.recipe_name} is kept.")
        if best.trained.model.recipe.folds < 2 and best.trained is not trained:
            yield from self._reviewable(trained, best)
        return (yield from self._validated(best))

    def _train(self, recipe: Recipe, held_out: NDArray[np.bool_] | None = None) -> Generator[Event, None, Trained]:
        data = TrainingSet.from_snapshot(self._snapshot, recipe)
        history: list[EpochDone] = []
        known = known_choice(self._runs, data, recipe) if recipe.kind == "quick" and held_out is None else None
        cache = FeatureCache(self._cache)
        work = fit(data, recipe, self._should_stop, cache=cache, held_out=held_out, known=known)
        model = yield from relayed(work, partial(_keep_epoch, history))
        if model.card.get("epochs_done") == 0:
            raise TrainingStopped(
                "Training was stopped before its first epoch was done. Nothing has changed; train again."
            )
        model.card["audit"] = self._snapshot.set_aside
        folder = yield from self._saved(model, history, data)
        if folder and model.unseen is not None:
            try:
                save_examples(folder, data, model.unseen)
            except ModelError as e:
                yield Note(str(e))
        return Trained(model, folder, data)

    def _saved(
        self, model: TrainedModel, history: list[EpochDone], data: TrainingSet
    ) -> Generator[Note, None, Path | None]:
        """Return the run's folder; None where there is no room for it, and then nothing is left of it."""
        folder = None
        try:
            folder = new_run_folder(self._runs, model.recipe.name)
            save_run(folder, model, history, data)
        except (ModelError, ProjectError) as e:
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
            yield Note(f"This model is not kept on disk. {e}")
            return None
        return folder

    def _answer(self, trained: Trained) -> Generator[Event, None, Answer]:
        """Predict every cell; after a stop, leave that to whoever asked, so that the stop is answered at once."""
        if self._should_stop() and trained.folder:
            return trained.answer({}, to_predict=True)
        return (yield from _predicted(trained, self._snapshot, self._cache, self._should_stop))

    def _better(self, old: Kept, new: Trained) -> Generator[Event, None, Kept]:
        """Return the answer that does better on the held-out cells, with a score of the choosing; say why."""
        stopped = "Stopped. " if self._should_stop() else ""
        name, old_name = new.model.recipe.name, old.answer.recipe_name
        seen, mine = old.trained.model.unseen, new.model.unseen
        if seen is None or mine is None or old.trained.model.scores is None or new.model.scores is None:
            why = "was stopped before it had a score" if stopped else "has no held-out cells to be compared on"
            yield Note(f"{stopped}{old_name} is kept: {name} {why}.")
            return old
        choice = choose(seen, mine, new.model.recipe.seed)
        both = f"{name} {new.model.scores.text}; {old_name} {old.trained.model.scores.text}, on the same held-out cells"
        if choice.takes_second:
            yield Note(f"{stopped}{name} is kept, as it is better: {both}.")
            kept = Kept((yield from self._answer(new)), new, compared=True)
        else:
            yield Note(f"{stopped}{old_name} is kept, as {name} is not better: {both}.")
            kept = replace(old, compared=True)
        yield Note(
            f"The better of two scores flatters, so the score shown, {choice.scores.accuracy:.2f}, is of choosing so: "
            "each group of held-out cells is scored with the model that does better on the other groups."
        )
        yield from self._noted(kept.trained, choice.scores)
        return replace(kept, answer=replace(kept.answer, scores=choice.scores))

    def _noted(self, trained: Trained, scores: Scores) -> Generator[Note, None, None]:
        try:
            if trained.folder:
                note_in_card(trained.folder, chosen_scores=scores.to_dict())
        except ModelError as e:
            yield Note(str(e))

    def _validated(self, kept: Kept) -> Generator[Event, None, Answer]:
        """Cross-validate the recipe that is kept where it asks for that; the answer is shown before."""
        answer = kept.answer
        if not self._to_validate(kept.trained):
            return answer
        yield replace(answer, checking=True)
        found = yield from self._cross_validated(kept.trained)
        if found is None:
            return answer
        return replace(answer, unseen=found.unseen, scores=answer.scores if kept.compared else found.scores)

    def _reviewable(self, trained: Trained, kept: Kept) -> Generator[Event, None, None]:
        """Cross-validate the first recipe where the one that is kept is not, as that would take too long.

        So that every labelled cell can be reviewed, not only those held out.
        """
        if self._to_validate(trained):
            yield replace(kept.answer, checking=True)
            yield from self._cross_validated(trained)

    def _to_validate(self, trained: Trained) -> bool:
        return trained.model.recipe.folds >= 2 and trained.data is not None and not self._should_stop()

    def _cross_validated(self, trained: Trained) -> Generator[Event, None, Validated | None]:
        if trained.data is None:
            return None
        recipe, cache = trained.model.recipe, FeatureCache(self._cache)
        try:
            return (yield from cross_validated(trained.data, recipe, trained.folder, self._should_stop, cache))
        except CellStageError as e:
            yield Note(f"Not cross-validated: {e}")
            return None


def _keep_epoch(history: list[EpochDone], event: Event) -> Event:
    if isinstance(event, EpochDone):
        history.append(event)
    return event


def _missing(predictions: dict[int, Predictions]) -> int:
    return sum(int(np.isnan(one.probabilities[:, 0]).sum()) for one in predictions.values() if len(one))
