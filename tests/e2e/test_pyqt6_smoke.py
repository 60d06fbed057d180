"""The main job and the review on PyQt6, in a process of its own, as one process can have one Qt binding only."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.gui, pytest.mark.timeout(600)]

SCRIPT = r"""
import json, sys, time
from pathlib import Path

import numpy as np
import qtpy
from imageio.v3 import imread
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_cellstage.demo import label_some
from napari_cellstage.sample_data import cell_cycle_field
from napari_cellstage.window import open_viewer


def work(until=lambda: True, longest=60):
    # Lets the window live until nothing runs and something holds.
    end = time.monotonic() + longest
    while dock.runner.busy or not until():
        assert time.monotonic() < end, "it takes too long"
        QApplication.processEvents()
        time.sleep(0.01)
    QApplication.processEvents()


def colours(widget):
    widget.grab().save(str(PICTURE))
    return len(np.unique(imread(PICTURE).reshape(-1, 3), axis=0))


PICTURE = Path(sys.argv[1]) / "part.bmp"
viewer, dock = open_viewer()
session, field = dock.session, cell_cycle_field(size=512, cells=40)
session.new_project(Path(sys.argv[1]) / "smoke")
session.add_image(field.stack)
dock.go_to("Cells")
dock.cells.start_finding()
work()
session.use_template("cell cycle")
truth = field.truth_of(session.labels())
rows = label_some(session, truth, per_class=4)
session.undo()
session.redo()
dock.go_to("Label")
dock.keys_help.show()
dock.go_to("Train")
dock.train.plan.setCurrentText("quick only")
dock.train.start()
work(longest=300)
dock.go_to("Review")
panel = dock.review.panel
matrix = panel.sections.made["Matrix"].view
work(lambda: matrix.counts.rowCount() > 0)
right = matrix.counts.index(0, 0)
QTest.mouseClick(
    matrix.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, matrix.visualRect(right).center()
)
work(lambda: colours(panel.gallery.grid) > 50)  # crops are read in a worker
shown, title = len(session.shown.cells), session.shown.title
entry = matrix.counts.count(0, 0)
seen = {"gallery": colours(panel.gallery.grid)}
grid = panel.gallery.grid
QTest.mouseClick(
    grid.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, grid.rect_of(0).center()
)
QApplication.processEvents()
clicked = len(session.chosen)
for name in ("Lists", "Map", "Runs", "People", "Matrix"):
    part = panel.sections.open(name)
    work()
    seen[name] = colours(part)
view = panel.sections.open("Map").plot.viewport()
work()
field = view.rect().adjusted(3, 3, -3, -3)
corners = [field.topLeft(), field.topRight(), field.bottomRight(), field.bottomLeft()]
QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=corners[0])
for corner in corners[1:]:
    QTest.qWait(30)  # pyqtgraph passes over moves that come faster
    here, there = QPointF(corner), QPointF(view.mapToGlobal(corner))
    none, left = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
    keys = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(view, QMouseEvent(QEvent.Type.MouseMove, here, there, none, left, keys))
QTest.qWait(30)
QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=corners[-1])
QApplication.processEvents()
picture = viewer.screenshot(canvas_only=False, flash=False)
answer = {
    "api": qtpy.API,
    "cells": len(session.cells()),
    "labelled": int((session.class_ids() > 0).sum()),
    "given": len(rows),
    "predicted": int((session.predictions().predicted > 0).sum()),
    "clicked": clicked,
    "lasso": len(session.chosen),
    "shown": shown,
    "entry": entry,
    "title": title,
    "seen": seen,
    "colours": int(len(np.unique(picture.reshape(-1, 4), axis=0))),
}
viewer.close()
print("answer " + json.dumps(answer))
"""


@pytest.mark.skipif(importlib.util.find_spec("PyQt6") is None, reason="PyQt6 is not installed")
def test_main_job_on_pyqt6(tmp_path: Path) -> None:
    script = tmp_path / "smoke.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "napari_cellstage.screen", str(script), str(tmp_path)]
    environment = os.environ | {"QT_API": "pyqt6"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("answer "))[7:])
    assert answer["api"] == "pyqt6"
    assert answer["cells"] > 20
    assert answer["labelled"] == answer["given"] > 0
    assert answer["predicted"] == answer["cells"]
    assert answer["colours"] > 50
    assert answer["shown"] == answer["entry"] > 0, "a click in the matrix fills the gallery"
    assert answer["title"] == "interphase, predicted right"
    assert answer["clicked"] == 1, "a click in the gallery chooses a cell"
    assert answer["lasso"] > 20, "a lasso around the map chooses its cells"
    dull = {name: count for name, count in answer["seen"].items() if count < 20}
    assert not dull, f"parts of the Review step are not painted: {dull}"
    assert "Traceback" not in done.stderr
