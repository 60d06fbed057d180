"""`napari-cellstage predict`: find the cells of an image, or take those given, and predict the class of each."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_cellstage.cli.answers import write_json, write_table
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.scoring import load_model
from napari_cellstage.cli.segmenting import SegmentChoices, chosen_scenes, find_with_progress
from napari_cellstage.cli.sources import ProjectData
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.companion_labels import read_companion
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.scoring.words import cells_words
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.core.volumes import LabelVolume

NO_PLATE = (
    "The model was trained on intensities scaled by plate. Of which plate an image is, is not known here, so it is "
    "scaled by itself alone. Import the images into a project with their plate to have them scaled together."
)


def predict_image(
    run: Path,
    image: Path,
    labels: Path | None,
    out: Path,
    *,
    channel: int | None,
    use_channels: tuple[int, ...],
    device: str | None,
    axes: str | None = None,
    scene: str | None = None,
    as_json: bool,
) -> None:
    """Predict the class of every cell of an image and write the table.

    Parameters
    ----------
    run
        Run folder with the model.
    image, labels
        Image, and label image of its cells; without one the cells are found.
    out
        Table to write.
    channel
        In which cells are found; None: the one that shows nuclei by its name or its looks.
    use_channels
        Which the model looks at; empty: those with the names it was trained on, else all.
    device
        Where to predict; None leaves the recipe's choice.
    axes
        Of the image, where its file does not say them or says wrong.
    scene
        Which one of the file, ``"all"``: each, in one table; None: the only one.
    as_json
        Whether to end with a line of JSON.
    """
    model, reporter, start = load_model(run, device), Reporter(), time.perf_counter()
    stacks = chosen_scenes(image, axes, scene)
    if labels is not None and len(stacks) > 1:
        raise CellsError(
            f"The labels '{labels.name}' are of one image, but '{image.name}' has {len(stacks)} scenes. "
            "Choose one with --scene NAME, or leave --labels out."
        )
    if model.normalisation.mode == "plate":
        reporter.say(NO_PLATE)
    tables = []
    for stack in stacks:
        volume = _cells_of(stack, labels, channel, reporter)
        data = ProjectData(_as_work(stack, volume, use_channels))
        with stop_on_interrupt(reporter.say) as should_stop:
            tables.append(reporter.follow(data.table(model, should_stop)))
    table = pd.concat(tables, ignore_index=True)
    write_table(table, out)
    found = _figures(table, model.classes.names)
    for line in _lines(found):
        reporter.say(line)
    reporter.say(f"{cells_words(len(table))}, saved in {out}")
    if as_json:
        write_json(found | {"seconds": round(time.perf_counter() - start, 3), "table": str(out)})


def _figures(table: pd.DataFrame, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return how many cells there are, of each class, and unlike those that the model was trained on."""
    counts = table["predicted"].value_counts()
    unlike = int(table["flagged"].sum()) if "flagged" in table else 0
    return {"cells": len(table), "predicted": {name: int(counts.get(name, 0)) for name in classes}, "unlike": unlike}


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{name:20} {count:6d}" for name, count in found["predicted"].items()]
    if unlike := found["unlike"]:
        verb, whose = ("is", "its") if unlike == 1 else ("are", "their")
        lines.append(f"{cells_words(unlike)} {verb} unlike those the model was trained on: {whose} class may be wrong")
    return lines


def _cells_of(stack: ImageStack, labels: Path | None, channel: int | None, reporter: Reporter) -> LabelVolume:
    """Return the cells of an image: those of a file, or found."""
    if labels is None:
        return find_with_progress(stack, SegmentChoices(channel=channel).on(stack, reporter), reporter)
    return read_companion(labels, stack)


def _as_work(stack: ImageStack, labels: LabelVolume, use_channels: tuple[int, ...]) -> WorkSnapshot:
    from napari_cellstage.core.classes import ClassScheme

    cells = CellTable.from_labels(labels)
    image = ImageSnapshot(1, stack, cells, labels, np.zeros(len(cells), dtype=np.int64))
    return WorkSnapshot((image,), ClassScheme(), use_channels or tuple(range(stack.shape[1])))
