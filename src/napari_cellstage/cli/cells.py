"""`napari-cellstage segment` and `predict`: find the cells of an image, and predict the class of each."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import tifffile

from napari_cellstage.cli.answers import cannot_write, write_json, write_table
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.scoring import load_model
from napari_cellstage.cli.sources import ProjectData
from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.choices import nuclear_channel
from napari_cellstage.core.images import ImageStack, open_image
from napari_cellstage.core.segment import SegmentSettings, adopt_labels, find_cells_in_stack
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot


def segment_image(image: Path, out: Path, *, channel: int | None, as_json: bool) -> None:
    """Find the cells of an image and write them as a label image.

    Parameters
    ----------
    image, out
        Files.
    channel
        In which the cells are found; None: one named after a nuclear stain.
    as_json
        Whether to end with a line of JSON.
    """
    stack, reporter, start = open_image(image), Reporter(), time.perf_counter()
    labels = _find(stack, channel, reporter)
    write_labels(labels, out)
    count = len(CellTable.from_labels(labels))
    reporter.say(f"{count} cells, saved in {out}")
    if as_json:
        write_json({"cells": count, "seconds": round(time.perf_counter() - start, 3), "labels": str(out)})


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
        In which cells are found; None: one named after a nuclear stain.
    use_channels
        Which the model looks at; empty: those with the names it was trained on, else all.
    device
        Where to predict; None leaves the recipe's choice.
    as_json
        Whether to end with a line of JSON.
    """
    model, stack, reporter, start = load_model(run, device), open_image(image), Reporter(), time.perf_counter()
    volume = _find(stack, channel, reporter) if labels is None else _read_labels(labels, stack)
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


def write_labels(labels: Labels, file: Path) -> None:
    """Write labels ``(T, Z, Y, X)`` as TIFF, compressed, in the smallest integers that hold them."""
    axes = "".join(axis for axis, length in zip("TZ", labels.shape, strict=False) if length > 1) + "YX"
    planes = labels.reshape([n for n in labels.shape[:2] if n > 1] + list(labels.shape[2:]))
    small = planes.astype(np.min_scalar_type(int(planes.max(initial=0)))) if planes.max(initial=0) < 2**16 else planes
    if small.dtype == np.uint8:
        small = small.astype(np.uint16)  # a label image of 8 bits is easily taken for a picture
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Without "minisblack" three planes would become a colour picture.
        tifffile.imwrite(
            file,
            small,
            compression="zlib",
            photometric="minisblack",
            metadata={"axes": axes},
            bigtiff=small.nbytes > 2**31,
        )
    except OSError as error:
        raise cannot_write(file, error) from error


def _find(stack: ImageStack, channel: int | None, reporter: Reporter) -> Labels:
    chosen = nuclear_channel(stack.channel_names) if channel is None else channel
    with stop_on_interrupt(reporter.say) as should_stop:
        work = find_cells_in_stack(stack, SegmentSettings(channel=chosen), should_stop)
        return reporter.follow(work, "finding cells")


def _read_labels(file: Path, stack: ImageStack) -> Labels:
    return adopt_labels(open_image(file).data[:, 0], stack)


def _as_work(stack: ImageStack, labels: Labels, use_channels: tuple[int, ...]) -> WorkSnapshot:
    from napari_cellstage.core.classes import ClassScheme

    cells = CellTable.from_labels(labels)
    image = ImageSnapshot(1, stack, cells, labels, np.zeros(len(cells), dtype=np.int64))
    return WorkSnapshot((image,), ClassScheme(), use_channels or tuple(range(stack.shape[1])))
