"""What `window` measures, inside the process that has the window: prints one line of JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("QT_API", "pyqt5")

import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

TICK_MS = 10
WATCH_S = 5.0


def main() -> None:
    """Play the part that is named on the command line."""
    part, runs = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as home:
        os.environ["NAPARI_CELLSTAGE_HOME"] = home
        viewer = napari.Viewer(show=True)
        spin(1.0)
        measured = opening(viewer) if part == "open" else training(viewer, runs)
        viewer.close()
    sys.stdout.write(json.dumps(measured) + "\n")


def opening(viewer: Any) -> dict[str, Any]:
    """Open the dock until it is painted."""
    start = time.perf_counter()
    _open(viewer)
    QApplication.processEvents()
    return {"seconds": time.perf_counter() - start, "torch": "torch" in sys.modules}


def training(viewer: Any, runs: int) -> dict[str, Any]:
    """Train the default network on the sample's truth; watch the window, then press Stop, `runs` times."""
    dock = _open(viewer)
    _label_sample(dock.session)
    dock.train.plan.setCurrentText("network only")
    dock.train.set_recipe(weights="none", epochs=1000)
    idle, late, stops = watch(WATCH_S), [], []
    for _ in range(runs):
        dock.train.train.click()
        job, epochs = dock.runner.job, []
        job.progressed.connect(epochs.append)
        wait_until(lambda epochs=epochs: any("epoch" in getattr(e, "what", "") for e in epochs))
        late.append(watch(WATCH_S))
        start = time.perf_counter()
        dock.job_bar.stop.click()
        wait_until(lambda job=job: dock.runner.job is not job)
        stops.append(time.perf_counter() - start)
        wait_until(lambda: not dock.runner.busy)  # the model that was kept predicts, in a job of its own
    return {"idle_ms": idle, "late_ms": late, "stop_s": stops}


def watch(seconds: float) -> float:
    """Return the 95th percentile in ms of the time between two ticks of a 10 ms timer."""
    ticks: list[float] = []
    timer = QTimer()
    timer.setInterval(TICK_MS)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    spin(seconds)
    timer.stop()
    return float(np.percentile(np.diff(ticks), 95) * 1000)


def wait_until(done: Callable[[], bool]) -> None:
    """Serve the window until something is true."""
    while not done():
        spin(0.005)


def spin(seconds: float) -> None:
    """Serve the window for a while, asleep between events as an event loop is."""
    loop_end = time.perf_counter() + seconds
    while (left := loop_end - time.perf_counter()) > 0:
        QApplication.processEvents()
        time.sleep(min(0.001, max(left, 0.0)))


def _open(viewer: Any) -> Any:
    return viewer.window.add_plugin_dock_widget("napari-cellstage", "Cellstage")[1]


def _label_sample(session: Any) -> None:
    from napari_cellstage.sample_data import cell_cycle_field

    field = cell_cycle_field(size=1024, cells=150)
    session.add_image(field.stack)
    session.set_labels(field.labels)
    session.use_template("cell cycle")
    for row, name in enumerate(field.truth_of(field.labels)):
        if name:
            session.label_cells([row], session.scheme.by_name(name).id)
    spin(0.2)


if __name__ == "__main__":
    main()
