"""The window: how fast the dock opens, how free the window stays while training, how soon Stop ends it.

Each figure is taken in a process of its own, with a real window on a (virtual) screen: `_in_window.py` beside this.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.table import Row

RUNS = 5
OPEN_S, TIMER_MS, STOP_S = 1.0, 50.0, 0.5


def rows() -> list[Row]:
    """Return the rows of this room."""
    opened = [_play("open") for _ in range(RUNS)]
    trained = _play("train")
    return [_open_row(opened), _timer_row(trained), _stop_row(trained)]


def _open_row(opened: list[dict[str, Any]]) -> Row:
    seconds = statistics.median(run["seconds"] for run in opened)
    loaded = any(run["torch"] for run in opened)
    reached = f"{seconds:.2f} s, torch {'loaded' if loaded else 'not loaded'}"
    ok = seconds <= OPEN_S and not loaded
    return Row("dock opened in a running napari", reached, f"<= {OPEN_S:g} s, torch not loaded", ok)


def _timer_row(trained: dict[str, Any]) -> Row:
    late = statistics.median(trained["late_ms"])
    idle = trained["idle_ms"]
    reached = f"{late:.0f} ms ({idle:.0f} ms while nothing runs)"
    return Row("GUI timer while training, 95th percentile", reached, f"<= {TIMER_MS:g} ms", late <= TIMER_MS)


def _stop_row(trained: dict[str, Any]) -> Row:
    seconds = statistics.median(trained["stop_s"])
    return Row("Stop pressed to worker ended", f"{seconds:.2f} s", f"<= {STOP_S:g} s", seconds <= STOP_S)


def _play(part: str) -> dict[str, Any]:
    """Play a part in a process of its own and return what it measured."""
    command = [sys.executable, "-m", "napari_cellstage.screen", "-m", "benchmarks._in_window", part, str(RUNS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return measured
