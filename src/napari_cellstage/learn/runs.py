"""Run folders: what each training leaves on disk for the user to look at and the program to load again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import pandas as pd

from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.predictions import Predictions, joined
from napari_cellstage.core.safe_csv import write_csv
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.events import EpochDone
from napari_cellstage.learn.model import TrainedModel

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


def save_run(folder: Path, model: TrainedModel, history: list[EpochDone]) -> None:
    """Write the model, its card and ``history.csv``.

    Raises
    ------
    ModelError, ProjectError
        If that can't be written.
    """
    model.save(folder)
    _write(folder / HISTORY, pd.DataFrame([asdict(one) for one in history]))


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


def _write(file: Path, table: pd.DataFrame) -> None:
    try:
        write_csv(table, file)
    except OSError as e:
        raise ProjectError(f"'{file}' can't be written: {e}. Make room, or save the project elsewhere.") from e
