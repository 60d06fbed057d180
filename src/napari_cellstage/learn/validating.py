"""Cross-validation of a run: right after its training, or later with the labels of today; kept in its folder."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_cellstage.core.errors import ModelError, TrainingError, TrainingStopped
from napari_cellstage.core.feature_cache import FeatureCache
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores, score_unseen
from napari_cellstage.core.seeing import as_seen_by
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.cross_validate import cross_validate
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.examples import save_examples
from napari_cellstage.learn.fit import never
from napari_cellstage.learn.measure import KnownFeatures
from napari_cellstage.learn.model import read_card
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import save_unseen

FOLDS = 5  # of an earlier run, where nobody asks for another number
ShouldStop = Callable[[], bool]
Event = Note | BatchDone | EpochDone


@dataclass(frozen=True)
class Validated:
    """Predictions out of fold, and how good they are."""

    unseen: Unseen
    scores: Scores


def cross_validated(
    data: TrainingSet,
    recipe: Recipe,
    folder: Path | None,
    should_stop: ShouldStop = never,
    cache: KnownFeatures | None = None,
) -> Generator[Event, None, Validated | None]:
    """Cross-validate a recipe, and keep what comes of it in a run folder.

    Parameters
    ----------
    data, recipe, should_stop, cache
        As in `cross_validate`.
    folder
        Of the run that the recipe is of; None where it is not kept on disk.
    """
    found = yield from cross_validate(data, recipe, should_stop, cache)
    if found is None:
        return None
    found = replace(found, run=folder.name if folder else "")
    scores = score_unseen(found)
    if folder:
        try:
            save_unseen(folder, found, scores)
            save_examples(folder, data, found)
        except ModelError as e:
            yield Note(str(e))
    whole = "" if len(found) == len(data) else f" of {len(data)}"
    yield Note(f"{recipe.name}, cross-validated: {scores.text}{whole}, each predicted by a model that had not seen it.")
    return Validated(found, scores)


def cross_validate_run(
    snapshot: WorkSnapshot, folder: Path, folds: int, should_stop: ShouldStop = never
) -> Generator[Event, None, Unseen | None]:
    """Cross-validate the recipe of an earlier run with the labels of today; its model is not needed, nor changed.

    Parameters
    ----------
    snapshot
        The project's images, cells and labels.
    folder
        The run's.
    folds
        How many models are trained, 2 or more.
    should_stop
        The folds done so far are kept.

    Returns
    -------
    Unseen or None
        What is in the folder's ``unseen.npz`` now; None when nothing was done.

    Raises
    ------
    CellStageError
        For anything the user can mend. A RuntimeError is never raised.
    """
    if folds < 2:
        raise TrainingError(f"Cross-validation needs 2 folds or more, not {folds}. Ask for 5.")
    card = read_card(folder)
    try:
        recipe = Recipe().but(**{**card["recipe"], "device": "auto", "threads": 0, "folds": folds})
        channels, names = tuple(int(c) for c in card["channels"]), tuple(map(str, card.get("channel_names", ())))
    except (KeyError, TypeError, ValueError) as e:
        raise ModelError(f"The card in '{folder}' does not say how to train: {e}. Train anew.") from e
    try:
        left_out = _left_out(card, snapshot)
        seen = as_seen_by(snapshot, channels, names)
        data = TrainingSet.from_snapshot(replace(seen, left_out=left_out), recipe)
        cache = FeatureCache(folder.parent.parent / "cache")
        found = yield from cross_validated(data, recipe, folder, should_stop, cache)
    except TrainingStopped as stopped:
        yield Note(str(stopped))
        return None
    except RuntimeError as e:
        raise TrainingError(f"Cross-validation can't go on: {e}") from e
    return found.unseen if found else None


def _left_out(card: dict[str, Any], snapshot: WorkSnapshot) -> tuple[int, ...]:
    """Return the classes of today that are not of a run's task; none where the run was of all classes."""
    if not card.get("left_out"):
        return ()
    told_apart = {one["id"] for one in card["classes"]["classes"]}
    return tuple(class_id for class_id in snapshot.scheme.ids if class_id not in told_apart)
