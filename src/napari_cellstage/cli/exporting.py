"""`napari-cellstage export`: cells, labels and predictions of a project as crops, CSV, GeoJSON or AnnData."""

from __future__ import annotations

import time
from pathlib import Path

from napari_cellstage.cli.answers import write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.learn.exports import ExportChoices, exporting
from napari_cellstage.session import Session


def export_project(project: Path, choices: ExportChoices, *, as_json: bool) -> None:
    """Write what a project knows of its cells.

    Parameters
    ----------
    project
        The project's folder.
    choices
        What, where and how.
    as_json
        Whether to end with a line of JSON.
    """
    reporter, start, session = Reporter(), time.perf_counter(), Session()
    session.open_project(project)
    try:
        source = session.export_source(with_people=choices.to == "people")
        with stop_on_interrupt(reporter.say) as should_stop:
            answer = reporter.follow(exporting(source, choices, should_stop), f"writing {choices.to}")
    finally:
        session.close()
    for text in (*answer.notes, answer.text):
        reporter.say(text)
    if as_json:
        files, seconds = [str(file) for file in answer.files], round(time.perf_counter() - start, 3)
        told = {"notes": list(answer.notes), "stopped": answer.stopped, "seconds": seconds}
        write_json({"format": choices.to, "cells": answer.cells, "files": files} | told)
