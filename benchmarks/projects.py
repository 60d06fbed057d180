"""A project of 1,000 images and 1,000,000 labelled cells: how soon it is open, and how soon a label is on the disk."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.many_images import make
from benchmarks.table import Row

IMAGES, PER_IMAGE = 1000, 1000
OPEN_S, MEGABYTES, LABEL_MS, NEXT_MS = 3.0, 1024.0, 10.0, 300.0
NAMED = f"{IMAGES:,} images, {IMAGES * PER_IMAGE:,} cells"


def rows() -> list[Row]:
    """Return the rows of this room."""
    with tempfile.TemporaryDirectory() as home:
        folder = make(Path(home), IMAGES, PER_IMAGE)
        session = _play([], "session", folder)
        dock = _play(["-m", "napari_cellstage.screen"], "dock", folder)
    return [*_rows("session", session), *_rows("dock", dock), *_reported(session, dock), _next(dock)]


def _rows(where: str, found: dict[str, Any]) -> list[Row]:
    opened, used, label = found["open_s"], found["megabytes_open"], found["label_ms"]
    return [
        Row(f"{NAMED}: opened, {where}", f"{opened:.2f} s", f"<= {OPEN_S:g} s", opened <= OPEN_S),
        Row(f"{NAMED}: peak memory after that, {where}", f"{used:.0f} MB", f"<= {MEGABYTES:g} MB", used <= MEGABYTES),
        Row(f"{NAMED}: one label to durable, {where}", f"{label:.1f} ms", f"<= {LABEL_MS:g} ms", label <= LABEL_MS),
    ]


def _reported(session: dict[str, Any], dock: dict[str, Any]) -> list[Row]:
    return [
        Row(f"{NAMED}: one label shown all over the dock", f"{dock['shown_ms']:.1f} ms", "reported"),
        Row(f"{NAMED}: frozen for training, window waits", f"{session['snapshot_ms']:.0f} ms", "reported"),
    ]


def _next(found: dict[str, Any]) -> Row:
    return Row(f"{NAMED}: next image by key, painted", f"{found['next_ms']:.0f} ms", f"<= {NEXT_MS:g} ms",
               found["next_ms"] <= NEXT_MS)  # fmt: skip


def _play(before: list[str], part: str, folder: Path) -> dict[str, Any]:
    """Play a part in a process of its own and return what it measured."""
    command = [sys.executable, *before, "-m", "benchmarks._project_work", part, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{part}: {done.stderr.strip().splitlines()[-3:]}")
    measured: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return measured
