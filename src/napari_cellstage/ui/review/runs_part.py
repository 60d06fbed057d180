"""What is done with runs: reviewed, compared, predicted with, cross-validated, reported, shared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from napari_cellstage.core.review.comparing import RunComparison
from napari_cellstage.session import Session
from napari_cellstage.ui.next_step import made_text
from napari_cellstage.ui.notices import show, showing_errors, shown, tell
from napari_cellstage.ui.pieces import READ_ONLY, allow, hint, on_click, small_button
from napari_cellstage.ui.review.run_work import cross_validating, reporting, sharing
from napari_cellstage.ui.review.runs_table import RunsTable
from napari_cellstage.ui.training import dropped_text, predicting, runs_folder
from napari_cellstage.ui.workers import Job, JobRunner, Work

_NO_ANSWERS = "It has no predictions for cells that its model had not seen: cross-validate it to review or compare it."
_HINT = "Select two runs (Ctrl or Shift) to compare them on the same cells."


class RunsPart(QWidget):
    """Table of runs with what can be done with them.

    Parameters
    ----------
    session
        Whose runs.
    runner
        Where long work runs.
    """

    def __init__(self, session: Session, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._runner = session, runner
        self._version, self._predicted_in = 0, Path()
        self.comparison: RunComparison | None = None
        self.open_file: Callable[[Path], object] = lambda file: QDesktopServices.openUrl(QUrl.fromLocalFile(str(file)))
        self.table = RunsTable()
        self.said = hint(_HINT)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table, 1)
        layout.addLayout(self._build_actions())
        layout.addWidget(self.said)
        layout.addLayout(self._build_comparison())
        self.table.itemSelectionChanged.connect(self._on_selected)
        runner.started.connect(self._enable)
        runner.ended.connect(self._enable)
        self._enable()

    def refresh(self) -> None:
        """Show the runs there are now."""
        self.table.show_runs(self._session.runs(), self._session.review_run)
        self._on_selected()

    def _build_actions(self) -> QVBoxLayout:
        self.review = small_button("Review this run", "Show in matrix, lists and gallery what this run says.")
        self.predict = small_button("Predict with it", "Say the class of every cell again, by the model of this run.")
        self.cross = small_button(
            "Cross-validate",
            "Train several models, each without a part of the labelled cells, so that every labelled cell gets an "
            "answer from a model that had not seen it.",
        )
        self.report = small_button("Report", "Write one HTML file about this run, with scores, curves and examples.")
        self.share = small_button(
            "Share…",
            "Write this run with its cells, labels, split, recipe, model and report as one file, from which others can "
            "train it again: napari-cellstage rerun FILE.",
        )
        self.actions_of_one = (self.review, self.predict, self.cross, self.report, self.share)
        actions = (self._review, self._predict, self._cross_validate, self._report, self._share)
        rows = QVBoxLayout()
        for start, end in ((0, 2), (2, 5)):
            row = QHBoxLayout()
            for one, action in zip(self.actions_of_one[start:end], actions[start:end], strict=True):
                row.addWidget(one)
                on_click(one, action)
            rows.addLayout(row)
        return rows

    def _build_comparison(self) -> QHBoxLayout:
        self.won = small_button("Won", "Show the cells that the newer run gets right and the older one wrong.")
        self.lost = small_button("Lost", "Show the cells that the older run gets right and the newer one wrong.")
        row = QHBoxLayout()
        for one, title in ((self.won, "won"), (self.lost, "lost")):
            row.addWidget(one)
            on_click(one, partial(self._show, title))
            one.hide()
        row.addStretch(1)
        return row

    # what is selected

    def _on_selected(self) -> None:
        self._enable()
        names = self.table.selected()
        self.comparison = None
        self.said.setText(_HINT if len(names) != 1 else self._problem(names[0]) or _HINT)
        if len(names) == 2:
            self._compare(*reversed(names))
        for one in (self.won, self.lost):
            one.setVisible(self.comparison is not None)
        for one in self.actions_of_one:
            one.setVisible(len(names) < 2)

    def _compare(self, older: str, newer: str) -> None:
        from napari_cellstage.core.errors import CellStageError

        try:
            self.comparison = self._session.compare_runs(older, newer)
        except CellStageError as error:  # a sentence in its place: two runs are selected on the way to others
            self.said.setText(str(error))
            return
        found = self.comparison
        times = [made_text(one.made) if (one := self._session.run(name)) else name for name in (older, newer)]
        self.said.setText(comparison_text(found, *times))
        self.won.setText(f"Won: {len(found.won):,}")
        self.lost.setText(f"Lost: {len(found.lost):,}")

    def _problem(self, name: str) -> str:
        run = self._session.run(name)
        if run is None:
            return ""
        return run.problem or ("" if run.has_unseen else _NO_ANSWERS)

    def _enable(self, *_what: object) -> None:
        names = self.table.selected()
        run = self._session.run(names[0]) if len(names) == 1 else None
        if run is None:
            for one in self.actions_of_one:
                allow(one, "Select a run.")
            return
        reviewed = "It is the one that is reviewed." if run.name == self._session.review_run else ""
        held_up = READ_ONLY if self._session.read_only else "Something else goes on." if self._runner.busy else ""
        unknown = "" if run.recipe else run.problem
        allow(self.review, reviewed or ("" if run.has_unseen else run.problem or _NO_ANSWERS))
        allow(self.predict, held_up or unknown or ("" if run.has_model else run.problem))
        allow(self.cross, held_up or unknown)
        allow(self.report, held_up or unknown)
        busy = "Something else goes on." if self._runner.busy else ""
        allow(self.share, busy or unknown or ("" if run.has_model else run.problem))

    # what the user does

    @showing_errors
    def _review(self) -> None:
        self._session.review_run = self.table.selected()[0]
        self._enable()

    @showing_errors
    def _show(self, title: str) -> None:
        if self.comparison is not None:
            cells = self.comparison.won if title == "won" else self.comparison.lost
            self._session.show_cells(cells, f"{title.capitalize()} by the newer run", "loss")

    @showing_errors
    def _predict(self) -> None:
        snapshot = self._session.snapshot()
        self._version, self._predicted_in = snapshot.version, runs_folder(self._session)
        self._begin("predicting", predicting(snapshot, self._folder()), self._take)

    @showing_errors
    def _cross_validate(self) -> None:
        folder = self._folder()
        work = cross_validating(self._session.snapshot(), folder)
        self._begin("cross-validating", work, lambda _done: self._session.note_run(folder.name))

    @showing_errors
    def _report(self) -> None:
        self._begin("writing the report", reporting(self._folder()), self._on_report)

    @showing_errors
    def _share(self) -> None:
        folder = self._folder()
        start = str(folder.parent.parent.parent / f"{folder.name}.zip")
        name, _filter = QFileDialog.getSaveFileName(self, "Share this run as", start, "Bundle in one file (*.zip)")
        if not name:
            return
        chosen = Path(name)
        out = chosen if chosen.suffix.lower() == ".zip" else chosen.with_name(f"{chosen.name}.zip")
        # The system's window has asked before it returned a name that is there.
        work = sharing(self._session.snapshot(), folder, out, overwrite=out == chosen and chosen.exists())
        self._begin("sharing", work, self._on_shared)

    def _on_shared(self, shared: Any) -> None:
        if shared is not None:
            tell(
                "\n".join((f"{shared.cells:,} cells and all else of this run are in '{shared.place}'.", *shared.notes))
            )

    def _folder(self) -> Path:
        return runs_folder(self._session) / self.table.selected()[0]

    def _begin(self, title: str, work: Work, done: Callable[[Any], object]) -> None:
        job = Job(title, work)
        job.returned.connect(done)
        job.failed.connect(show)
        self._runner.start(job)

    def _take(self, answer: Any) -> None:
        with shown():
            if answer is not None and not self._session.set_predictions(answer.predictions, self._version):
                tell(dropped_text(self._session, self._predicted_in, "Predict again."))

    def _on_report(self, file: Path | None) -> None:
        if file is not None:
            tell(f"The report is at '{file}'.")
            self.open_file(file)


def comparison_text(found: RunComparison, older: str, newer: str) -> str:
    """Return a comparison in words."""
    paired = found.paired
    p = paired.p if paired.p_groups is None else paired.p_groups
    low, high = paired.interval
    chance = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    difference = f"{paired.difference:+.3f} ({low:+.3f} to {high:+.3f})"
    return (
        f"{newer} against {older}, {paired.n:,} cells by the labels of today: right on {len(found.won):,} that the "
        f"older gets wrong, wrong on {len(found.lost):,} that it gets right. Difference {difference}, {chance}."
    )
