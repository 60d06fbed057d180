"""Persons against the model: a table of everyone on the same cells, and two confusion matrices side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from napari_cellstage.core.people.against_model import PeopleAgainstModel
from napari_cellstage.core.review.confusion import Confusion
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import shown
from napari_cellstage.ui.pieces import hint
from napari_cellstage.ui.review.beside import Beside
from napari_cellstage.ui.review.matrix import MatrixView
from napari_cellstage.ui.review.people_tables import PlainTable, standing_rows
from napari_cellstage.ui.theme import PanelTheme

_COMPARING = "Comparing persons with the model …"
_BESIDE = 440  # pixels from which two matrices fit beside each other
_TALLEST = 260
_HEADS = ("", "accuracy", "model there", "p", "cells")


class AgainstModel(QWidget):
    """Everyone on the same cells; worked out when it is looked at."""

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._comparing = Beside("comparing persons with the model", self)
        self._comparing.answered.connect(self._show)
        self.about = hint("")
        self.table = PlainTable(_HEADS, "Accuracy of persons and model")
        self.table.setToolTip(
            "'model there' is the accuracy of the model on the very cells that this person labelled; p says how likely "
            "so large a difference is by chance (McNemar; over images, where there are several)."
        )
        self.people, self.model = _Titled(theme), _Titled(theme)
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        layout = QVBoxLayout(self)
        for one in (self._pair, layout):
            one.setContentsMargins(0, 0, 0, 0)
        for side in (self.people, self.model):
            self._pair.addWidget(side, 1)
        layout.addWidget(self.about)
        layout.addWidget(self.table)
        layout.addLayout(self._pair)
        self.tests = hint("")
        layout.addWidget(self.tests)

    def refresh(self) -> None:
        """Compare beside, and show it."""
        with shown():
            self._comparing.ask(self.session.comparison_with_model())
            if not self.table.rowCount():
                self.about.setText(_COMPARING)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Put the matrices side by side where there is room for it, else one below the other."""
        super().resizeEvent(event)
        beside, below = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._pair.setDirection(beside if self.width() >= _BESIDE else below)

    def close_link(self) -> None:
        """Let go of what is being worked out."""
        self._comparing.close_link()

    def _show(self, found: PeopleAgainstModel) -> None:
        self.about.setText(found.text)
        rows = standing_rows(found)
        bold = [place for place, one in enumerate(found.standings) if one.kind in ("model", "vote")]
        self.table.show_rows(rows, bold)
        self.table.setVisible(bool(rows))
        self.tests.setText("\n".join(found.tests))
        self.tests.setVisible(bool(found.tests))
        model = found.of("model")
        title, counts = found.people_confusion
        self.people.show_counts(title, counts, found, self.session)
        self.people.setVisible(bool(rows))
        self.model.setVisible(model is not None)
        if model is not None:
            self.model.show_counts(model.name, model.confusion, found, self.session)


class _Titled(QWidget):
    """A matrix and what it is of."""

    def __init__(self, theme: PanelTheme) -> None:
        super().__init__()
        self.title, self.view = hint(""), MatrixView(theme)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.view.setAccessibleName("Confusion matrix: rows are the reference, columns what was said")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.title)
        layout.addWidget(self.view)

    def show_counts(
        self, title: str, counts: NDArray[np.int64], found: PeopleAgainstModel, session: Session
    ) -> None:  # fmt: skip
        """Show counts of the classes that occur in either."""
        classes = found.classes
        met = _met(found)
        self.title.setText(f"{title}: reference down, answer across")
        ids = tuple(i for i, there in zip(classes.ids, met.tolist(), strict=True) if there)
        some = Confusion(ids, counts[np.ix_(met, met)])
        self.view.setMinimumHeight(0)
        self.view.show_counts(some, {c.id: c.name for c in classes}, {c.id: c.color for c in session.scheme})
        self.view.setMinimumHeight(min(self.view.sizeHint().height(), _TALLEST))  # whole, as the section scrolls


def _met(found: PeopleAgainstModel) -> NDArray[np.bool_]:
    """Return which classes occur at all, so that both matrices have the same."""
    tables = [one.confusion for one in found.standings if one.confusion.size]
    total = np.sum(tables, axis=0) if tables else np.zeros((len(found.classes),) * 2)
    met: NDArray[np.bool_] = (total.sum(axis=0) + total.sum(axis=1)) > 0
    return met
