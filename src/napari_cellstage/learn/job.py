"""What the Train button does: train by one recipe after the other, predict every cell, keep the better model."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from napari_cellstage.core.errors import ModelError, ProjectError, TrainingError, TrainingStopped
from napari_cellstage.core.feature_cache import FeatureCache
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.fit import fit, never
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict_snapshot
from napari_cellstage.learn.quick import fit_quick
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import new_run_folder, save_predictions, save_run

ShouldStop = Callable[[], bool]
GRACE = 0.3  # seconds after a stop in which cells are still predicted


@dataclass(frozen=True)
class Answer:
    """What a training says about every cell.

    Parameters
    ----------
    recipe_name
        Of the recipe that it is by.
    predictions
        By image id.
    scores
        On the held-out cells; None when there were none.
    run
        Name of the run folder; empty when it could not be saved.
    to_predict
        True when training was stopped, so that a stop is answered at once: the model is in `run`, its predictions
        are still to be made, by `predict_run`.
    unseen
        What models that had not seen them say about labelled cells: of all of them once it was cross-validated, of
        the held-out part before; None when there are none.
    """

    recipe_name: str
    predictions: dict[int, Predictions] = field(repr=False)
    scores: Scores | None
    run: str
    to_predict: bool = False
    unseen: Unseen | None = field(default=None, repr=False)


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
        Each training leaves a folder in it: model, card.json, history.csv, predictions.csv.
    should_stop
        A stop ends the work normally, with the best answer so far.

    Yields
    ------
    Note, BatchDone, EpochDone
        As they come.
    Answer
        The first recipe's, so that it can be shown while the next one trains.

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


@dataclass(frozen=True)
class _Trained:
    """A model with the folder it was saved in, or None."""

    model: TrainedModel
    folder: Path | None

    @property
    def run(self) -> str:
        return self.folder.name if self.folder else ""


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
        trained = _Trained(TrainedModel.load(folder), folder)
        return (yield from _predicted(trained, snapshot, FeatureCache(folder.parent.parent / "cache"), should_stop))
    except RuntimeError as e:
        raise TrainingError(f"The cells can't be predicted: {e}") from e


def _predicted(
    trained: _Trained, snapshot: WorkSnapshot, cache: FeatureCache, should_stop: ShouldStop
) -> Generator[Note | BatchDone, None, Answer]:
    """Predict every cell, and keep the table with the run."""
    predictions = yield from predict_snapshot(trained.model, snapshot, should_stop, trained.run, cache)
    if missing := _missing(predictions):
        yield Note(f"Stopped: {missing} cells were not predicted.")
    if trained.folder:
        try:
            save_predictions(trained.folder, snapshot, predictions)
        except ProjectError as e:
            yield Note(str(e))
    return Answer(trained.model.recipe.name, predictions, trained.model.scores, trained.run)


class _Work:
    """One press of Train."""

    def __init__(self, snapshot: WorkSnapshot, runs: Path, should_stop: ShouldStop) -> None:
        self._snapshot = snapshot
        self._runs = runs
        self._should_stop = should_stop
        self._cache = FeatureCache(runs.parent / "cache")

    def run(self, recipes: Sequence[Recipe]) -> Generator[Event, None, Answer]:
        """Train by each recipe; see `train_and_predict`."""
        first = recipes[0]
        best = yield from self._answer((yield from self._train(first)))
        for recipe in recipes[1:]:
            if self._should_stop():
                yield Note(f"Stopped: {recipe.name} was not trained.")
                break
            yield best
            same_split = recipe.but(holdout=first.holdout, seed=first.seed)
            try:
                best = yield from self._better(best, (yield from self._train(same_split)))
            except TrainingStopped:
                yield Note(f"Stopped before {recipe.name} had learned anything: {best.recipe_name} is kept.")
        return best

    def _train(self, recipe: Recipe) -> Generator[Event, None, _Trained]:
        data = TrainingSet.from_snapshot(self._snapshot, recipe)
        history: list[EpochDone] = []
        if recipe.kind == "quick":
            work = fit_quick(data, recipe, self._should_stop, self._cache)
        else:
            work = fit(data, recipe, self._should_stop)
        model = yield from _keeping_epochs(work, history)
        if model.card.get("epochs_done") == 0:
            raise TrainingStopped(
                "Training was stopped before its first epoch was done. Nothing has changed; train again."
            )
        folder = None
        try:
            folder = new_run_folder(self._runs, recipe.name)
            save_run(folder, model, history)
        except (ModelError, ProjectError) as e:
            yield Note(f"This model is not kept on disk. {e}")
            folder = None
        return _Trained(model, folder)

    def _answer(self, trained: _Trained) -> Generator[Event, None, Answer]:
        """Predict every cell; after a stop, leave that to whoever asked, so that the stop is answered at once."""
        if self._should_stop() and trained.folder:
            return Answer(trained.model.recipe.name, {}, trained.model.scores, trained.run, to_predict=True)
        return (yield from _predicted(trained, self._snapshot, self._cache, self._should_stop))

    def _better(self, old: Answer, new: _Trained) -> Generator[Event, None, Answer]:
        """Return the answer that scores better on the held-out cells, and say why."""
        stopped = "Stopped. " if self._should_stop() else ""
        name = new.model.recipe.name
        if old.scores is None or new.model.scores is None:
            why = "was stopped before it had a score" if stopped else "has no held-out cells to be compared on"
            yield Note(f"{stopped}{old.recipe_name} is kept: {name} {why}.")
            return old
        both = f"{name} {new.model.scores.text}; {old.recipe_name} {old.scores.text}, on the same held-out cells"
        if _rank(new.model.scores) <= _rank(old.scores):
            yield Note(f"{stopped}{old.recipe_name} is kept, as {name} is not better: {both}.")
            return old
        yield Note(f"{stopped}{name} is kept, as it is better: {both}.")
        return (yield from self._answer(new))


def _keeping_epochs(
    work: Generator[Note | BatchDone | EpochDone, None, TrainedModel], history: list[EpochDone]
) -> Generator[Event, None, TrainedModel]:
    """Pass everything on, and keep the epochs."""
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            model: TrainedModel = end.value
            return model
        if isinstance(event, EpochDone):
            history.append(event)
        yield event


def _missing(predictions: dict[int, Predictions]) -> int:
    return sum(int(np.isnan(one.probabilities[:, 0]).sum()) for one in predictions.values() if len(one))


def _rank(scores: Scores) -> tuple[float, float]:
    return scores.accuracy, scores.macro_f1
