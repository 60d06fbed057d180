"""Long work about one run, as the worker drives it. No widgets; torch is loaded when it begins."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.ui.workers import ShouldStop

Begun = Callable[[ShouldStop], Generator[Any, None, Any]]


def cross_validating(snapshot: WorkSnapshot, run: Path) -> Begun:
    """Return the work of predicting every labelled cell by models that have not seen it, with a run's recipe."""

    def work(should_stop: ShouldStop) -> Generator[Any, None, Any]:
        from threadpoolctl import threadpool_limits

        from napari_cellstage.learn.device import cpu_count
        from napari_cellstage.learn.validating import FOLDS, cross_validate_run

        # With every core at work on matrices, the window and the work wait for each other.
        with threadpool_limits(max(1, cpu_count() - 1)):
            return (yield from cross_validate_run(snapshot, run, FOLDS, should_stop))

    return work


def sharing(snapshot: WorkSnapshot, run: Path, out: Path, overwrite: bool) -> Begun:
    """Return the work of writing a run of a project, with all that it needs, as a bundle."""

    def work(should_stop: ShouldStop) -> Generator[Any, None, Any]:
        from napari_cellstage.sharing.write import write_bundle

        project = run.parent.parent
        return (
            yield from write_bundle(
                run, snapshot, out, data_folder=project, overwrite=overwrite, should_stop=should_stop
            )
        )

    return work


def reporting(run: Path) -> Begun:
    """Return the work of writing the report of a run."""

    def work(_should_stop: ShouldStop) -> Generator[Any, None, Path]:
        from napari_cellstage.reporting import write_report

        yield BatchDone("writing the report", 0, 1)
        return write_report(run)

    return work
