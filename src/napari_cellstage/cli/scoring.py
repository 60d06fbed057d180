"""`napari-cellstage evaluate`: a model's score on labelled cells that it was not trained on, and on no others."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_cellstage.cli.answers import figures, score_lines, write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.sources import Data, Labelled, image_of, read_data
from napari_cellstage.core.errors import CellStageError, ModelError, TrainingError
from napari_cellstage.core.predictions import HELD_OUT, PART_NAMES, TRAINED
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.calibration import calibrated
from napari_cellstage.core.scoring.scores import Scores, score_unseen
from napari_cellstage.core.scoring.words import cells_words
from napari_cellstage.learn.examples import examples_of
from napari_cellstage.learn.model import TrainedModel

if TYPE_CHECKING:
    import pandas as pd


def evaluate_run(
    run: Path,
    path: Path,
    *,
    device: str | None,
    group_from: str | None,
    classes: str | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Predict the labelled cells of the data and score those that the model has not learnt from.

    Parameters
    ----------
    run, path
        Run folder and data.
    device
        Where to predict; None leaves the recipe's choice.
    group_from
        Regular expression for the group of a crop: cells of a group with trained cells are left out, too.
    classes
        Cells of these classes alone are scored, names with commas between; None: all.
    report
        HTML file to write; None: none.
    as_json
        Whether to end with a line of JSON.
    """
    model = load_model(run, device)
    data, reporter = read_data(path, group_from, classes), Reporter()
    for note in data.notes:
        reporter.say(note)
    start = time.perf_counter()
    with stop_on_interrupt(reporter.say) as should_stop:
        table = reporter.follow(data.table(model, should_stop, labelled_only=True))
    seconds = time.perf_counter() - start
    fresh = _not_learnt_from(_of_task(table, data, model, reporter), model, group_from, reporter)
    unseen = _unseen(_of_known_classes(fresh, model, reporter), data.labelled(), model)
    scores = _scored(unseen, model)
    for line in score_lines(scores, "accuracy on cells not trained on:"):
        reporter.say(line)
    if report is not None:
        reporter.say(f"report in {_write_report(report, run, path, data, model, unseen, scores)}")
    if as_json:
        counts = {
            "n_train": len(model.card["split"]["trained"]),
            "n_test": scores.n,
            "n_left_out": len(table) - scores.n,
        }
        speed = {"seconds": round(seconds, 3), "images_per_second": round(len(table) / seconds, 1)}
        write_json(figures(scores) | counts | {"classes": list(scores.classes)} | speed)


def load_model(run: Path, device: str | None) -> TrainedModel:
    """Load a model from its run folder, to be used on a device."""
    if not run.is_dir():
        raise ModelError(f"There is no folder '{run}'. Name the folder that a training was saved in.")
    model = TrainedModel.load(run)
    return model if device is None else model.on_device(device)


def _of_task(table: pd.DataFrame, data: Data, model: TrainedModel, reporter: Reporter) -> pd.DataFrame:
    """Return the cells of the classes that are to be told apart."""
    if data.task is None:
        return table
    for name in data.task.left_out(data.class_names):
        reporter.say(f"Left out {cells_words(int((table['label'] == name).sum()))} of class '{name}'.")
    if others := data.task.left_out(model.classes.names):
        reporter.say(f"The model may still answer {', '.join(others)}, which counts as wrong.")
    return table[table["label"].isin(data.task.classes)]


def _not_learnt_from(
    table: pd.DataFrame, model: TrainedModel, group_from: str | None, reporter: Reporter
) -> pd.DataFrame:
    seen = (table["part"] == PART_NAMES[TRAINED]).to_numpy(dtype=bool, copy=True)
    if group_from is not None:
        groups = _groups_trained_on(model, group_from)
        seen |= np.array([_group(name, group_from) in groups for name in table["image"]], dtype=bool)
    if seen.any():
        reporter.say(f"Left out {seen.sum()} of {len(table)} cells: the model was trained on them or on their group.")
    if len(table) and seen.all():
        raise TrainingError(
            f"All {len(table)} labelled cells are ones the model was trained on, so there is nothing to score on. "
            "Give cells that it has not seen."
        )
    return table[~seen]


