"""What is said of a tile: short signs upon it, and all of it in words when the mouse rests on it."""

from __future__ import annotations

from html import escape

import numpy as np

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.session import Session
from napari_cellstage.ui.review.crop_looks import Picture
from napari_cellstage.ui.review.shown_cells import SUSPICIOUS as SUSPICIOUS_FROM
from napari_cellstage.ui.review.shown_cells import ShownCells
from napari_cellstage.ui.review.tiles import Tile, percent

CHANGED, ACCEPTED, SUSPICIOUS, UNLIKE = "*", "✓", "?", "≠"
_WORDS = {
    CHANGED: "label changed since the gallery was filled",
    ACCEPTED: "label accepted from the model",
    SUSPICIOUS: "the label is likely wrong",
    UNLIKE: "unlike the cells the model was trained on",
}


def marks_of(shown: ShownCells, place: int) -> tuple[str, ...]:
    """Return the signs of a tile."""
    table = shown.table
    changed = bool(shown.label[place] != shown.first[place])
    flags = (
        (CHANGED, changed),
        (ACCEPTED, bool(shown.accepted[place])),
        (SUSPICIOUS, not changed and float(table.suspicion[place]) >= SUSPICIOUS_FROM),
        (UNLIKE, float(table.unlike[place]) > 1),
    )
    return tuple(mark for mark, on in flags if on)


def tile_of(shown: ShownCells, place: int, picture: Picture | None, chosen: bool) -> Tile:
    """Return what is painted of a cell."""
    table = shown.table
    label, predicted, sure = int(shown.label[place]), int(table.predicted[place]), float(table.confidence[place])
    return Tile(picture, label, predicted, sure, marks_of(shown, place), float(table.unlike[place]) > 1, chosen)


def tip_of(session: Session, shown: ShownCells, place: int) -> str:
    """Return a few lines on a cell, safe to be shown as rich text whatever its class is called."""
    image_id, t, cell_id = shown.name(place)
    names = {one.id: one.name for one in session.scheme} | {UNLABELLED: "none"}
    table = shown.table
    image = next((one.name for one in session.images if one.image_id == image_id), f"image {image_id}")
    frames = f", time {t}" if t else ""
    lines = [f"{image}{frames}, cell {cell_id}", f"label: {names.get(int(shown.label[place]), '')}"]
    if table.predicted[place] != UNLABELLED:
        sure, next_one = float(table.confidence[place]), int(table.runner_up[place])
        line = f"predicted: {names.get(int(table.predicted[place]), '')}"
        lines.append(line if np.isnan(sure) else f"{line}, {percent(sure)} %")
        if next_one != UNLABELLED:
            lines.append(f"second: {names.get(next_one, '')}")
    lines += [f"{mark} {_WORDS[mark]}" for mark in marks_of(shown, place)]
    return "<br>".join(escape(line) for line in lines)
