"""`napari-cellstage reproduce`: a published study from its cells to its table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from napari_cellstage.cli.answers import write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.sources import FolderData
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.reporting.write import REPORT, write_report
from napari_cellstage.studies import jurkat, microtubules
from napari_cellstage.studies.method import Outcome
from napari_cellstage.studies.sources import StudyCells, jurkat_cells, microtubule_cells
from napari_cellstage.studies.tables import StudyTable, made_on

WIDTH = 200  # of a table that does not go to a terminal


@dataclass(frozen=True)
class Wanted:
    """What the command was asked for."""

    data: Path | None
    out: Path | None
    quick: bool
    seed: int
    group_from: str | None
    as_json: bool

    def folder(self, name: str) -> Path:
        """Return where results go."""
        return self.out or Path(f"reproduce-{name}{'-quick' if self.quick else ''}")


def reproduce_jurkat(wanted: Wanted) -> None:
    """Run the Jurkat study."""
    cells, out, reporter = jurkat_cells(wanted.data, wanted.group_from), wanted.folder(jurkat.NAME), Reporter()
    study = jurkat.JurkatStudy(_training_set(cells), cells.source, wanted.quick, wanted.seed)
    _say_what(reporter, study.title, cells, out)
    with stop_on_interrupt(reporter.say) as should_stop:
        outcomes = reporter.follow(study.run(out, should_stop))
    notes = [*cells.crops.notes, _machine(outcomes, wanted.seed)]
    _finish(study.table(outcomes, notes), outcomes, wanted, jurkat.NAME, reporter)


def reproduce_microtubules(wanted: Wanted) -> None:
    """Run the microtubule study."""
    out, reporter = wanted.folder(microtubules.NAME), Reporter()
    if wanted.data is None:
        reporter.say("Making synthetic cells, as there is no --data.")
    cells = microtubule_cells(wanted.data, quick=wanted.quick, seed=wanted.seed, group_from=wanted.group_from)
    study = microtubules.MicrotubuleStudy(_training_set(cells), cells.test, cells.source, wanted.quick, wanted.seed)
    _say_what(reporter, study.title, cells, out)
    with stop_on_interrupt(reporter.say) as should_stop:
        found = reporter.follow(study.run(out, should_stop))
    outcomes = [one for task in found.values() for one in task]
    notes = [*cells.crops.notes, _machine(outcomes, wanted.seed)]
    _finish(study.table(found, notes), outcomes, wanted, microtubules.NAME, reporter)


def _training_set(cells: StudyCells) -> TrainingSet:
    return TrainingSet.from_crops(cells.crops, Recipe())


def _say_what(reporter: Reporter, title: str, cells: StudyCells, out: Path) -> None:
    for note in FolderData(cells.crops).notes:
        reporter.say(note)
    reporter.say(title)
    reporter.say(f"Results go to '{out}'. Stop with Ctrl+C; the same command goes on from there.")


def _machine(outcomes: Sequence[Outcome], seed: int) -> str:
    from napari_cellstage.learn.device import choose_device, cpu_count, describe

    device = choose_device()
    name = f"{cpu_count()} CPU cores" if device.type == "cpu" else describe(device).text
    return made_on(sum(one.seconds for one in outcomes), name, seed)


def _finish(table: StudyTable, outcomes: Sequence[Outcome], wanted: Wanted, name: str, reporter: Reporter) -> None:
    out = wanted.folder(name)
    table.save(out, name)
    for one in outcomes:
        write_report(one.folder)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    console.print(_shown(table))
    for note in table.notes:
        reporter.say(f"- {note}")
    reporter.say(f"Table in {out / name}.md, .csv and .json; a {REPORT} in the folder of each method.")
    if wanted.as_json:
        runs = [{"method": one.method.title, "run": str(one.folder), "seconds": one.seconds} for one in outcomes]
        write_json(asdict(table) | {"out": str(out), "runs": runs})


def _shown(table: StudyTable) -> Table:
    shown = Table(*table.columns, title=table.title)
    for row in table.rows:
        shown.add_row(*row)
    return shown
