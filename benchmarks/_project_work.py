"""What `projects` measures, in a process of its own: opens a project, labels in it, prints one line of JSON."""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_API", "pyqt5")

LABELS = 200


def main() -> None:
    """Play the part that is named on the command line, in the project that is named after it."""
    part, folder = sys.argv[1], Path(sys.argv[2])
    measured = {"session": in_session, "dock": in_dock}[part](folder)
    sys.stdout.write(json.dumps(measured | {"megabytes": _megabytes()}) + "\n")


def in_session(folder: Path) -> dict[str, Any]:
    """Open the project in a session: list, counts and the cells of the current image."""
    from napari_cellstage.session import Session

    session = Session(folder.parent)
    opened = _seconds(lambda: session.open_project(folder))
    opened += _seconds(lambda: (session.image_states(), session.counts(), len(session.cells())))
    measured = {"open_s": opened, "megabytes_open": _megabytes()}
    measured["label_ms"] = _label_ms(lambda row, class_id: session.label_cells([row], class_id))
    measured["snapshot_ms"] = 1000 * _seconds(session.snapshot)
    session.close()
    return measured


def in_dock(folder: Path) -> dict[str, Any]:
    """Open the project in the dock of a window, until it is painted, and press number keys."""
    import napari
    from qtpy.QtWidgets import QApplication

    os.environ["NAPARI_CELLSTAGE_HOME"] = str(folder.parent)
    viewer = napari.Viewer(show=True)
    _dock, dock = viewer.window.add_plugin_dock_widget("napari-cellstage", "Cellstage")
    dock = dock if hasattr(dock, "session") else _dock
    QApplication.processEvents()
    opened = _seconds(lambda: (dock.session.open_project(folder), QApplication.processEvents()))
    measured = {"open_s": opened, "megabytes_open": _megabytes()}

    measured |= _pressed(dock)
    steps = [_seconds(lambda: (dock.link.press_key("PageDown"), QApplication.processEvents())) for _ in range(9)]
    measured["next_ms"] = 1000 * statistics.median(steps)
    viewer.close()
    return measured


def _pressed(dock: Any) -> dict[str, float]:
    """Return how long after a key press the label is on the disk, and when all of the dock has shown it."""
    journal = dock.session.project.journal
    write, moments, waits, shown = journal.write, [], [], []

    def noted(*what: Any) -> int:
        batch: int = write(*what)
        moments.append(time.perf_counter())
        return batch

    journal.write = noted
    for n in range(LABELS):
        dock.link.selection.choose(n % 500)
        moments.clear()
        start = time.perf_counter()
        dock.link.press_key(str(1 + (n * 5 + 1) % 6))  # another class than the session gave
        shown.append(time.perf_counter() - start)
        waits += [moment - start for moment in moments]  # none where the cell has the class already
    return {"label_ms": 1000 * statistics.median(waits), "shown_ms": 1000 * statistics.median(shown)}


def _label_ms(label: Callable[[int, int], Any]) -> float:
    """Return the median time to give a cell another class, on the disk when the call returns."""
    return 1000 * statistics.median(_seconds(lambda n=n: label(n % 500, 1 + (n * 5) % 6)) for n in range(LABELS))


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _megabytes() -> float:
    """Return the peak memory so far; Linux' own count, as the other one begins with what the starting process had."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
