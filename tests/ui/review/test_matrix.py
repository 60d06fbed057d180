"""The confusion matrix: what it says, where clicks and keys lead, colours that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest

from napari_cellstage.core.review.confusion import Confusion
from napari_cellstage.ui.review.matrix import MatrixView
from napari_cellstage.ui.review.shades import blended, readable_on
from napari_cellstage.ui.theme import PanelTheme

NAMES = {1: "interphase", 2: "metaphase", 5: "<b>anaphase</b>"}
COLORS = {1: "#56b4e9", 2: "#e69f00", 5: "#009e73"}


@pytest.fixture
def view(qtbot: Any) -> Iterator[MatrixView]:
    theme = PanelTheme(ViewerModel())
    made = MatrixView(theme)
    qtbot.addWidget(made)
    made.resize(320, 240)
    made.show_counts(Confusion((1, 2, 5), np.array([[8, 2, 0], [1, 3, 0], [0, 0, 4]])), NAMES, COLORS)
    made.show()
    yield made
    theme.close_link()


def heard(view: MatrixView) -> list[tuple[int, int]]:
    entries: list[tuple[int, int]] = []
    view.entry_wanted.connect(lambda *entry: entries.append(entry))
    return entries


def test_it_says_counts_shares_and_totals(view: MatrixView) -> None:
    model = view.counts
    texts = [[model.index(row, column).data() for column in range(4)] for row in range(4)]

    assert texts == [["8", "2", "", "10"], ["1", "3", "", "4"], ["", "", "4", "4"], ["9", "5", "4", "18"]]
    view.show_per_cent(True)
    assert model.index(0, 1).data() == "20"
    assert model.index(0, 3).data() == "10"
    assert model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole) == "2 interphase cells predicted as metaphase"
    assert model.headerData(3, Qt.Orientation.Horizontal) == "all"


def test_clicks_on_entries_heads_and_totals_open_them(view: MatrixView) -> None:
    entries = heard(view)
    for place in ((0, 1), (1, 3), (3, 3)):
        at = view.visualRect(view.counts.index(*place)).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    view.horizontalHeader().sectionClicked.emit(2)
    view.verticalHeader().sectionClicked.emit(0)

    assert entries == [(1, 2), (2, 0), (0, 0), (0, 5), (1, 0)]


def test_arrows_walk_and_enter_opens_while_numbers_are_left_to_the_dock(view: MatrixView, qtbot: Any) -> None:
    entries = heard(view)
    view.setCurrentIndex(view.counts.index(0, 0))
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Return)
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert entries == [(1, 2), (2, 2)]
    QTest.keyClick(view, Qt.Key.Key_8)
    assert view.currentIndex() == view.counts.index(1, 1)


def test_other_counts_leave_the_place_that_was_walked_to(view: MatrixView) -> None:
    view.setCurrentIndex(view.counts.index(2, 2))
    view.show_counts(Confusion((1, 2, 5), np.eye(3, dtype=np.int64)), NAMES, COLORS)
    assert view.currentIndex() == view.counts.index(2, 2)
    view.show_counts(Confusion((), np.zeros((0, 0), dtype=np.int64)), NAMES, COLORS)
    assert view.counts.rowCount() == 0
    view.grab()


@pytest.mark.parametrize("height", [120, 400])
def test_a_few_classes_need_no_scrolling_sideways(view: MatrixView, qtbot: Any, height: int) -> None:
    view.resize(300, height)
    qtbot.wait(50)
    assert view.horizontalScrollBar().maximum() == 0


def test_two_hundred_classes_scroll(view: MatrixView) -> None:
    ids = tuple(range(1, 201))
    view.show_counts(Confusion(ids, np.eye(200, dtype=np.int64)), {i: f"class {i}" for i in ids}, {})
    view.grab()

    assert view.counts.rowCount() == 201
    assert view.horizontalScrollBar().maximum() > 0
    assert view.verticalScrollBar().maximum() > 0


def test_an_outlined_entry_is_painted_so(view: MatrixView) -> None:
    before = view.grab().toImage()
    view.outline(frozenset({(5, 5)}))
    assert view.grab().toImage() != before


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("ground", ["#262930", "#d6d0ce", "#000000", "#ffffff"])
@pytest.mark.parametrize("color", ["#0072b2", "#d55e00"])
def test_writing_can_be_read_on_every_field(ground: str, color: str, share: float) -> None:
    field = blended(QColor(ground), QColor(color), share)
    assert contrast(field, readable_on(field)) >= 4.5


def contrast(one: QColor, other: QColor) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: QColor) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
