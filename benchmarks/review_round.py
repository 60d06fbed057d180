"""One round of the review: 16 cells corrected, `quick` trained again, the overlay repainted; 10,000 real cells."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from benchmarks._review_project import DATA
from benchmarks.table import Row
from napari_cellstage.screen import has_screen

ROUND_S = 5.0
WHAT = "10,000 cells: 16 corrected, quick trained again, overlay repainted"


def rows() -> list[Row]:
    """Return the rows of this room."""
    if not DATA.is_dir():
        return [Row(WHAT, f"not measured: no images at {DATA}", f"<= {ROUND_S:g} s", None)]
    screen = [] if has_screen() else ["-m", "napari_cellstage.screen"]
    command = [sys.executable, *screen, "-m", "benchmarks._review_work"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{done.stderr.strip().splitlines()[-3:]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    painted = statistics.median(one["painted"] for one in found["rounds"])
    whole = statistics.median(one["all"] for one in found["rounds"])
    return [
        Row(WHAT, f"{painted:.1f} s", f"<= {ROUND_S:g} s", painted <= ROUND_S),
        Row("the same, cross-validated too", f"{whole:.1f} s", "reported"),
        Row("10,000 cells, the first quick training", f"{found['first']['painted']:.1f} s", "reported"),
    ]


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} {row.target}", flush=True)
