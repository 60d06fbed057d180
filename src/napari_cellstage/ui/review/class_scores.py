"""Precision, recall and F1 of each class as a table."""

from __future__ import annotations

import math

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_cellstage.core.scoring.scores import ClassScores, Scores

_HEADS = ("class", "n", "precision", "recall", "F1")
_ROWS_SHOWN = 7


class ClassScoresTable(QTableWidget):
    """A row a class; figures with their 95 % intervals."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_HEADS), parent)
        self.setHorizontalHeaderLabels(_HEADS)
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.setAccessibleName("Scores of each class")

    def show_scores(self, scores: Scores) -> None:
        """Show the figures of each class."""
        self.setRowCount(len(scores.per_class))
        for row, one in enumerate(scores.per_class):
            for column, text in enumerate(_texts(one)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                item.setTextAlignment(
                    Qt.AlignmentFlag.AlignVCenter
                    | (Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft)
                )
                self.setItem(row, column, item)
        line = self.fontMetrics().height() + 8
        self.verticalHeader().setMinimumSectionSize(line)
        self.verticalHeader().setDefaultSectionSize(line)
        shown = min(len(scores.per_class), _ROWS_SHOWN)
        self.setFixedHeight(line * shown + self.horizontalHeader().sizeHint().height() + 20)


def _texts(one: ClassScores) -> tuple[str, ...]:
    figures = (
        (one.precision, one.precision_interval), (one.recall, one.recall_interval), (one.f1, one.f1_interval)
    )  # fmt: skip
    return (one.name, f"{one.n:,}", *(figure_text(value, interval) for value, interval in figures))


def figure_text(value: float, interval: tuple[float, float]) -> str:
    """Return a figure with its interval; a dash where it is not defined."""
    if math.isnan(value):
        return "–"
    low, high = interval
    return f"{value:.2f}" if math.isnan(low) else f"{value:.2f} ({low:.2f}–{high:.2f})"
