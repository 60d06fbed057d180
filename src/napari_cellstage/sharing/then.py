"""Which label and part each cell of a run had in its training, and whether its data say something else today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.seeing import as_seen_by
from napari_cellstage.learn.data import TrainingSet, cell_names
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_labels import HELD_OUT, LABELS, TRAINED, RunLabels
from napari_cellstage.sharing.contents import BundleError, some
from napari_cellstage.sharing.gather import Source, identity


def labels_then(
    run: Path, card: Mapping[str, Any], source: Source, recipe: Recipe
) -> tuple[RunLabels, tuple[str, ...]]:
    """Return the labels of a run, and what to know of them, as sentences.

    Parameters
    ----------
    run
        Its folder.
    card
        Of the run.
    source
        The data as they are today: the labels are of these where the run has not kept its own.
    recipe
        How cells are cut out of images.

    Raises
    ------
    ModelError, BundleError
        If what was kept is damaged, or cells are gone.
    """
    kept = RunLabels.load(run / LABELS)
    if kept is None:
        return _of_today(card, source, recipe)
    today = _today(source)
    pairs = zip(kept.names, kept.classes, strict=True)
    changed = sum(today.get(identity(name)) not in (label, None) for name, label in pairs)
    lost = sum(identity(name) not in today for name in kept.names)
    notes = []
    if changed:
        notes.append(
            f"{changed:,} of {len(kept):,} cells have another label today: these are the labels of the training."
        )
    if lost and not isinstance(source, CropSet):
        notes.append(f"{lost:,} of {len(kept):,} cells have no label today: these are the labels of the training.")
    return kept, tuple(notes)


def _of_today(card: Mapping[str, Any], source: Source, recipe: Recipe) -> tuple[RunLabels, tuple[str, ...]]:
    """Return today's labels of the cells that a card names: for runs of versions that kept none."""
    split = card["split"]
    parts = dict.fromkeys(map(identity, split["held_out"]), HELD_OUT) | dict.fromkeys(
        map(identity, split["trained"]), TRAINED
    )
    data = _training_set(card, source, recipe)
    known = np.array([identity(name) in parts for name in data.names], dtype=bool)
    if gone := set(parts) - {identity(name) for name in data.names}:
        raise BundleError(
            f"{len(gone):,} of {len(parts):,} cells that the run was trained on are not in the data, or have no label "
            f"any more: {some(gone)}. Bring the data back to how they were, or train anew and share that run."
        )
    data = data.take(known)
    held_out = np.array([parts[identity(name)] == HELD_OUT for name in data.names], dtype=bool)
    found = RunLabels.of(data, held_out)
    note = "An earlier version made this run, which kept no labels: these are the labels of today."
    if Counter(found.classes) != Counter(card.get("labels") or Counter(found.classes)):
        note += " Classes have other counts than in training, so some labels have changed, and figures will differ."
    return found, (note,)


def _training_set(card: Mapping[str, Any], source: Source, recipe: Recipe) -> TrainingSet:
    if isinstance(source, CropSet):
        return TrainingSet.from_crops(source, recipe)
    names = [str(name) for name in card.get("channel_names", ())]
    return TrainingSet.from_snapshot(as_seen_by(source, tuple(card["channels"]), names), recipe)


def _today(source: Source) -> dict[str, str]:
    """Return the class of each labelled cell of the data, by `identity`."""
    if isinstance(source, CropSet):
        return {identity(n): source.classes[i] for n, i in zip(source.names, source.labels.tolist(), strict=True)}
    classes, found = dict(zip(source.scheme.ids, source.scheme.names, strict=True)), {}
    for image in source.images:
        for name, class_id in zip(cell_names(image), image.class_ids.tolist(), strict=True):
            if class_id in classes:
                found[identity(name)] = classes[class_id]
    return found
