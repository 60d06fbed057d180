"""`python -m benchmarks`: every figure the project promises, what was reached, and what was to be reached.

Each module runs in a process of its own, so that one's caches, threads and windows do not touch another's figures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks.table import Row

# In the order of the table.
MODULES = (
    "overlay",
    "gallery",
    "crops",
    "finding",
    "training",
    "window",
    "next_image",
    "large",
    "large_full",
    "projects",
    "unlike",
    "cell_map",
    "jurkat_stages",
    "fastai_resnet34",
    "mitocheck_ensemble",
    "mitocheck_finetune",
    "mitocheck_quick",
    "review_round",
    "calibration",
    "label_errors",
    "queue",
    "samples",
    "stain_speed",
    "stain_jurkat",
    "stain_isl",
)
# Trainings of many minutes.
LONG = (
    "large_full",
    "projects",
    "jurkat_stages",
    "fastai_resnet34",
    "mitocheck_ensemble",
    "mitocheck_finetune",
    "mitocheck_quick",
    "review_round",
    "calibration",
    "label_errors",
    "queue",
    "stain_jurkat",
    "stain_isl",
)
MARK = "benchmark rows: "
SIGNS = {True: "[green]reached[/]", False: "[red]missed[/]", None: "reported"}


def measure(name: str) -> list[Row]:
    """Run one module in a process of its own; a module that fails gives a row that says why."""
    command = [sys.executable, "-m", "benchmarks", "--rows", name]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    answer = next((line for line in reversed(done.stdout.splitlines()) if line.startswith(MARK)), None)
    if answer is None:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return [Row(name, f"failed: {lines[-1] if lines else f'exit code {done.returncode}'}", "", ok=False)]
    return [Row(**values) for values in json.loads(answer.removeprefix(MARK))]


def write_rows(name: str) -> None:
    """Run a module here and write its rows as a line for `measure`."""
    rows = importlib.import_module(f"benchmarks.{name}").rows()
    print(MARK + json.dumps([asdict(row) for row in rows]))


def table_of(rows: Sequence[Row]) -> Table:
    """Return the rows as a table."""
    table = Table("what", "reached", "to reach", "", title="Figures")
    for row in rows:
        table.add_row(row.what, row.reached, row.target, SIGNS[row.ok])
    return table


def chosen(only: Sequence[str], *, quick: bool) -> tuple[str, ...]:
    """Return the modules to run, in order."""
    return tuple(name for name in MODULES if (name in only if only else not (quick and name in LONG)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table; the exit code is 1 when something failed, not when a figure is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", action="append", default=[], choices=MODULES, help="run this one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="without the long trainings")
    parser.add_argument("--rows", choices=MODULES, help=argparse.SUPPRESS)
    wanted = parser.parse_args(arguments)
    if wanted.rows:
        write_rows(wanted.rows)
        return 0
    console, rows = Console(width=160 if not sys.stdout.isatty() else None), []
    for name in chosen(wanted.only, quick=wanted.quick):
        console.print(f"{name} ...")
        rows += measure(name)
    console.print(table_of(rows))
    return int(any(row.reached.startswith("failed:") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
