"""An image larger than memory: finding its cells, cutting crops and predicting, in a process of its own.

Here 10,000 x 10,000; `large_full` has the 40,000 x 40,000 that is promised.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.large_image import made_image
from benchmarks.table import Row

SIDE = 10_000
MEMORY_GB, SPEED = 2.0, 0.8


def rows() -> list[Row]:
    return measured(SIDE)


def measured(side: int) -> list[Row]:
    """Make an image, work through it, and return the figures."""
    folder = Path(tempfile.mkdtemp(prefix="large-"))
    try:
        made_image(folder / "made.ome.zarr", side)
        command = [sys.executable, "-m", "benchmarks._large_work", str(folder)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return _rows(side, json.loads(done.stdout.splitlines()[-1]))
    finally:
        shutil.rmtree(folder)


def _rows(side: int, found: dict[str, Any]) -> list[Row]:
    what = f"{side:,} x {side:,} uint16 OME-Zarr"
    pace, other, peak = found["pace"], found["reference"], found["peak_gb"]
    steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found["seconds"].items())
    return [
        Row(f"{what}, {found['cells']:,} cells: peak memory", f"{peak:.2f} GB ({steps})", f"<= {MEMORY_GB:g} GB",
            peak <= MEMORY_GB),
        Row("  finding cells, megapixels a second, times scikit-image on one block in memory",
            f"{pace / other:.2f} ({pace:.1f} and {other:.1f})", f">= {SPEED:g}", pace >= SPEED * other),
    ]  # fmt: skip


if __name__ == "__main__":
    for row in measured(int(sys.argv[1]) if len(sys.argv) > 1 else SIDE):
        print(row)
