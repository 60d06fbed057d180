"""`napari-cellstage predict`: find the cells of an image, or take those given, and predict the class of each."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from napari_cellstage.cli.answers import write_json, write_table
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.scoring import load_model
from napari_cellstage.cli.segmenting import SegmentChoices, find_with_progress
from napari_cellstage.cli.sources import ProjectData
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.images import ImageStack, open_image
from napari_cellstage.core.segment import adopt_labels
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.core.volumes import LabelVolume


def predict_image(
    run: Path,
    image: Path,
    labels: Path | None,
    out: Path,
    *,
    channel: int | None,
    use_channels: tuple[int, ...],
    device: str | None,
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
    as_json
        Whether to end with a line of JSON.
    """
    model, stack, reporter, start = load_model(run, device), open_image(image), Reporter(), time.perf_counter()
    if labels is None:
        volume = find_with_progress(stack, SegmentChoices(channel=channel).on(stack, reporter), reporter)
    else:
        volume = _read_labels(labels, stack)
    data = ProjectData(_as_work(stack, volume, use_channels))
    with stop_on_interrupt(reporter.say) as should_stop:
        table = reporter.follow(data.table(model, should_stop))
    write_table(table, out)
    counts = table["predicted"].value_counts()
    for name in model.classes.names:
        reporter.say(f"{name:20} {counts.get(name, 0):6d}")
    reporter.say(f"{len(table)} cells, saved in {out}")
    if as_json:
        found = {name: int(counts.get(name, 0)) for name in model.classes.names}
        seconds = time.perf_counter() - start
        write_json({"cells": len(table), "predicted": found, "seconds": round(seconds, 3), "table": str(out)})


def _read_labels(file: Path, stack: ImageStack) -> LabelVolume:
    return adopt_labels(open_image(file).data[:, 0], stack)


def _as_work(stack: ImageStack, labels: LabelVolume, use_channels: tuple[int, ...]) -> WorkSnapshot:
    from napari_cellstage.core.classes import ClassScheme

    cells = CellTable.from_labels(labels)
    image = ImageSnapshot(1, stack, cells, labels, np.zeros(len(cells), dtype=np.int64))
    return WorkSnapshot((image,), ClassScheme(), use_channels or tuple(range(stack.shape[1])))
