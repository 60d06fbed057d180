"""Tables of persons: cells each labelled, how far they agree, and how they do against the model. Plain text only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QWidget

from napari_cellstage.core.people.against_model import PeopleAgainstModel, Standing
from napari_cellstage.core.people.agreement import Agreement, PairAgreement, in_words

_ROWS_SEEN = 6


class PlainTable(QTableWidget):
    """Rows of text; a name that is too long ends in dots, and is whole in its tooltip."""

    def __init__(self, heads: Sequence[str], name: str, parent: QWidget | None = None) -> None:
        super().__init__(0, len(heads), parent)
        self.setHorizontalHeaderLabels(list(heads))
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setShowGrid(False)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(0)
        self.setAccessibleName(name)
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setHighlightSections(False)

    def show_rows(self, rows: Iterable[Sequence[str]], bold: Sequence[int] = ()) -> None:
        """Show these, and be as high as they need, up to a few."""
        shown = list(rows)
        self.setRowCount(len(shown))
        for place, texts in enumerate(shown):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(escape(text))
                font = item.font()
                font.setBold(place in bold)
                item.setFont(font)
                self.setItem(place, column, item)
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Wrap names to the width there is."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.resizeRowsToContents()
        rows = self.rowCount()
        seen = sum(self.rowHeight(row) for row in range(min(rows, _ROWS_SEEN)))
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + seen + 2 * self.frameWidth() + 2)


def person_rows(names: Sequence[str], labels: Sequence[int], me: str) -> list[tuple[str, str]]:
    """Return a row for each person: name, marked where it is who labels now, and number of labels."""
    return [(f"{name} (you)" if name == me else name, f"{n:,}") for name, n in zip(names, labels, strict=True)]


def pair_rows(found: Agreement) -> list[tuple[str, ...]]:
    """Return a row for each two persons: names, kappa with its interval and in words, share that is the same, cells."""
    return [(f"{one.first} and {one.second}", _kappa(one), f"{one.raw:.0%}", f"{one.n:,}") for one in found.pairs]


def _kappa(pair: PairAgreement) -> str:
    if pair.kappa != pair.kappa:
        return "–\none class only"
    low, high = pair.interval
    return f"{pair.kappa:.2f} ({low:.2f} to {high:.2f})\n{in_words(pair.kappa)}".replace("-", "−")


def standing_rows(found: PeopleAgainstModel) -> list[tuple[str, ...]]:
    """Return a row for each: name, accuracy, the model's on the same cells, how likely so by chance, cells."""
    return [(one.name, _accuracy(one), _model(one), _chance(one), _count(one)) for one in found.standings]


def _count(one: Standing) -> str:
    return "" if one.kind == "average" else f"{one.n:,}"


def _accuracy(one: Standing) -> str:
    if one.interval is None:
        return f"{one.accuracy:.2f}"
    return f"{one.accuracy:.2f} ({one.interval[0]:.2f}–{one.interval[1]:.2f})"


def _model(one: Standing) -> str:
    return f"{one.model:.2f}" if one.model == one.model else ""


def _chance(one: Standing) -> str:
    if one.paired is None:
        return ""
    p = one.paired.p if one.paired.p_groups is None else one.paired.p_groups
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