def _groups_trained_on(model: TrainedModel, group_from: str) -> set[str]:
    names = (name.rpartition("#")[0] for name in model.card["split"]["trained"])
    return {_group(name, group_from) for name in names}


def _group(name: str, group_from: str) -> str:
    """Return the group of a crop by its name; the name itself where the expression does not fit."""
    found = re.search(group_from, name)
    if found is None:
        return name
    return (found.group(1) if found.re.groups else found.group(0)) or ""


def _of_known_classes(table: pd.DataFrame, model: TrainedModel, reporter: Reporter) -> pd.DataFrame:
    known = table["label"].isin(model.classes.names)
    if not known.all():
        others = ", ".join(sorted(set(table.loc[~known, "label"])))
        reporter.say(f"Left out {(~known).sum()} cells of classes that the model does not know: {others}.")
    if len(table) and not known.any():
        raise TrainingError(
            f"No cell is of a class that the model knows ({', '.join(model.classes.names)}). "
            "Name the classes as in training."
        )
    there = set(table.loc[known, "label"])
    if lacking := [name for name in model.classes.names if name not in there]:
        reporter.say(
            f"No cell to score on is of {', '.join(lacking)}: the figures are over the classes that are there."
        )
    return table[known]


def _unseen(table: pd.DataFrame, listed: Labelled, model: TrainedModel) -> Unseen:
    """Return what the model says of some rows of the table, those that were reached before Ctrl+C."""
    table = table[table["predicted"] != ""]
    rows, held_out = table.index.to_numpy(), (table["part"] == PART_NAMES[HELD_OUT]).all()
    places = {name: place for place, name in enumerate(model.classes.names)}
    probabilities = table[[f"p_{name}" for name in places]].to_numpy(dtype=np.float32)
    temperature = float(model.card.get("temperature") or 1.0)
    return Unseen(
        names=listed.names[rows],
        truth=np.asarray(table["label"].map(places), dtype=np.int64),
        groups=listed.groups[rows],
        fold=np.zeros(len(rows), dtype=np.int64),
        probabilities=probabilities,
        raw=calibrated(probabilities, 1 / temperature),  # back to what it was before
        classes=model.classes,
        by_cell=bool(len(rows) and held_out) and not model.card["split"].get("groups_held_out"),
        unlike=table["unlike"].to_numpy(dtype=np.float32) if "unlike" in table else None,
    )


def _scored(unseen: Unseen, model: TrainedModel) -> Scores:
    """Return how good the answers are, with a warning where the model has learnt from the same images."""
    scores = score_unseen(unseen)
    learnt_from = {image_of(name) for name in model.card["split"]["trained"]} - {""}
    beside = sum(image_of(name) in learnt_from for name in unseen.names.tolist())
    if not beside or unseen.by_cell:
        return scores
    told = (
        f"{beside:,} of the {scores.n:,} cells are in images whose other cells the model was trained on: on a new "
        "image the score will likely be lower."
    )
    return replace(scores, warnings=(told, *scores.warnings))


def _write_report(
    out: Path, run: Path, path: Path, data: Data, model: TrainedModel, unseen: Unseen, scores: Scores
) -> Path:
    """Write the same page as of a training, about these cells."""
    from napari_cellstage.reporting.run_facts import read_run
    from napari_cellstage.reporting.write import write_page

    notes, examples = [], None
    try:
        examples = examples_of(data.training_set(model.cutting), unseen)
    except CellStageError as error:
        notes.append(f"There are no pictures of these cells: {error}")
    facts = replace(
        read_run(run),
        classes=model.classes,
        scores=scores,
        unseen=unseen,
        examples=examples,
        folds=0,
        missing=(),
        tried_on=path.name or str(path),
        notes=tuple(notes),
    )
    return write_page(facts, out)
