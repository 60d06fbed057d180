"""What `review_round` measures, inside the process that has the window: prints one line of JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from typing import Any

os.environ.setdefault("QT_API", "pyqt5")

import napari
from qtpy.QtWidgets import QApplication

from benchmarks._review_project import LABELLED, make

CORRECTIONS, ROUNDS = 16, 3
LONGEST = 600.0


def main() -> None:
    """Label, train, correct, train again."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["NAPARI_CELLSTAGE_HOME"] = home
        viewer = napari.Viewer(show=True)
        dock = viewer.window.add_plugin_dock_widget("napari-cellstage", "Cellstage")[1]
        truths = make(dock.session)
        dock.train.plan.setCurrentText("quick only")
        dock.train.set_recipe(weights="none")
        first = _Round(viewer, dock).seconds()
        rounds = []
        for number in range(ROUNDS):
            _correct(dock.session, truths[-1], number)
            rounds.append(_Round(viewer, dock).seconds())
        viewer.close()
    sys.stdout.write(json.dumps({"first": first, "rounds": rounds}) + "\n")


def _correct(session: Any, truth: list[int], number: int) -> None:
    """Label 16 cells more, as a correction of their predictions would."""
    start = LABELLED + number * CORRECTIONS
    for row in range(start, start + CORRECTIONS):
        session.label_cells([row], truth[row])
    _serve(0.5)


class _Round:
    """One press of Train, with the times at which something was seen."""

    def __init__(self, viewer: Any, dock: Any) -> None:
        self._dock = dock
        self._session = dock.session
        self._changed = self._painted = 0.0
        self._scene = viewer.window._qt_viewer.canvas._scene_canvas

    def seconds(self) -> dict[str, float]:
        """Return the seconds to predictions in the session, to the painted canvas, and to the end of it all."""
        self._session.predictions_changed.connect(self._on_changed)
        self._scene.events.draw.connect(self._on_draw, position="last")
        start = time.perf_counter()
        self._dock.train.train.click()
        while (not self._painted or self._dock.runner.busy) and time.perf_counter() - start < LONGEST:
            QApplication.processEvents()
            time.sleep(0.001)
        end = time.perf_counter()
        self._session.predictions_changed.disconnect(self._on_changed)
        self._scene.events.draw.disconnect(self._on_draw)
        notes = self._dock.train.notes.text()
        sys.stderr.write(f"{notes}\n{self._dock.train.score.text()}\n")
        return {"answer": self._changed - start, "painted": self._painted - start, "all": end - start}

    def _on_changed(self, image_id: int) -> None:
        if image_id == self._session.current_id and not self._changed:
            self._changed = time.perf_counter()

    def _on_draw(self, _event: object) -> None:
        if self._changed and not self._painted:
            self._painted = time.perf_counter()


def _serve(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    main()
