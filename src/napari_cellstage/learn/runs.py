"""Run folders: what each training leaves on disk for the user to look at and the program to load again."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from napari_cellstage.core.errors import ModelError, ProjectError
from napari_cellstage.core.predictions import Predictions, joined
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.safe_csv import write_csv
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import EpochDone
from napari_cellstage.learn.machine import machine, versions
from napari_cellstage.learn.model import CARD, TrainedModel, read_card
from napari_cellstage.learn.run_labels import RunLabels
from napari_cellstage.learn.run_records import UNSEEN, RunRecord, list_runs

__all__ = [
    "HISTORY",
    "PREDICTIONS",
    "UNSEEN",
    "RunRecord",
    "list_runs",
    "new_run_folder",
    "save_predictions",
    "save_run",
    "save_unseen",
]
HISTORY, PREDICTIONS = "history.csv", "predictions.csv"


def new_run_folder(runs: Path, recipe_name: str) -> Path:
    """Make an empty folder named by the time and the recipe.

    Raises
    ------
    ProjectError
        If it can't be made.
    """
    start = f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{recipe_name}"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = runs / (start if number == 1 else f"{start}_{number}")
            if not folder.exists():
                folder.mkdir()
                return folder
    except OSError as e:
        raise ProjectError(
            f"No run folder can be made in '{runs}': {e}. Make room, or save the project elsewhere."
        ) from e
    raise ProjectError(f"'{runs}' holds a thousand runs named '{start}'. Move some of them away.")


def save_run(folder: Path, model: TrainedModel, history: list[EpochDone], data: TrainingSet | None = None) -> None:
    """Write the model, its card, ``history.csv``, and what the model says about its held-out cells.

    Parameters
    ----------
    folder
        Where.
    model, history
        What came of the training.
    data
        What it was trained on, to keep its labels as they are now: ``labels.csv``. None: they are not kept.

    Raises
    ------
    ModelError, ProjectError
        If that can't be written.
    """
    model.card.update(versions=versions(), machine=machine(model.recipe))
    if data is not None:
        shape = list(map(int, data.crops.shape[1:]))
        model.card["crops"] = {"shape": shape, "dtype": data.crops.dtype.name, "masks": data.masks is not None}
    model.save(folder)
    if data is not None:
        RunLabels.of(data, model.held_out).save(folder)
    _write(folder / HISTORY, _epochs(history))
    if model.unseen is not None:
        replace(model.unseen, run=folder.name).save(folder / UNSEEN)


def save_unseen(folder: Path, unseen: Unseen, scores: Scores) -> None:
    """Keep predictions out of fold in place of those of the held-out part, whose scores stay in the card beside.

    Raises
    ------
    ModelError
        If that can't be written.
    """
    card = read_card(folder)
    beside = folder / f"new_{UNSEEN}"  # whoever reads meanwhile finds the old file or the new one, never half of it
    try:
        unseen.save(beside)
        beside.replace(folder / UNSEEN)
    except OSError as e:
        raise ModelError(f"'{folder / UNSEEN}' can't be replaced: {e}. Close what reads it, and train again.") from e
    finally:
        beside.unlink(missing_ok=True)
    held_out = card.get("held_out_scores", card.get("scores"))
    folds = len(set(unseen.fold.tolist()))
    note_in_card(folder, scores=scores.to_dict(), held_out_scores=held_out, cross_validated=folds)


def note_in_card(folder: Path, **values: Any) -> None:
    """Change values in the card of a run; the card is replaced in one step.

    Raises
    ------
    ModelError
        If it can't be read or written.
    """
    file = folder / CARD
    try:
        card = json.loads(file.read_text(encoding="utf-8")) | values
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps(card, indent=1, ensure_ascii=False), encoding="utf-8")
        beside.replace(file)
    except (OSError, ValueError) as e:
        raise ModelError(f"'{file}' can't be changed: {e}. Make room, or train again.") from e


def save_predictions(folder: Path, snapshot: WorkSnapshot, predictions: dict[int, Predictions]) -> None:
    """Write ``predictions.csv``: one row a cell, of all images.

    Raises
    ------
    ProjectError
        If it can't be written.
    """
    tables = [
        image.with_notes(
            predictions[image.image_id].to_frame(image.stack.name, image.cells, image.class_ids, snapshot.scheme)
        )
        for image in snapshot.images
        if image.image_id in predictions
    ]
    _write(folder / PREDICTIONS, joined(tables) if tables else pd.DataFrame())


def _epochs(history: list[EpochDone]) -> pd.DataFrame:
    """Return one row an epoch; which member it is of is said for an ensemble only."""
    table = pd.DataFrame([asdict(one) for one in history])
    return table if any(one.member for one in history) else table.drop(columns="member", errors="ignore")


def _write(file: Path, table: pd.DataFrame) -> None:
    try:
        write_csv(table, file)
    except OSError as e:
        raise ProjectError(f"'{file}' can't be written: {e}. Make room, or save the project elsewhere.") from e
