"""The picture of the map: points in groups of a colour, a lasso, rings around the chosen ones. Knows no cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, Qt, Signal
from qtpy.QtWidgets import QWidget  # before pyqtgraph, which would choose a binding by itself

import pyqtgraph as pg  # isort: skip

from napari_cellstage.core.review.projections import inside, nearest_place
from napari_cellstage.ui.theme import PanelTheme

Floats = NDArray[np.float32]
SMALL, LARGE = 5, 7  # pixels across a point
MANY = 3000
RING = 5  # pixels that a ring is wider than its point


class _Canvas(pg.ViewBox):
    """Draws a lasso where pyqtgraph would pan; the wheel and the right button zoom, the middle one pans."""

    drawn = Signal(object, bool)  # outline (M, 2); whether it adds to what is chosen
    clicked = Signal(object, bool)  # (x, y); whether it adds
    double_clicked = Signal(object)

    def __init__(self) -> None:
        super().__init__(enableMenu=False, lockAspect=False)
        self._line: list[tuple[float, float]] = []
        self.lasso = pg.PlotCurveItem()
        self.addItem(self.lasso, ignoreBounds=True)

    def mouseDragEvent(self, event: Any, axis: Any = None) -> None:  # noqa: N802 - pyqtgraph's name
        """Draw a line."""
        if event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        if event.isStart():
            self._line = [self._at(event.buttonDownPos())]
        self._line.append(self._at(event.pos()))
        self._show_line()
        if event.isFinish():
            line, self._line = np.array(self._line), []
            self._show_line()
            self.drawn.emit(line, _adds(event))

    def mouseClickEvent(self, event: Any) -> None:  # noqa: N802 - pyqtgraph's name
        """Choose a point, or go to it."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        event.accept()
        if event.double():
            self.double_clicked.emit(self._at(event.pos()))
        else:
            self.clicked.emit(self._at(event.pos()), _adds(event))

    def _at(self, point: QPointF) -> tuple[float, float]:
        place = self.mapToView(point)
        return float(place.x()), float(place.y())

    def _show_line(self) -> None:
        closed = np.array([*self._line, *self._line[:1]]).reshape(-1, 2)
        self.lasso.setData(closed[:, 0], closed[:, 1])


class CellPlot(pg.PlotWidget):
    """Points that can be chosen.

    Parameters
    ----------
    theme
        Colours.

    Signals
    -------
    lassoed : places of the points inside the line, and whether they are added to those chosen.
    clicked : place of a point, and whether it is added.
    double_clicked : place of a point.
    hovered : place of the point under the mouse, -1 for none.
    """

    lassoed = Signal(object, bool)
    clicked = Signal(int, bool)
    double_clicked = Signal(int)
    hovered = Signal(int)

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        self.canvas = _Canvas()
        super().__init__(parent, viewBox=self.canvas, enableMenu=False)
        self._theme = theme
        self.places: Floats = np.zeros((0, 2), dtype=np.float32)
        self._layers: list[pg.ScatterPlotItem] = []
        self._ringed: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._rings = pg.ScatterPlotItem(pxMode=True)
        self._rings.setZValue(10)
        self.canvas.lasso.setZValue(20)
        self.addItem(self._rings)
        self.hideButtons()
        for side in ("left", "bottom"):
            self.hideAxis(side)
        self.setMinimumSize(160, 140)
        self.canvas.drawn.connect(self._on_drawn)
        self.canvas.clicked.connect(self._on_clicked)
        self.canvas.double_clicked.connect(self._on_double_clicked)
        self.scene().sigMouseMoved.connect(self._on_moved)
        theme.changed.connect(self._paint)
        self._paint()

    def show_points(self, places: Floats, groups: Sequence[tuple[str, NDArray[np.intp]]]) -> None:
        """Show points.

        Parameters
        ----------
        places
            ``(N, 2)``.
        groups
            Colour and which points; small groups are painted over large ones.
        """
        moved = not np.array_equal(places, self.places)
        self.places = places
        size = SMALL if len(places) > MANY else LARGE
        ordered = sorted((g for g in groups if len(g[1])), key=lambda group: -len(group[1]))
        while len(self._layers) < len(ordered):
            self._layers.append(pg.ScatterPlotItem(pxMode=True, pen=None, useCache=True))
            self.addItem(self._layers[-1], ignoreBounds=True)
        for number, layer in enumerate(self._layers):
            color, some = ordered[number] if number < len(ordered) else ("#000000", np.zeros(0, dtype=np.intp))
            layer.setData(places[some, 0], places[some, 1], brush=pg.mkBrush(color), size=size, pen=None)
        if moved:
            self._show_all()
        self.ring(self._ringed)

    def ring(self, some: NDArray[np.intp]) -> None:
        """Put rings around some points."""
        self._ringed = some = some[some < len(self.places)]
        size = (SMALL if len(self.places) > MANY else LARGE) + RING
        pen = pg.mkPen(self._theme.text, width=1.5)
        self._rings.setData(self.places[some, 0], self.places[some, 1], size=size, pen=pen, brush=None)

    def _show_all(self) -> None:
        if len(self.places):
            low, high = self.places.min(axis=0), self.places.max(axis=0)
            self.setRange(xRange=(low[0], high[0]), yRange=(low[1], high[1]), padding=0.05)

    def _on_drawn(self, outline: NDArray[np.float64], adds: bool) -> None:
        self.lassoed.emit(np.flatnonzero(inside(self.places, outline)), adds)

    def _on_clicked(self, point: tuple[float, float], adds: bool) -> None:
        if (place := self._nearest(point)) is not None:
            self.clicked.emit(place, adds)

    def _on_double_clicked(self, point: tuple[float, float]) -> None:
        if (place := self._nearest(point)) is not None:
            self.double_clicked.emit(place)

    def _on_moved(self, position: QPointF) -> None:
        point = self.canvas.mapSceneToView(position)
        place = self._nearest((point.x(), point.y()))
        self.hovered.emit(-1 if place is None else place)

    def _nearest(self, point: tuple[float, float]) -> int | None:
        return nearest_place(self.places, point, self.canvas.viewPixelSize())

    def _paint(self) -> None:
        self.setBackground(self._theme.field)
        self.canvas.lasso.setPen(pg.mkPen(self._theme.text, width=1.5, style=Qt.PenStyle.DashLine))
        self.ring(self._ringed)


def _adds(event: Any) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
