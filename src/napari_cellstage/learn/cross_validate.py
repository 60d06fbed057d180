"""Every labelled cell predicted by a model that was trained without it and without its group: k models, one a fold."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import TrainingStopped
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.calibration import cross_fitted
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note, share_done
from napari_cellstage.learn.fit import fit, never
from napari_cellstage.learn.held_out import unseen_of
from napari_cellstage.learn.measure import FeaturesInMemory, KnownFeatures
from napari_cellstage.learn.recipe import Recipe

Event = Note | BatchDone | EpochDone
ShouldStop = Callable[[], bool]
Rows = NDArray[np.bool_]
_STEPS = 1000  # of progress a fold
CHECKING = "checking the model on all labelled cells"


def cross_validate(
    data: TrainingSet, recipe: Recipe, should_stop: ShouldStop = never, cache: KnownFeatures | None = None
) -> Generator[Event, None, Unseen | None]:
    """Predict every labelled cell by a model that has seen neither it nor any cell of its group.

    Parameters
    ----------
    data
        Labelled cells; what the result says of labels is what is in here, whatever changes meanwhile.
    recipe
        How each model is trained; `recipe.folds` says how many there are, fewer where there are fewer groups.
    should_stop
        A stop ends the work normally; the cells of the folds done so far are kept.
    cache
        Where the quick kind finds features measured before.

    Returns
    -------
    Unseen or None
        None when no fold was done, or the cells can't be divided.
    """
    fold = data.folds(recipe)
    folds = int(fold.max(initial=0)) + 1
    if folds < 2:
        yield Note("Not cross-validated: the labelled cells can't be divided into two folds. Label more of them.")
        return None
    yield from map(Note, _what_is_lacking(data, fold, recipe.folds))
    work = _Work(data, recipe, should_stop, cache or FeaturesInMemory())
    answers = _Answers(len(data), len(data.classes))
    for number in range(folds):
        found = yield from _followed(work.fold(fold == number), number, folds, should_stop)
        if should_stop():
            yield Note(f"Stopped: {number} of {folds} folds were cross-validated, {int(answers.done.sum()):,} cells.")
            break
        if found is None:
            yield Note(f"Fold {number + 1} of {folds} came to nothing: its model gave no probabilities.")
            continue
        answers.put(fold == number, found)
    else:
        yield BatchDone(f"{CHECKING}, fold {folds} of {folds}", folds * _STEPS, folds * _STEPS)
    return answers.unseen(data, fold, recipe)


@dataclass(frozen=True)
class _Work:
    """Training and prediction of one fold after the other."""

    data: TrainingSet
    recipe: Recipe
    should_stop: ShouldStop
    cache: KnownFeatures

    def fold(self, held: Rows) -> Generator[Event, None, Unseen | None]:
        """Predict the cells of one fold by a model of the others; None when stopped before there was a model."""
        known = np.unique(self.data.labels[~held])
        if len(known) < 2:
            certain = np.zeros((int(held.sum()), len(self.data.classes)), dtype=np.float32)
            certain[:, known] = 1
            return unseen_of(self.data, held, certain, certain)
        try:
            model = yield from fit(self.data, self.recipe, self.should_stop, cache=self.cache, held_out=held)
        except TrainingStopped:
            return None
        return model.unseen


class _Answers:
    """What the folds' models said, cell by cell."""

    def __init__(self, cells: int, classes: int) -> None:
        self.done = np.zeros(cells, dtype=bool)
        self._raw = np.zeros((cells, classes), dtype=np.float32)
        self._probabilities = np.zeros((cells, classes), dtype=np.float32)
        self._unlike = np.full(cells, np.nan, dtype=np.float32)

    def put(self, rows: Rows, found: Unseen) -> None:
        self.done |= rows
        self._raw[rows], self._probabilities[rows] = found.raw, found.probabilities
        if found.unlike is not None:
            self._unlike[rows] = found.unlike

    def unseen(self, data: TrainingSet, fold: NDArray[np.int64], recipe: Recipe) -> Unseen | None:
        """Return what there is; a class that a fold's training lacked has probability 0 there."""
        rows = self.done
        for number in np.unique(fold[rows]):
            lacking = np.setdiff1d(np.arange(len(data.classes)), data.labels[fold != number])
            for values in (self._raw, self._probabilities):
                values[np.ix_(fold == number, lacking)] = 0
                values[fold == number] /= np.maximum(values[fold == number].sum(axis=1, keepdims=True), 1e-30)
        raw, probabilities = self._raw[rows], self._probabilities[rows]
        if recipe.kind != "quick":  # each fold's own temperature is from few cells; quick's is from its training
            probabilities = _calibrated(raw, data.labels[rows], data.groups[rows], recipe.seed)
        more: dict[str, Any] = {"fold": fold[rows], "unlike": self._unlike[rows], "how": "out of fold"}
        return unseen_of(data, rows, raw, probabilities, **more)


def _calibrated(
    raw: NDArray[np.float32], truth: NDArray[np.int64], groups: NDArray[np.str_], seed: int
) -> NDArray[np.float32]:
    """Return probabilities at temperatures of other groups; what was impossible stays so."""
    found = cross_fitted(raw, truth, groups, seed) * (raw > 0)
    whole: NDArray[np.float32] = (found / np.maximum(found.sum(axis=1, keepdims=True), 1e-30)).astype(np.float32)
    return whole


def _what_is_lacking(data: TrainingSet, fold: NDArray[np.int64], wanted: int) -> list[str]:
    """Return what the reader of the scores should know of the folds."""
    told, folds = [], int(fold.max()) + 1
    if folds < wanted:
        what = "groups" if len(np.unique(data.groups)) > 1 else "labelled cells"
        told.append(f"Cross-validated in {folds} folds instead of {wanted}, as there are only so many {what}.")
    in_one = [place for place in range(len(data.classes)) if len(np.unique(fold[data.labels == place])) == 1]
    if in_one:
        several, names = len(in_one) > 1, [f"'{data.classes.names[place]}'" for place in in_one]
        who = "Classes" if several else "Class"
        groups = _listed(sorted(set(data.groups[np.isin(data.labels, in_one)].tolist())))
        told.append(
            f"{who} {_listed(names)} {'are' if several else 'is'} in one fold only (groups: {groups}): the model for "
            f"{'their' if several else 'its'} cells has never seen one, so all of them count as wrong. "
            "Label some in other images."
        )
    return told


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _followed(
    work: Generator[Event, None, Unseen | None], number: int, folds: int, should_stop: ShouldStop
) -> Generator[Event, None, Unseen | None]:
    """Pass the progress of a fold on as part of the whole; it never goes back. A stop ends it in its midst, with None.

    Each fold's notes and epochs are left out: the curve and the notes are of the model that is kept.
    """
    reached = 0.0
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            found: Unseen | None = end.value
            return found
        if isinstance(event, BatchDone):
            reached = max(reached, share_done(event))
            steps = number * _STEPS + int(_STEPS * reached)
            yield BatchDone(f"{CHECKING}, fold {number + 1} of {folds}", steps, folds * _STEPS, event.loss)
        if should_stop():
            work.close()
            return None
