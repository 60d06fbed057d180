"""Make the pictures of the docs: finding whole cells, labelling, and the overlay after training, in a real window.

On the real field of dividing cells where it lies beside the project, else on the synthetic sample.
Run on a screen: `.venv/bin/python -m napari_cellstage.screen scripts/screenshots.py`
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from qtpy.QtWidgets import QApplication

from napari_cellstage.core.images import open_image
from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.demo import finished, label_some, save_screenshot
from napari_cellstage.sample_data import cell_cycle_field
from napari_cellstage.session import Session
from napari_cellstage.window import open_viewer

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "images"
REAL_FIELD = ROOT.parent / "shared" / "data" / "fields" / "tubulin_h2b_field.tif"
REAL_STAGES = ROOT / "tests" / "tables" / "tubulin_h2b_stages.csv"
STAGES = ("interphase", "prophase", "prometaphase/metaphase", "anaphase", "telophase")
LABELLED = 12  # of each class, so that there are others to be predicted
WINDOW = (1280, 800)
SIDE = 520  # pixels of the field that the picture is about


def real_field(session: Session) -> tuple[str, ...]:
    """Open the real field with its cells and classes; return the stage of each cell, empty where not given by hand."""
    stack = open_image(REAL_FIELD)
    session.add_image(stack)
    session.find_channel = 1
    session.set_labels(finished(find_cells_in_stack(stack, SegmentSettings(channel=1))))
    with REAL_STAGES.open(encoding="utf-8") as file:
        marks = list(csv.DictReader(file))
    for name in STAGES:
        session.add_class(name)
    stages = [""] * len(session.cells())
    for mark in marks:
        row = session.cell_at(0, 0, float(mark["y"]), float(mark["x"]))
        if row is not None:
            stages[row] = mark["stage"]
    return tuple(stages)


def synthetic_field(session: Session) -> tuple[str, ...]:
    """Open the synthetic sample with its cells and classes; return the stage of each cell."""
    field = cell_cycle_field()
    session.add_image(field.stack)
    session.set_labels(finished(find_cells_in_stack(field.stack, SegmentSettings())))
    session.use_template("cell cycle")
    labels = session.labels()
    return field.truth_of(labels) if labels is not None else ()


def let_it_paint(seconds: float) -> None:
    """Let the window do what it has to do."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def look_at_most_labels(viewer: object, session: Session) -> None:
    """Zoom to the part of the field with the most labelled cells."""
    cells, labelled = session.cells(), session.class_ids() > 0
    places = np.stack((cells.y, cells.x), axis=1)
    near = (np.abs(places[:, None] - places[None, labelled]) < SIDE / 2).all(axis=2).sum(axis=1)
    _, _, _, height, width = session.current.shape if session.current else (1, 1, 1, SIDE, SIDE)
    y, x = places[near.argmax()].clip(SIDE / 2, (height - SIDE / 2, width - SIDE / 2))
    size = session.current.pixel_size_um if session.current else None
    _, scale_y, scale_x = size or (1.0, 1.0, 1.0)
    viewer.scene.camera.center = (0.0, y * scale_y, x * scale_x)  # type: ignore[attr-defined]
    viewer.scene.camera.zoom = WINDOW[1] * 0.8 / (SIDE * scale_y)  # type: ignore[attr-defined]


def picture_of_finding(viewer: object, dock: object) -> None:
    """Show the preview of whole cells around nuclei, where there is a channel that shows them."""
    session, box = dock.session, dock.cells.find_box  # type: ignore[attr-defined]
    before = session.segment_settings
    dock.go_to("Cells")  # type: ignore[attr-defined]
    if len(session.channel_names) > 1:
        box.method.setCurrentIndex(box.method.findData("cells"))
        box.method.activated.emit(box.method.currentIndex())
    box.preview.setChecked(True)
    while dock.preview.layer is None or not box.seen.text():  # type: ignore[attr-defined]
        let_it_paint(0.2)
    let_it_paint(2)
    save_screenshot(viewer, PICTURES / "find.png")
    box.preview.setChecked(False)
    session.segment_settings = before


def main() -> None:
    """Make the pictures."""
    real = REAL_FIELD.is_file()
    PICTURES.mkdir(parents=True, exist_ok=True)
    viewer, dock = open_viewer()
    viewer.window.resize(*WINDOW)
    with tempfile.TemporaryDirectory() as folder:
        session = dock.session
        session.new_project(Path(folder) / "field")
        stages = real_field(session) if real else synthetic_field(session)
        label_some(session, stages, per_class=LABELLED)
        look_at_most_labels(viewer, session)
        picture_of_finding(viewer, dock)
        dock.go_to("Label")
        let_it_paint(2)
        save_screenshot(viewer, PICTURES / "label.png")
        dock.go_to("Train")
        if "--network" not in sys.argv:
            dock.train.plan.setCurrentText("quick only")
        dock.train.start()
        while dock.runner.busy:
            let_it_paint(0.2)
        let_it_paint(2)
        save_screenshot(viewer, PICTURES / "overlay.png")
        viewer.close()


if __name__ == "__main__":
    os.environ.setdefault("QT_API", "pyqt5")
    main()
