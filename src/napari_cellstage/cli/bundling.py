"""`napari-cellstage export --bundle` and `rerun`: a run handed on whole, and trained again from that."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import typer

from napari_cellstage.cli.answers import write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.training import check_free
from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn.model import CARD, read_card
from napari_cellstage.sharing.contents import BundleError
from napari_cellstage.sharing.rerun import Rerun
from napari_cellstage.sharing.source import data_of, is_project, read_source
from napari_cellstage.sharing.whole import rerunning_from
from napari_cellstage.sharing.write import write_bundle

DIFFERENT = 4  # exit code: trained again, and the figures do not agree


@dataclass(frozen=True)
class BundleChoices:
    """How a bundle is written: where its data are, names or pictures of the cells, and whether one is replaced."""

    data: Path | None = None
    references: bool = False
    overwrite: bool = False


def export_bundle(run: Path, out: Path, choices: BundleChoices, *, as_json: bool) -> None:
    """Write a run as one folder or zip that others can look at and train again.

    Parameters
    ----------
    run
        Its folder.
    out
        Folder to make, or zip.
    choices
        How.
    as_json
        Whether to end with a line of JSON.
    """
    check_is_run(run)
    reporter, start, card = Reporter(), time.perf_counter(), read_card(run)
    data = data_of(run, card, choices.data)
    with stop_on_interrupt(reporter.say) as should_stop:
        how = {"references": choices.references, "overwrite": choices.overwrite}
        work = write_bundle(run, read_source(data, card), out, data_folder=data, should_stop=should_stop, **how)
        shared = reporter.follow(work)
    if shared is None:
        raise BundleError("Stopped, so no bundle was written.")
    for text in (*shared.notes, f"{shared.cells} cells written to {shared.place}"):
        reporter.say(text)
    if as_json:
        told = {"cells": shared.cells, "bundle": str(shared.place), "notes": list(shared.notes)}
        write_json(told | {"seconds": round(time.perf_counter() - start, 3)})


def check_is_run(folder: Path) -> None:
    """Raise `ModelError` unless this is the folder of a run; of a project, say which runs there are."""
    if (folder / CARD).is_file():
        return
    if is_project(folder):
        runs = folder / "runs"
        names = sorted(one.parent.name for one in runs.glob(f"*/{CARD}")) if runs.is_dir() else []
        example = f", such as '{runs / names[-1]}'" if names else "; it has none yet, so train first"
        raise ModelError(f"'{folder}' is a project, but a bundle is of one run. Name one of its runs{example}.")
    raise ModelError(f"'{folder}' is no run: {CARD} is missing. Name the folder that a training was saved in.")


def rerun_command(
    path: Path, out: Path | None, data: Path | None, *, device: str | None, overwrite: bool, as_json: bool
) -> None:
    """Train a bundle again, and say of each figure whether it agrees; exit code 4 where they do not.

    Parameters
    ----------
    path
        Folder or zip.
    out
        Folder for the new run; None: it is not kept.
    data
        Where the data are, for a bundle without pictures.
    device
        Where to train; None leaves the recipe's choice.
    overwrite
        Whether a run that is in `out` may be replaced.
    as_json
        Whether to end with a line of JSON.
    """
    if out is not None:
        check_free(out, overwrite)
    reporter, start = Reporter(), time.perf_counter()
    with stop_on_interrupt(reporter.say) as should_stop:
        found = reporter.follow(rerunning_from(path, data, out, device=device, should_stop=should_stop))
    reporter.say(found.text)
    if out is not None:
        reporter.say(f"saved in {out}")
    if as_json:
        write_json(
            _answer(found) | {"seconds": round(time.perf_counter() - start, 3), "run": str(out) if out else None}
        )
    if not found.agree:
        raise typer.Exit(DIFFERENT)


def _answer(found: Rerun) -> dict[str, object]:
    figures = [
        {
            "part": one.part,
            "figure": one.key,
            "then": one.then,
            "now": one.now,
            "difference": one.difference,
            "low": one.interval[0],
            "high": one.interval[1],
            "agrees": one.agrees,
        }
        for one in found.compared
    ]
    same, cells = found.same_answers or (None, None)
    return {
        "agree": found.agree,
        "exact": found.exact,
        "differences": list(found.differences),
        "same_answers": same,
        "cells_compared": cells,
        "figures": figures,
    }
