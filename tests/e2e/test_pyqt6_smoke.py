"""The main job in a short form on PyQt6, in a process of its own, as one process can have one Qt binding only."""

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
from qtpy.QtWidgets import QApplication

from napari_cellstage.demo import label_some
from napari_cellstage.sample_data import cell_cycle_field
from napari_cellstage.window import open_viewer

viewer, dock = open_viewer()
session, field = dock.session, cell_cycle_field(size=512, cells=40)
session.new_project(Path(sys.argv[1]) / "smoke")
session.add_image(field.stack)
dock.go_to("Cells")
dock.cells.start_finding()
while dock.runner.busy:
    QApplication.processEvents()
    time.sleep(0.01)
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
while dock.runner.busy:
    QApplication.processEvents()
    time.sleep(0.01)
QApplication.processEvents()
picture = viewer.screenshot(canvas_only=False, flash=False)
answer = {
    "api": qtpy.API,
    "cells": len(session.cells()),
    "labelled": int((session.class_ids() > 0).sum()),
    "given": len(rows),
    "predicted": int((session.predictions().predicted > 0).sum()),
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
    assert "Traceback" not in done.stderr
