"""One method of a study on one task: trained once for each held-out part, scored on cells that chose nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError, TrainingStopped
from napari_cellstage.core.feature_cache import FeatureCache
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import score_unseen
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note, share_done
from napari_cellstage.learn.examples import save_examples
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_records import UNSEEN
from napari_cellstage.learn.runs import note_in_card, save_run, save_unseen

ShouldStop = Callable[[], bool]
Event = Note | BatchDone | EpochDone
Masks = Sequence[NDArray[np.bool_]]
STEPS = 1000  # of progress a training
PARTS = "parts"


@dataclass(frozen=True)
class Method:
    """A recipe and how it is scored.

    Parameters
    ----------
    title
        As tables call it.
    recipe
        Every choice.
    folds
        On how many of the study's folds it is trained and scored; 1: one of them is held out.
    remark
        What is not as published, for the table's notes; empty where all is.
    """

    title: str
    recipe: Recipe
    folds: int = 1
    remark: str = ""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a method.

    Parameters
    ----------
    method
        What was run.
    unseen
        Its answers for the cells that it had not seen.
    seconds
        That its trainings took, all together.
    folder
        The run: model of the first part, card, history, answers.
    """

    method: Method
    unseen: Unseen
    seconds: float
    folder: Path


def run_method(
    data: TrainingSet, method: Method, held_out: Masks, folder: Path, should_stop: ShouldStop
) -> Generator[Event, None, Outcome]:
    """Train once for each held-out part; parts that an interrupted study has left in the folder are taken as they are.

    Parameters
    ----------
    data
        All cells of the task.
    method
        What is trained.
    held_out
        ``(N,)`` masks, one a part; no cell is in two.
    folder
        Of the run.
    should_stop
        Ends the study; what is done stays for the next time.

    Raises
    ------
    TrainingStopped
        If it is stopped.
    """
    found = []
    cache = FeatureCache(folder.parent / "cache")
    for number, mask in enumerate(held_out):
        known = _known_part(folder, number)
        if known is None:
            known = yield from _trained(data, method, mask, number, folder, should_stop, cache)
        found.append(known)
        yield BatchDone(method.title, STEPS * (number + 1), STEPS * len(held_out))
    unseen = joined([one for one, _ in found])
    if len(held_out) > 1:
        save_unseen(folder, replace(unseen, run=folder.name), score_unseen(unseen))
        save_examples(folder, data, unseen)
    return Outcome(method, unseen, sum(seconds for _, seconds in found), folder)


def joined(parts: Sequence[Unseen]) -> Unseen:
    """Return answers of several models for different cells as one table; what not all have is left out."""
    if len(parts) == 1:
        return parts[0]
    values: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in parts])
        for name in ("names", "truth", "groups", "probabilities", "raw")
    }
    fold = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    return replace(parts[0], **values, fold=fold, how="out of fold", embedding=None, unlike=None)


def _trained(
    data: TrainingSet,
    method: Method,
    mask: NDArray[np.bool_],
    number: int,
    folder: Path,
    should_stop: ShouldStop,
    cache: FeatureCache,
) -> Generator[Event, None, tuple[Unseen, float]]:
    start, history = time.perf_counter(), list[EpochDone]()
    work = fit(data, method.recipe, should_stop, cache=cache, held_out=mask)
    model = yield from _followed(work, method, number, history)
    if should_stop() or model.unseen is None:
        raise TrainingStopped(
            f"Stopped in {method.title}. What was done before is kept: start the same command again to go on."
        )
    seconds = time.perf_counter() - start
    if number == 0:
        save_run(folder, model, history, data)
        note_in_card(folder, seconds=round(seconds, 1))
        save_examples(folder, data, model.unseen)
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    (folder / PARTS / f"{number}.seconds").write_text(f"{seconds:.1f}", encoding="utf-8")
    beside = folder / PARTS / f"new-{number}.npz"
    model.unseen.save(beside)
    beside.replace(_part_file(folder, number))
    return model.unseen, seconds


def _part_file(folder: Path, number: int) -> Path:
    return folder / PARTS / f"{number}.npz"


def _known_part(folder: Path, number: int) -> tuple[Unseen, float] | None:
    """Return what an earlier start of the same study has left of a part; None where it left nothing whole."""
    file = _part_file(folder, number)
    try:
        found = Unseen.load(file) if (folder / UNSEEN).is_file() else None
        return None if found is None else (found, float(file.with_suffix(".seconds").read_text(encoding="utf-8")))
    except (ModelError, OSError, ValueError):
        return None  # cut short by a power cut, say: it is trained again


def _followed(
    work: Generator[Event, None, Any], method: Method, number: int, history: list[EpochDone]
) -> Generator[Event, None, Any]:
    """Pass events on, each step as part of the method's whole; epochs are kept, and told of the first part only."""
    reached = 0.0
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value
        if isinstance(event, EpochDone):
            history.append(event)
        if isinstance(event, BatchDone):
            reached = max(reached, share_done(event))
            what = f"{method.title}, {number + 1} of {method.folds}: {event.what}"
            yield BatchDone(what, STEPS * number + int(STEPS * reached), STEPS * method.folds, event.loss)
        elif number == 0:
            yield event
