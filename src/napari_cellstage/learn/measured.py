"""Features and embedding of every cell, image by image, for an AnnData file; crops never lie in memory all at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.exporting.anndata_file import Measured, check_anndata, write_anndata
from napari_cellstage.core.exporting.places import free_file
from napari_cellstage.core.exporting.source import Exported, ExportError, ExportImage, ExportSource
from napari_cellstage.core.exporting.table import image_frame
from napari_cellstage.core.features import cell_features
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.predicted import predicted_among
from napari_cellstage.core.seeing import lacks
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.learn.cutting import Cutter
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
        elif source.seen is not None:
            lacking = source.seen.lacking(image.stack.channel_names, image.stack.own_shape[1])
            if lacking:
                notes.append(f"{lacks(image.name, lacking)} Its cells were not measured.")
            else:
                usable.append(replace(image, stack=source.seen.of(image.stack)))
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

    knife = _Knife(images, source.channels, recipe)
    normalisation = _normalisation(images, knife, labelled_only)
    embedder = _embedder(source, images[0].stack)
    own_knife = _Knife(images, source.channels, embedder.model.recipe) if embedder else None
    total, done = sum(len(i.rows(labelled_only)) for i in images), 0
    names: tuple[str, ...] = ()
    features, embedded, tables = [], [], []
    what = embedder.source if embedder else ""
    for image in images:
        tables.append(image_frame(image, source, labelled_only))
        cutter = knife.of(image)
        own_cutter = own_knife.of(image) if own_knife else None
        for rows in _batches(image, labelled_only):
            if should_stop():
                return None
            crops, masks = cutter.cut(rows)
            normal = normalisation.apply(crops)
            found = cell_features(normal, masks)
            features.append(found.values)
            names = found.names
            if embedder is not None and own_cutter is not None:
                embedded.append(embedder.embed(own_cutter.cut(rows)[0]))
            elif pretrained_at_hand(recipe):
                from napari_cellstage.learn.embedding import frozen_embedding

                values, what = frozen_embedding(normal, recipe)
                embedded += [] if values is None else [values]
            done += len(rows)
            yield done, total
    table = pd.concat(tables, ignore_index=True)
    return Measured(table, np.concatenate(features), names, np.concatenate(embedded) if embedded else None, what)


def _embedder(source: ExportSource, stack: ImageStack | None) -> Embedder | None:
    if source.runs is None or not source.runs.is_dir() or not any(source.runs.iterdir()):
        return None
    from napari_cellstage.learn.embedding import latest_embedder  # brings torch

    names = stack.channel_names if stack is not None else ()
    stains = predicted_among([names[channel] for channel in source.channels if channel < len(names)])
    return latest_embedder(source.runs, len(source.channels), stains)


def _normalisation(images: list[ExportImage], knife: _Knife, labelled_only: bool) -> Normalisation:
    """Take the intensity range of the data set from cells spread over all images."""
    every = max(1, -(-sum(len(i.rows(labelled_only)) for i in images) // _SAMPLE))
    parts = []
    for image in images:
        rows = image.rows(labelled_only)[::every]
        if len(rows):
            crops, _ = knife.of(image).cut(rows)
            parts.append(crops.transpose(1, 0, 2, 3).reshape(crops.shape[1], -1))
    return Normalisation.of(np.concatenate(parts, axis=1)[None, :, None, :])


def _batches(image: ExportImage, labelled_only: bool) -> Iterator[Rows]:
    rows = image.rows(labelled_only)
    yield from np.split(rows, range(_BATCH, len(rows), _BATCH)) if len(rows) else ()


@dataclass(frozen=True)
class _Knife:
    """Makes what cuts the cells of one image as a training by a recipe would; labels are read then, and let go after.

    Parameters
    ----------
    images
        All that are measured: those of one plate may share their intensity range.
    channels, recipe
        Which channels, and how.
    """

    images: Sequence[ExportImage]
    channels: tuple[int, ...]
    recipe: Recipe

    def of(self, image: ExportImage) -> Cutter:
        """Return what cuts the cells of an image."""
        labels = image.volume()
        if image.stack is None or labels is None:
            raise ExportError(f"The cells of '{image.name}' can't be read any more. Find them again.")
        plate = image.facts.plate
        frozen = ImageSnapshot(image.image_id, image.stack, image.cells, labels, image.class_ids, plate=plate)
        wanted = self.recipe.normalise == "plate" and plate
        beside = (i.stack for i in self.images if wanted and i.facts.plate == plate and i.stack is not None)
        return Cutter(frozen, self.channels, self.recipe, tuple(beside))
