"""Features and embedding of every cell, image by image, for an AnnData file; crops never lie in memory all at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.exporting.anndata_file import Measured, check_anndata, write_anndata
from napari_cellstage.core.exporting.places import free_file
from napari_cellstage.core.exporting.source import Exported, ExportError, ExportImage, ExportSource
from napari_cellstage.core.exporting.table import image_frame
from napari_cellstage.core.features import cell_features
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.learn.cutting import Cutter, plates_of
from napari_cellstage.learn.measure import pretrained_at_hand
from napari_cellstage.learn.recipe import Recipe

if TYPE_CHECKING:
    from napari_cellstage.learn.embedding import Embedder

ShouldStop = Callable[[], bool]
Rows = NDArray[np.int64]
_BATCH = 512
_SAMPLE = 2000  # cells that the intensity range is taken from


def export_anndata(
    source: ExportSource,
    out: Path,
    labelled_only: bool,
    should_stop: ShouldStop,
    recipe: Recipe | None = None,
    overwrite: bool = False,
) -> Generator[tuple[int, int], None, Exported]:
    """Measure cells and write an ``.h5ad`` file; yields cells done and all cells.

    Parameters
    ----------
    source
        What to export.
    out
        The file.
    labelled_only
        Without the cells that have no label.
    should_stop
        Asked batch by batch; nothing is written after a stop.
    recipe
        Crop size and normalisation; the quick recipe's when None.
    overwrite
        The file may be replaced.

    Raises
    ------
    ExportError, MissingExtraError
        If there are no cells, none has pixels, or anndata is not installed.
    """
    check_anndata()
    source.check_cells(labelled_only)
    free_file(out, overwrite)
    recipe = recipe or Recipe.load("quick")
    usable, notes = _usable(source)
    measured = yield from _measured(usable, source, labelled_only, recipe, should_stop)
    if measured is None:
        return Exported(0, (out,), ("Nothing was written, as not all cells were measured.",), True)
    write_anndata(measured, source, out, overwrite)
    if measured.embedding is None:
        notes.append("There is no X_embedding: it comes from a network, so train one first if you want it.")
    return Exported(len(measured.table), (out,), tuple(notes))


def _usable(source: ExportSource) -> tuple[list[ExportImage], list[str]]:
    """Return the images whose cells can be measured, and why the others can't."""
    usable, notes = [], []
    for image in source.images:
        if image.stack is None:
            notes.append(f"The file of '{image.name}' is missing, so its cells were not measured.")
        elif image.labels is None:
            notes.append(f"The cells of '{image.name}' can't be read, so they were not measured.")
        elif max(source.channels, default=0) >= image.stack.shape[1]:
            notes.append(
                f"'{image.name}' has {image.stack.shape[1]} channels, fewer than the model sees, so its cells were not "
                "measured."
            )
        else:
            usable.append(image)
    if not usable:
        raise ExportError(f"No cell can be measured: {notes[0]} Find the file, or choose other channels.")
    return usable, notes


def _measured(
    images: list[ExportImage], source: ExportSource, labelled_only: bool, recipe: Recipe, should_stop: ShouldStop
) -> Generator[tuple[int, int], None, Measured | None]:
    import pandas as pd

    cutters = _cutters(images, source, recipe)
    normalisation = _normalisation(images, cutters, labelled_only)
    embedder = _embedder(source)
    own_cutters = _cutters(images, source, embedder.model.recipe) if embedder else {}
    total, done = sum(len(i.rows(labelled_only)) for i in images), 0
    names: tuple[str, ...] = ()
    features, embedded, tables = [], [], []
    what = embedder.source if embedder else ""
    for image in images:
        tables.append(image_frame(image, source, labelled_only))
        for rows in _batches(image, labelled_only):
            if should_stop():
                return None
            crops, masks = cutters[image.image_id].cut(rows)
            normal = normalisation.apply(crops)
            found = cell_features(normal, masks)
            features.append(found.values)
            names = found.names
            if embedder is not None:
                embedded.append(embedder.embed(own_cutters[image.image_id].cut(rows)[0]))
            elif pretrained_at_hand(recipe):
                from napari_cellstage.learn.embedding import frozen_embedding

                values, what = frozen_embedding(normal, recipe)
                embedded += [] if values is None else [values]
            done += len(rows)
            yield done, total
    table = pd.concat(tables, ignore_index=True)
    return Measured(table, np.concatenate(features), names, np.concatenate(embedded) if embedded else None, what)


def _embedder(source: ExportSource) -> Embedder | None:
    if source.runs is None or not source.runs.is_dir() or not any(source.runs.iterdir()):
        return None
    from napari_cellstage.learn.embedding import latest_embedder  # brings torch

    return latest_embedder(source.runs, len(source.channels))


def _normalisation(images: list[ExportImage], cutters: dict[int, Cutter], labelled_only: bool) -> Normalisation:
    """Take the intensity range of the data set from cells spread over all images."""
    every = max(1, -(-sum(len(i.rows(labelled_only)) for i in images) // _SAMPLE))
    parts = []
    for image in images:
        rows = image.rows(labelled_only)[::every]
        if len(rows):
            crops, _ = cutters[image.image_id].cut(rows)
            parts.append(crops.transpose(1, 0, 2, 3).reshape(crops.shape[1], -1))
    return Normalisation.of(np.concatenate(parts, axis=1)[None, :, None, :])


def _batches(image: ExportImage, labelled_only: bool) -> Iterator[Rows]:
    rows = image.rows(labelled_only)
    yield from np.split(rows, range(_BATCH, len(rows), _BATCH)) if len(rows) else ()


def _cutters(images: list[ExportImage], source: ExportSource, recipe: Recipe) -> dict[int, Cutter]:
    """Return by image what cuts its cells, as a training by that recipe would."""
    snapshots = [
        ImageSnapshot(i.image_id, i.stack, i.cells, i.labels, i.class_ids, plate=i.facts.plate)
        for i in images
        if i.stack is not None and i.labels is not None
    ]
    plates = plates_of(snapshots, recipe)
    return {one.image_id: Cutter(one, source.channels, recipe, plates.get(one.plate, ())) for one in snapshots}
