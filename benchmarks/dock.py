"""How the window feels: opening the dock, the GUI's timer while a network trains, and the time from Stop to the end.

The training is the real one, a resnet34 on labelled cells of the built-in sample.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.table import Row
from napari_cellstage.screen import has_screen, virtual_screen

if TYPE_CHECKING:
    from napari_cellstage.ui.dock import CellStageDock

RUNS = 5
TICK = 0.010  # seconds between two ticks of the GUI's timer
WATCHED = 15.0  # seconds of training during which it is watched
LONGEST = 120.0


def rows() -> list[Row]:
    """Open the dock, train, and stop."""
    with ExitStack() as stack:
        if not has_screen():
            stack.enter_context(virtual_screen())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        warnings.simplefilter("ignore")
        return _measure(Path(folder))


def _measure(folder: Path) -> list[Row]:
    import napari

    from napari_cellstage.ui.contributions import open_dock

    viewer = napari.Viewer()
    _events(1.0)
    start = time.perf_counter()
    dock = open_dock(viewer)
    if dock is None:
        raise RuntimeError("the dock did not open")
    _events(0.0)
    opened, torch_loaded = time.perf_counter() - start, "torch" in sys.modules
    _prepare(dock, folder)
    late = _timer_while_training(dock)
    stops = [_seconds_to_stop(dock, after=1.0 + run) for run in range(RUNS)]
    viewer.close()
    stop = statistics.median(stops)
    return [
        Row("dock opened in a running napari", f"{opened:.2f} s", "<= 1 s", opened <= 1.0),
        Row("  torch loaded by then", "yes" if torch_loaded else "no", "no", not torch_loaded),
        Row("GUI timer while training, 95th percentile", f"{late * 1000:.0f} ms", "<= 50 ms", late <= 0.050),
        Row("Stop pressed to worker ended", f"{stop:.2f} s (most {max(stops):.2f} s)", "<= 0.5 s", stop <= 0.5),
    ]


def _prepare(dock: CellStageDock, folder: Path) -> None:
    from napari_cellstage.core.cells import CellTable
    from napari_cellstage.demo import label_some
    from napari_cellstage.sample_data import cell_cycle_field

    field, session = cell_cycle_field(), dock.session
    session.new_project(folder / "bench")
    session.add_image(field.stack)
    session.set_labels(field.labels)
    session.use_template("cell cycle")
    truth = tuple(field.classes_of[CellTable.from_labels(field.labels).cell_id - 1].tolist())
    label_some(session, truth, per_class=25)
    dock.train.plan.setCurrentText("network only")
    dock.train.set_recipe(weights="none", epochs=1000)


def _timer_while_training(dock: CellStageDock) -> float:
    """Return the 95th percentile of the time between two ticks, less the interval asked for."""
    from qtpy.QtCore import Qt, QTimer

    ticks: list[float] = []
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    _train_until_batches(dock)
    timer.start(int(TICK * 1000))
    _run_loop(WATCHED)
    timer.stop()
    _stop(dock)
    return max(0.0, float(np.percentile(np.diff(ticks), 95)) - TICK)


def _seconds_to_stop(dock: CellStageDock, after: float) -> float:
    """Return the seconds from Stop to the end of the work, some time into a training."""
    _train_until_batches(dock)
    _run_loop(after)
    return _stop(dock)


def _train_until_batches(dock: CellStageDock) -> None:
    """Start a training and return once it has reported a batch with its loss: torch is loaded, the network trains."""
    from napari_cellstage.learn.events import BatchDone

    seen: list[Any] = []
    dock.train.start()
    job = dock.runner.job
    if job is None:
        raise RuntimeError("the training did not start")
    job.progressed.connect(lambda event: seen.append(event) if isinstance(event, BatchDone) and event.loss else None)
    start = time.perf_counter()
    while not seen and dock.runner.busy and time.perf_counter() - start < LONGEST:
        _events(0.05)
    if not seen:
        raise RuntimeError("the training reported no batch")


def _stop(dock: CellStageDock) -> float:
    start = time.perf_counter()
    dock.runner.stop()
    while dock.runner.busy and time.perf_counter() - start < LONGEST:
        _events(0.005)
    return time.perf_counter() - start


def _run_loop(seconds: float) -> None:
    """Let the GUI run as in use, in its own loop: polling it here would take a core from the training."""
    from qtpy.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec_() if hasattr(loop, "exec_") else loop.exec()


def _events(seconds: float) -> None:
    from qtpy.QtWidgets import QApplication

    end = time.perf_counter() + seconds
    QApplication.processEvents()
    while time.perf_counter() < end:
        time.sleep(0.002)
        QApplication.processEvents()
