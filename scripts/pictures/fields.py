"""The field that most pictures show: real dividing cells where they lie beside the project, else synthetic ones."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.images import open_image
from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.core.steps import finished
from napari_cellstage.sample_data import cell_cycle_field

from .places import FIELD, STAGES_TABLE

if TYPE_CHECKING:
    from napari_cellstage.session import Session

STAGES = ("interphase", "prophase", "prometaphase/metaphase", "anaphase", "telophase")


def open_field(session: Session) -> tuple[str, ...]:
    """Open the field with its cells and classes; return the stage of each cell, empty where not known."""
    return _real(session) if FIELD.is_file() else _synthetic(session)


def find_all(session: Session, settings: SegmentSettings) -> None:
    """Find the cells of the current image."""
    if session.current is not None:
        session.set_labels(finished(find_cells_in_stack(session.current, settings)))


def stages_at(session: Session, marks: list[tuple[float, float, str]]) -> tuple[str, ...]:
    """Return the stage of each cell of the current image, from places (y, x) whose stage is known."""
    stages = [""] * len(session.cells())
    for y, x, stage in marks:
        row = session.cell_at(0, 0, y, x)
        if row is not None:
            stages[row] = stage
    return tuple(stages)


def real_marks() -> list[tuple[float, float, str]]:
    """Return y, x and stage of the cells of the real field that were labelled by hand."""
    with STAGES_TABLE.open(encoding="utf-8") as file:
        return [(float(one["y"]), float(one["x"]), one["stage"]) for one in csv.DictReader(file)]


def most_labelled(session: Session, side: float) -> tuple[float, float]:
    """Return the middle, y and x, of the square of the current image with the most labelled cells."""
    cells, labelled = session.cells(), session.class_ids() > 0
    places = np.stack((cells.y, cells.x), axis=1)
    near: NDArray[np.int64] = (np.abs(places[:, None] - places[None, labelled]) < side / 2).all(axis=2).sum(axis=1)
    _, _, _, height, width = session.current.shape if session.current else (1, 1, 1, side, side)
    y, x = places[near.argmax()].clip(side / 2, (height - side / 2, width - side / 2))
    return float(y), float(x)


def _real(session: Session) -> tuple[str, ...]:
    session.add_image(open_image(FIELD))
    session.find_channel = 1
    find_all(session, SegmentSettings(channel=1))
    for name in STAGES:
        session.add_class(name)
    return stages_at(session, real_marks())


def _synthetic(session: Session) -> tuple[str, ...]:
    field = cell_cycle_field()
    session.add_image(field.stack)
    find_all(session, SegmentSettings())
    session.use_template("cell cycle")
    labels = session.labels()
    return field.truth_of(labels) if labels is not None else ()
