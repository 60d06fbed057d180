"""The map of cells: what it shows, and that what is chosen on it is chosen everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QImage, QMouseEvent, QPainter
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_cellstage.core.predictions import NEITHER, Predictions
from napari_cellstage.core.review import projections
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from napari_cellstage.ui.review.cell_map import NOTHING_YET, CellMap
from napari_cellstage.ui.review.cell_plot import CellPlot, _Dots
from napari_cellstage.ui.review.map_colors import COLORINGS, NONE_COLOR, ORDER, UNLIKE, Group
from napari_cellstage.ui.review.map_words import legend_text, point_text
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import JobRunner

LEFT = Qt.MouseButton.LeftButton


def predict(session: Session, width: int = 3) -> Predictions:
    """Put the cells of the session on a line: the first six far from the others."""
    count, kinds = len(session.cells()), session.scheme.ids
    chances = np.full((count, len(kinds)), 0.2 / (len(kinds) - 1), dtype=np.float32)
    chances[np.arange(count), np.arange(count) % 2] = 0.8
    embedding = np.random.default_rng(0).normal(size=(count, width)).astype(np.float16)
    embedding[:6, 0] += 40
    unlike = np.linspace(0.1, 1.2, count, dtype=np.float32)
    found = Predictions(chances, kinds, np.full(count, NEITHER, dtype=np.uint8), "run", embedding, unlike)
    assert session.set_predictions({session.current_id or 0: found}, session.snapshot().version)
    return found


@pytest.fixture
def cell_map(qtbot: Any, session: Session) -> Iterator[CellMap]:
    theme, runner = PanelTheme(ViewerModel()), JobRunner()
    made = CellMap(session, runner, theme)
    qtbot.addWidget(made)
    made.resize(380, 420)
    made.show()
    yield made
    made.close_link()
    runner.close()
    theme.close_link()


@pytest.fixture
def full(cell_map: CellMap, session: Session) -> CellMap:
    predict(session)
    cell_map.refresh()
    QTest.qWait(100)  # until it is laid out
    return cell_map


def pixel(cell_map: CellMap, x: float, y: float) -> QPointF:
    """Return where a place of the map is in the plot."""
    plot = cell_map.plot
    return QPointF(plot.mapFromScene(plot.canvas.mapViewToScene(QPointF(x, y))))


def send(cell_map: CellMap, kind: Any, point: QPointF, buttons: Any = LEFT, keys: Any = None) -> None:
    view = cell_map.plot.viewport()
    keys = Qt.KeyboardModifier.NoModifier if keys is None else keys
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
    glob = QPointF(view.mapToGlobal(point.toPoint()))
    QApplication.sendEvent(view, QMouseEvent(kind, point, glob, button, buttons, keys))


def lasso(cell_map: CellMap, low: tuple[float, float], high: tuple[float, float], keys: Any = None) -> None:
    """Draw a rectangle by hand."""
    corners = [low, (high[0], low[1]), high, (low[0], high[1])]
    points = [pixel(cell_map, *corner) for corner in corners]
    send(cell_map, QEvent.Type.MouseButtonPress, points[0], keys=keys)
    for point in points[1:]:
        QTest.qWait(25)  # pyqtgraph passes over moves that come faster
        send(cell_map, QEvent.Type.MouseMove, point, keys=keys)
    QTest.qWait(25)
    send(cell_map, QEvent.Type.MouseButtonRelease, points[-1], Qt.MouseButton.NoButton, keys)


def around(cell_map: CellMap, some: slice) -> tuple[tuple[float, float], tuple[float, float]]:
    every = cell_map.plot.places
    places, edge = every[some], np.ptp(every, axis=0) * 0.02  # less than what the plot shows around them
    low, high = places.min(axis=0) - edge, places.max(axis=0) + edge
    return (float(low[0]), float(low[1])), (float(high[0]), float(high[1]))


def test_before_a_training_it_says_what_gives_cells_a_place(cell_map: CellMap) -> None:
    assert cell_map.missing.text() == NOTHING_YET
    assert cell_map.missing.isVisible()
    assert not cell_map.content.isVisible()


def test_a_point_for_each_cell_after_a_prediction_without_being_asked(
    cell_map: CellMap, session: Session, qtbot: Any
) -> None:
    predict(session)
    qtbot.waitUntil(lambda: len(cell_map.rows) == 12, timeout=20_000)
    assert cell_map.content.isVisible()
    assert not cell_map.missing.isVisible()
    assert not cell_map.grab().isNull()


def blots(image: QImage) -> list[tuple[int, int]]:
    """Return width and height of each blot of black."""
    from scipy import ndimage

    dark = [[image.pixelColor(x, y).lightness() < 100 for x in range(image.width())] for y in range(image.height())]
    found, _ = ndimage.label(np.array(dark))
    return [(x.stop - x.start, y.stop - y.start) for y, x in ndimage.find_objects(found)]


@pytest.mark.parametrize("stretch", [(1000.0, 30.0), (2000.0, 2000.0)])
def test_dots_are_round_however_the_map_is_stretched(qtbot: Any, stretch: tuple[float, float]) -> None:
    dots = _Dots()
    places = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.2]]) * (1 / np.array(stretch)) * 100
    dots.show_groups(places, [Group("#000000", "cells", np.arange(3))], 9)
    image = QImage(140, 140, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.translate(20, 20)
    painter.scale(*stretch)
    dots.paint(painter)
    painter.end()
    sizes = blots(image)
    assert len(sizes) == 3
    assert all(abs(width - height) <= 1 and 8 <= width <= 11 for width, height in sizes)


def test_places_in_half_precision_are_plotted(qtbot: Any) -> None:
    theme = PanelTheme(ViewerModel())
    plot = CellPlot(theme)
    qtbot.addWidget(plot)
    plot.resize(200, 200)
    plot.show()
    places = np.array([[-6e4, 6e4], [6e4, -6e4], [1e4, 3e4]], dtype=np.float16)
    plot.show_points(places, [Group("#000000", "a", np.array([0, 1])), Group("#000000", "b", np.array([2]), "x")])
    plot.ring(np.arange(3))
    assert not plot.grab().isNull()
    theme.close_link()


def test_many_classes_leave_the_map_its_room(full: CellMap, session: Session) -> None:
    full.legend.setText(" &nbsp; ".join(f"a class of some length {n}" for n in range(200)))
    full.resize(320, 300)
    QTest.qWait(50)
    assert full.plot.height() >= 120
    full.legend.setText("one class")
    QTest.qWait(50)
    assert full.legend.widget().height() <= full.legend.viewport().height() < 40
    assert full.minimumSizeHint().height() <= 260


def test_a_lasso_chooses_and_fills_the_gallery_and_ctrl_adds(full: CellMap, session: Session) -> None:
    lasso(full, *around(full, slice(0, 6)))
    cells = session.review_table().cells
    assert session.chosen == cells.take(np.arange(6))
    assert (session.shown.title, len(session.shown.cells)) == ("lasso of 6 cells", 6)
    assert full.plot._ringed.tolist() == list(range(6))

    lasso(full, *around(full, slice(6, 7)), Qt.KeyboardModifier.ControlModifier)
    assert 0 in session.chosen.places_in(cells)
    assert 6 in session.chosen.places_in(cells)
    assert session.shown.title == f"lasso of {len(session.chosen)} cells"


def test_a_lasso_around_nothing_chooses_nothing_and_leaves_the_gallery(full: CellMap, session: Session) -> None:
    session.show_cells(CellRefs(), "before")
    session.choose(session.review_table().cells.take(np.array([1])))
    (left, low), (_, high) = around(full, slice(0, 12))
    lasso(full, (left + 15, low), (left + 25, high))  # between the two groups
    assert len(session.chosen) == 0
    assert session.shown.title == "before"


def test_a_click_chooses_the_nearest_cell_and_a_double_click_goes_to_it(full: CellMap, session: Session) -> None:
    wanted: list[tuple[int, ...]] = []
    session.cell_wanted.connect(lambda *cell: wanted.append(cell))
    full.plot.canvas.clicked.emit(tuple(full.plot.places[3] + 0.01), False)
    table = session.review_table()
    assert session.chosen == table.cells.take(np.array([3]))
    full.plot.canvas.clicked.emit(tuple(full.plot.places[4]), True)
    assert len(session.chosen) == 2
    full.plot.canvas.double_clicked.emit(tuple(full.plot.places[5]))
    assert wanted == [(session.current_id, 0, int(table.cells.cell_id[5]))]


def test_cells_chosen_elsewhere_are_ringed(full: CellMap, session: Session) -> None:
    session.choose(session.review_table().cells.take(np.array([2, 7])))
    assert full.plot._ringed.tolist() == [2, 7]


def test_a_label_recolours_and_moves_nothing(full: CellMap, session: Session, qtbot: Any) -> None:
    lasso(full, *around(full, slice(0, 6)))
    before, legend = full.plot.places, full.legend.text()
    session.label_refs(session.chosen, 3)
    qtbot.waitUntil(lambda: full.legend.text() != legend, timeout=20_000)
    assert full.plot.places is before
    assert session.scheme.by_id(3).color in full.legend.text()
    assert full.plot._ringed.tolist() == list(range(6))


def test_other_maps_are_computed_beside_and_kept(full: CellMap, qtbot: Any, session: Session) -> None:
    full.kind.setCurrentText("t-SNE")
    assert full.kind.currentText() == "PCA"
    assert full.runner.busy
    qtbot.waitUntil(lambda: full.kind.currentText() == "t-SNE", timeout=60_000)
    qtbot.waitUntil(lambda: not full.runner.busy, timeout=20_000)
    places = full.plot.places
    full.kind.setCurrentText("PCA")
    assert not np.array_equal(full.plot.places, places)
    full.kind.setCurrentText("t-SNE")
    assert not full.runner.busy
    assert np.array_equal(full.plot.places, places)

    predict(session, width=4)
    full.refresh()
    assert full.kind.currentText() == "PCA"


def test_a_stop_leaves_the_map_that_was_there(full: CellMap, qtbot: Any) -> None:
    places = full.plot.places
    full.kind.setCurrentText("t-SNE")
    full.runner.stop()
    qtbot.waitUntil(lambda: not full.runner.busy, timeout=10_000)
    assert full.kind.currentText() == "PCA"
    assert full.plot.places is places


def test_a_missing_package_is_told_and_nothing_begins(
    full: CellMap, monkeypatch: pytest.MonkeyPatch, capture_errors: list[str]
) -> None:
    monkeypatch.setattr(projections.importlib.util, "find_spec", lambda _name: None)
    full.kind.setCurrentText("UMAP")
    assert "pip install 'napari-cellstage[umap]'" in capture_errors[0]
    assert full.kind.currentText() == "PCA"
    assert not full.runner.busy


@pytest.fixture
def capture_errors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    monkeypatch.setattr("napari_cellstage.ui.notices.show_error", told.append)
    return told


@pytest.mark.parametrize("how", list(COLORINGS))
def test_every_cell_has_one_colour(full: CellMap, session: Session, how: str) -> None:
    session.label_cells([0, 1], 1)
    full.coloring.setCurrentText(how)
    groups = COLORINGS[how](session.review_table(), {1: "field"})
    rows = np.concatenate([one.rows for one in groups])
    assert sorted(rows.tolist()) == list(range(12))
    assert not full.grab().isNull()


def test_cells_unlike_the_training_cells_are_crosses_without_a_class_colour(full: CellMap, session: Session) -> None:
    table = session.review_table()
    flagged = np.flatnonzero(table.unlike > 1)
    (group,) = [one for one in COLORINGS["prediction"](table, {}) if one.text == UNLIKE]
    assert group.rows.tolist() == flagged.tolist()
    assert (group.symbol, group.color) == ("x", NONE_COLOR)
    full.coloring.setCurrentText("prediction")
    assert len(full.plot._crosses.points()) == len(flagged)


def test_names_stay_text(full: CellMap, session: Session) -> None:
    session.rename_class(1, "<img src=x> \"'=1+1")
    session.label_cells([0], 1)
    full.refresh()
    assert "<img" not in full.legend.text()
    assert "&lt;img" in full.legend.text()
    assert "<img" not in point_text(session.review_table(), 0)


def test_the_legend_of_many_images_is_short(session: Session) -> None:
    predict(session)
    table = session.review_table()
    many = replace(table, cells=CellRefs(np.arange(12) + 1, table.cells.t, table.cells.cell_id))
    groups = COLORINGS["image"](many, {})
    assert len({one.color for one in groups}) == 12
    assert "and 9 more" not in legend_text(groups, "image")
    assert "and 12 more" in legend_text([*groups, *groups, *groups], "image")


def test_what_is_said_of_a_point(session: Session) -> None:
    predict(session)
    session.label_cells([0], 2)
    table = session.review_table()
    names = session.scheme.names
    assert point_text(table, 0) == f"<span>cell 1 · labelled {names[1]}</span>"
    said = f"<span>cell 12 · not labelled · predicted {names[1]} 0.80 · unlike the training cells</span>"
    assert point_text(table, 11) == said


def test_cells_that_are_not_shown_are_counted(cell_map: CellMap, session: Session) -> None:
    found = predict(session)
    embedding = np.array(found.embedding)
    embedding[4] = np.nan
    answer = replace(found, embedding=embedding)
    session.set_predictions({session.current_id or 0: answer}, session.snapshot().version)
    cell_map.refresh()
    assert cell_map.rows.tolist() == [row for row in range(12) if row != 4]
    assert "1 cell has no place yet" in cell_map.note.text()


def test_of_very_many_cells_some_are_shown_and_this_is_said(
    cell_map: CellMap, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(projections.MOST_OF, "PCA", 5)
    predict(session)
    cell_map.refresh()
    assert len(cell_map.rows) == 5
    assert "5 of 12 cells are shown, drawn at random." in cell_map.note.text()


def test_a_hidden_map_waits_until_it_is_seen(full: CellMap, session: Session, qtbot: Any) -> None:
    full.hide()
    legend = full.legend.text()
    session.label_cells([0], 1)
    qtbot.wait(300)
    assert full.legend.text() == legend
    full.show()
    assert full.legend.text() != legend


def along_an_arc(session: Session, count: int) -> np.ndarray:
    """Put the cells of the session on half a circle, in the order of their rows; each is of the class of its part."""
    place, kinds = np.arange(count) / count, session.scheme.ids
    embedding = np.stack([np.cos(np.pi * place), np.sin(np.pi * place)], axis=1)
    embedding += np.random.default_rng(0).normal(0, 0.02, embedding.shape)
    chances = np.full((count, len(kinds)), 1 / len(kinds), dtype=np.float32)
    part = np.full(count, NEITHER, dtype=np.uint8)
    said = Predictions(chances, kinds, part, "run", embedding.astype(np.float16))
    assert session.set_predictions({session.current_id or 0: said}, session.snapshot().version)
    return place


@pytest.fixture
def many(make_session: Any, qtbot: Any) -> Iterator[tuple[CellMap, Session]]:
    """A map of 48 cells."""
    session = make_session((1, 1, 100, 76))
    theme, runner = PanelTheme(ViewerModel()), JobRunner()
    made = CellMap(session, runner, theme)
    qtbot.addWidget(made)
    made.resize(380, 420)
    made.show()
    along_an_arc(session, len(session.cells()))
    made.refresh()
    yield made, session
    made.close_link()
    runner.close()
    theme.close_link()


def test_cells_are_coloured_along_the_cycle_and_the_score_is_in_words(many: Any, qtbot: Any) -> None:
    shown, session = many
    count = len(session.cells())
    assert count >= 30
    for row in range(0, count, 2):
        session.label_cells([row], 1 + row * 6 // count)
    shown.refresh()
    shown.coloring.setCurrentText(ORDER)
    assert "being worked out" in shown.legend.text()
    qtbot.waitUntil(lambda: "Spearman" in shown.note.text(), timeout=20_000)
    assert "interphase → prophase" in shown.note.text()
    assert f"{count // 2} cells that the model had not seen" in shown.note.text()
    groups = COLORINGS[ORDER](replace(session.review_table(), order=shown.order.of(session.review_table())), {})
    found = [one.rows.mean() for one in groups if len(one.rows)]
    assert len(found) == 8
    assert found == sorted(found)  # of the rows, which are in order; the direction is that of the classes
    assert "first" in shown.legend.text()
    assert shown.order._order.score.short in shown.legend.text()
    assert f"{count // 2} unseen cells" in shown.legend.text()


def test_a_new_label_scores_the_order_again_without_working_it_out_again(many: Any, qtbot: Any) -> None:
    shown, session = many
    shown.coloring.setCurrentText(ORDER)
    qtbot.waitUntil(lambda: "open line" in shown.note.text(), timeout=20_000)
    assert "Spearman" not in shown.note.text()
    before = shown.order._order.found
    for row in range(30):
        session.label_cells([row], 1 + row // 15)
    qtbot.waitUntil(lambda: "30 cells that the model had not seen" in shown.note.text(), timeout=20_000)
    assert shown.order._order.found is before


def test_too_few_cells_have_no_order_and_the_map_says_so(full: CellMap, qtbot: Any) -> None:
    full.coloring.setCurrentText(ORDER)
    qtbot.waitUntil(lambda: "an order needs 20 or more" in full.legend.text(), timeout=20_000)
    full.coloring.setCurrentText("class")
    assert "an order" not in full.legend.text()


def test_a_map_that_is_closed_while_cells_are_ordered_tells_nobody(many: Any, qtbot: Any) -> None:
    shown, _ = many
    shown.coloring.setCurrentText(ORDER)
    shown.close_link()
    QTest.qWait(50)
    assert "being worked out" in shown.legend.text()
