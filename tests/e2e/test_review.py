"""A whole round in a real window: train, see what is wrong, correct it, train again, compare the two runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from review_scene import DIVIDING, RESTING, label_with_slips, review, train

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.confusion import Confusion

if TYPE_CHECKING:
    from window import Bench

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:.*PyQt5.*"), pytest.mark.timeout(900)]

LEFT, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier


def test_a_whole_round(open_window: Callable[[], Bench]) -> None:
    bench = open_window()
    slips = label_with_slips(bench)
    train(bench)
    first = bench.session.review_run
    assert first
    open_largest_confusion(bench)
    cell = open_third_crop(bench)
    relabel_undo_relabel(bench, cell)
    correct_the_others(bench, slips)
    train(bench)
    compare(bench, first)


def open_largest_confusion(bench: Bench) -> None:
    panel = review(bench)
    assert not panel.missing.isVisible()
    assert "cross-validated: accuracy" in panel.scores.score.text()
    label, predicted, count = Confusion.of(bench.session.review_table()).pairs()[0]
    assert (label, predicted) == (DIVIDING, RESTING)
    assert count >= 3
    view = panel.sections.open("Matrix").view
    entry = view.counts.index(view.counts.ids.index(label), view.counts.ids.index(predicted))
    view.scrollTo(entry)
    QTest.mouseClick(view.viewport(), LEFT, pos=view.visualRect(entry).center())
    assert len(bench.session.shown.cells) == count
    assert panel.gallery.grid.count == count


def open_third_crop(bench: Bench) -> int:
    """Click the third crop twice; return its row, where the viewer has gone."""
    gallery = bench.dock.review.panel.gallery
    gallery.grid.scroll_to(2)
    at = gallery.grid.rect_of(2).center()
    QTest.mouseClick(gallery.grid.viewport(), LEFT, pos=at)
    QTest.mouseDClick(gallery.grid.viewport(), LEFT, pos=at)
    chosen, cells = bench.session.chosen, bench.session.cells()
    assert len(chosen) == 1
    row = bench.session.row_of(int(chosen.t[0]), int(chosen.cell_id[0]))
    assert bench.dock.link.selected_row == row
    scale = np.asarray(bench.dock.link.layers.cells_layer.scale)[-2:]
    place = np.array([cells.y[row], cells.x[row]]) * scale
    np.testing.assert_allclose(bench.viewer.scene.camera.center[-2:], place, atol=1)
    return int(row)


def relabel_undo_relabel(bench: Bench, row: int) -> None:
    grid, session = bench.dock.review.panel.gallery.grid, bench.session
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_1)
    assert session.class_ids()[row] == RESTING
    QTest.keyClick(grid, Qt.Key.Key_Z, CONTROL)
    assert session.class_ids()[row] == DIVIDING
    QTest.keyClick(grid, Qt.Key.Key_1)
    assert session.class_ids()[row] == RESTING
    assert session.origins()[row] == "review"
    panel = review(bench)
    bench.qtbot.waitUntil(lambda: "1 has changed since" in panel.scores.changed.text(), timeout=20_000)


def correct_the_others(bench: Bench, slips: np.ndarray) -> None:
    """Choose the other cells of the entry in the gallery, and correct those that were slips."""
    session = bench.session
    wrong = slips[session.class_ids()[slips] == DIVIDING]
    session.choose(CellRefs.of(session.current_id, session.cells(), wrong))
    assert set(bench.dock.link.selection.rows) == set(wrong.tolist())
    bench.key(Qt.Key.Key_1)
    assert (session.class_ids()[slips] == RESTING).all()


def compare(bench: Bench, first: str) -> None:
    panel = review(bench)
    second = bench.session.review_run
    assert second != first
    runs = panel.sections.open("Runs")
    assert runs.table.rowCount() == 2
    runs.table.select((first, second))
    found = runs.comparison
    assert (found.a, found.b) == (first, second)
    assert found.paired.n == int((bench.session.class_ids() > 0).sum())
    assert "Difference" in runs.said.text()
    bench.click(runs.won)
    assert bench.session.shown.cells == found.won
    bench.click(runs.lost)
    assert panel.gallery.grid.count == len(found.lost)
