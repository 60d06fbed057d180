"""The table of runs: when, by which recipe, how good, from how many labels. What is done with them: `runs_part`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_cellstage.ui.next_step import made_text

if TYPE_CHECKING:
    from napari_cellstage.learn.run_records import RunRecord

_HEADS = ("when", "recipe", "accuracy", "cells", "labels")
_NAME = Qt.ItemDataRole.UserRole


class RunsTable(QTableWidget):
    """One row a run, the newest first; the reviewed one is bold. Ctrl or Shift selects two."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_HEADS), parent)
        self.setHorizontalHeaderLabels(_HEADS)
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setStretchLastSection(True)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setMinimumHeight(70)
        self.setAccessibleName("Runs, the newest first")

    def show_runs(self, runs: tuple[RunRecord, ...], reviewed: str) -> None:
        """Show these; selected ones stay selected."""
        selected = self.selected()
        self.blockSignals(True)
        self.clearContents()
        self.setRowCount(len(runs))
        for row, run in enumerate(runs):
            self._put(row, run, run.name == reviewed)
        self.clearSelection()
        self.blockSignals(False)
        self.select(selected or ((reviewed,) if reviewed else ()))

    def selected(self) -> tuple[str, ...]:
        """Return the names of the selected runs, the newest first."""
        rows = sorted({index.row() for index in self.selectedIndexes()})
        return tuple(str(item.data(_NAME)) for row in rows if (item := self.item(row, 0)) is not None)

    def select(self, names: tuple[str, ...]) -> None:
        """Select runs by name."""
        multi, extended = QAbstractItemView.SelectionMode.MultiSelection, self.selectionMode()
        self.setSelectionMode(multi)
        self.clearSelection()
        for row in range(self.rowCount()):
            item = self.item(row, 0)
            if item is not None and item.data(_NAME) in names:
                self.selectRow(row)
        self.setSelectionMode(extended)

    def _put(self, row: int, run: RunRecord, reviewed: bool) -> None:
        for column, text in enumerate(run_texts(run)):
            item = QTableWidgetItem(text)
            item.setData(_NAME, run.name)
            item.setToolTip(run_tip(run))
            if reviewed:
                font = item.font()
                font.setBold(True)
                item.setFont(font)
            self.setItem(row, column, item)


def run_texts(run: RunRecord) -> tuple[str, ...]:
    """Return what the row of a run says."""
    mark = "⚠ " if run.problem else ""
    scores = run.scores
    accuracy = "–" if scores is None else f"{scores.accuracy:.2f} ({scores.low:.2f}–{scores.high:.2f})"
    cells = "" if scores is None else f"{scores.n:,} {'cross-validated' if run.cross_validated else 'held out'}"
    labels = f"{sum(run.labels.values()):,}" if run.labels else ""
    return f"{mark}{made_text(run.made)}", run.recipe, accuracy, cells, labels


def run_tip(run: RunRecord) -> str:
    """Return the rest that is known of a run."""
    labels = ", ".join(f"{count} {name}" for name, count in run.labels.items())
    told = (run.problem, f"Labels: {labels}" if labels else "", f"Folder: {run.name}")
    return "\n".join(one for one in told if one)
