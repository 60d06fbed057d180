"""What Train does: pairs checked, a network trained, scored on what it had not seen, and kept in a run folder.

The dock and the command line both train by this. Loads no torch before it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellstage.core.errors import CellStageError, ModelError, TrainingError
from napari_cellstage.core.json_values import plain
from napari_cellstage.core.steps import relayed
from napari_cellstage.learn.card import write_card
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.scores import StainScores

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel

ShouldStop = Callable[[], bool]
Event = Note | BatchDone | StainEpoch


@dataclass(frozen=True, eq=False)
class StainTrained:
    """What came of a training.

    Parameters
    ----------
    model
        The model.
    folder
        Its run folder.
    scores
        On the held-out part; None where there is none, or a stop came before it was scored.
    """

    model: StainModel
    folder: Path
    scores: StainScores | None


def train_stain(
    data: StainSet,
    recipe: StainRecipe,
    place: Callable[[], Path],
    should_stop: ShouldStop = lambda: False,
    start: StainModel | None = None,
) -> Generator[Event, None, StainTrained]:
    """Train by a recipe, score what was held out, and keep model, card, history and scores.

    Parameters
    ----------
    data
        Pairs, as they are opened; they are checked, and moved where the recipe says so, here. Their own notes are
        left to the caller to say.
    recipe
        How.
    place
        Makes the run folder; called when there is a model to keep.
    should_stop
        A stop ends the work normally, with the best model so far.
    start
        A model to go on from, or to add stains to.

    Yields
    ------
    Note, BatchDone, StainEpoch
        As they come.

    Raises
    ------
    CellStageError
        For anything the user can mend; `TrainingStopped` after a stop before there was any model. A RuntimeError is
        never raised, as a viewer's worker would swallow it.
    """
    try:
        return (yield from _train(data, recipe, place, should_stop, start))
    except RuntimeError as e:
        raise TrainingError(f"Training can't go on: {e}") from e


def _train(
    data: StainSet, recipe: StainRecipe, place: Callable[[], Path], should_stop: ShouldStop, start: StainModel | None
) -> Generator[Event, None, StainTrained]:
    from napari_cellstage.stain.fit import fit_stain

    data = yield from _ready(data, recipe, should_stop)
    history: list[StainEpoch] = []
    model = yield from relayed(fit_stain(data, recipe, should_stop, start), partial(_keep_epoch, history))
    folder = _saved(model, place)
    scores = None if should_stop() else (yield from _scored(model, data, should_stop))
    from napari_cellstage.stain.run_files import write_run_files

    write_run_files(folder, history, scores)
    if scores is not None:
        model.card["pearson"] = plain({one.name: one.pearson for one in scores.stains})  # for verdicts
        write_card(folder, model.card)
    return StainTrained(model, folder, scores)


def _ready(data: StainSet, recipe: StainRecipe, should_stop: ShouldStop) -> Generator[Event, None, StainSet]:
    """Return the pairs that can be learned from, moved where that is wanted; say what was found."""
    from napari_cellstage.stain.checks import checked
    from napari_cellstage.stain.registration import registered

    known = data.notes
    yield BatchDone("checking the images", 0, 0)
    data = checked(data, should_stop)
    if recipe.register:
        yield BatchDone("measuring shifts", 0, 0)
        data = registered(data, should_stop)
    for note in data.notes:
        if note not in known:
            yield Note(note)
    return data


def _scored(model: StainModel, data: StainSet, should_stop: ShouldStop) -> Generator[Event, None, StainScores | None]:
    """Return scores on what was held out; None where nothing was. A model is kept also where it can't be scored."""
    from napari_cellstage.stain.card import regions_of
    from napari_cellstage.stain.evaluate import evaluate_stain

    held_out, train = (regions_of(model.card["split"], part, data) for part in ("held_out", "train"))
    if not held_out:
        return None
    try:
        scores = yield from evaluate_stain(model, data, held_out, should_stop, train=train)
    except CellStageError as error:
        yield Note(f"Not scored: {error}")
        return None
    return None if scores.stopped and not scores.n_images else scores


def _saved(model: StainModel, place: Callable[[], Path]) -> Path:
    folder = place()
    try:
        model.save(folder)
    except ModelError:
        with suppress(OSError):
            folder.rmdir()  # only where it is empty
        raise
    return folder


def _keep_epoch(history: list[StainEpoch], event: Event) -> Event:
    """Keep epochs; of their pictures only the last, as each is some megabytes."""
    if isinstance(event, StainEpoch):
        history[:] = [replace(one, picture=None) for one in history] if event.picture else history
        history.append(event)
    return event
