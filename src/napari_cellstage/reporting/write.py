"""`write_report`: one file that holds all of a run, to send to a colleague or a reviewer."""

from __future__ import annotations

from pathlib import Path

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.whole_files import reason_of
from napari_cellstage.reporting.page import render
from napari_cellstage.reporting.run_facts import RunFacts, read_run

REPORT = "report.html"


class ReportError(CellStageError):
    """A report can't be written."""


def write_report(run_folder: Path, out: Path | None = None) -> Path:
    """Write the report of a run: one HTML file that needs no network and nothing beside it.

    Parameters
    ----------
    run_folder
        What a training left; its model file may be gone.
    out
        File to write; ``report.html`` in the run folder by default.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ModelError, ReportError
        If there is no run, or the file can't be written.
    """
    return write_page(read_run(run_folder), run_folder / REPORT if out is None else out)


def write_page(facts: RunFacts, out: Path) -> Path:
    """Write a report of facts that are put together already.

    Raises
    ------
    ReportError
        If the file can't be written.
    """
    page = render(facts)
    beside = out.with_name(f".part-{out.name}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(page, encoding="utf-8", newline="\n")
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True) if beside.is_file() else None
        raise ReportError(
            f"The report can't be written to '{out}': {reason_of(error)}. Choose another place, or make room."
        ) from error
    return out
