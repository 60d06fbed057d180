"""The picture of the map: points in groups of a colour, a lasso, rings around the chosen ones. Knows no cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget  # before pyqtgraph, which would choose a binding by itself

import pyqtgraph as pg  # isort: skip

from napari_cellstage.core.review.projections import inside, nearest_place
from napari_cellstage.ui.review.map_colors import Group
from napari_cellstage.ui.theme import PanelTheme

Floats = NDArray[np.floating[Any]]
SMALL, LARGE = 5, 7  # pixels across a point
MANY = 1500
MANY_RINGS = 200
EDGE = 0.05  # of the map, around it, so that no dot is cut
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


class _Dots(pg.GraphicsObject):
    """Round points, a colour a group. pyqtgraph's own scatter works out a style for each point, which takes longer."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: list[tuple[QPen, QPolygonF]] = []
        self._bounds = QRectF()
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)  # a lasso drawn over it paints the lasso only

    def show_groups(self, places: Floats, groups: Sequence[Group], size: int) -> None:
        """Show points `size` pixels wide, one group above the other."""
        self.prepareGeometryChange()
        self._groups = [(_dot_pen(one.color, size), _polygon(places[one.rows])) for one in groups]
        low, high = (places.min(axis=0), places.max(axis=0)) if len(places) else (np.zeros(2), np.zeros(2))
        edge = (high - low) * EDGE
        self._bounds = QRectF(QPointF(*map(float, low - edge)), QPointF(*map(float, high + edge)))
        self.update()

    def paint(self, painter: QPainter, *_how: object) -> None:
        """Paint them."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on_screen = painter.worldTransform()
        painter.resetTransform()  # Qt paints a dot as a very short line, which a map that is stretched would lengthen
        for pen, points in self._groups:
            painter.setPen(pen)
            painter.drawPoints(on_screen.map(points))
        painter.setWorldTransform(on_screen)

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return where they are."""
        return self._bounds


def _dot_pen(color: str, size: int) -> QPen:
    pen = QPen(QColor(color), size)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen


def _polygon(places: Floats) -> QPolygonF:
    return pg.functions.arrayToQPolygonF(places[:, 0].astype(np.float64), places[:, 1].astype(np.float64))


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
        self.places: Floats = np.zeros((0, 2))
        self._dots, self._crosses = _Dots(), pg.ScatterPlotItem(pxMode=True)
        self._ringed: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._rings = pg.ScatterPlotItem(pxMode=True)
        self._rings.setZValue(10)
        self.canvas.lasso.setZValue(20)
        for item in (self._dots, self._crosses, self._rings):
            self.addItem(item, ignoreBounds=True)
        self.hideButtons()
        for side in ("left", "bottom"):
            self.hideAxis(side)
        self.setMinimumSize(160, 120)
        self.canvas.drawn.connect(self._on_drawn)
        self.canvas.clicked.connect(self._on_clicked)
        self.canvas.double_clicked.connect(self._on_double_clicked)
        self.scene().sigMouseMoved.connect(self._on_moved)
        theme.changed.connect(self._paint)
        self._paint()

    def show_points(self, places: Floats, groups: Sequence[Group]) -> None:
        """Show points.

        Parameters
        ----------
        places
            ``(N, 2)``.
        groups
            Which points have which colour; small groups are painted over large ones.
        """
        places = np.asarray(places, dtype=np.float64)  # pyqtgraph squares what it gets
        moved = not np.array_equal(places, self.places)
        if moved:
            self.places = places
        size = SMALL if len(places) > MANY else LARGE
        ordered = sorted((one for one in groups if len(one.rows)), key=lambda one: -len(one.rows))
        self._dots.show_groups(self.places, [one for one in ordered if one.symbol == "o"], size)
        self._show_crosses([one for one in ordered if one.symbol == "x"], size)
        if moved:
            self._show_all()

    def ring(self, some: NDArray[np.intp]) -> None:
        """Put rings around some points."""
        self._ringed = some = some[some < len(self.places)]
        few = len(some) <= MANY_RINGS  # many rings would hide the points and each other
        size = (SMALL if len(self.places) > MANY else LARGE) + (RING if few else RING // 2)
        pen = pg.mkPen(self._theme.text, width=1.5 if few else 1)
        self._rings.setData(self.places[some, 0], self.places[some, 1], size=size, pen=pen, brush=None)

    def _show_crosses(self, groups: Sequence[Group], size: int) -> None:
        self._crosses.clear()
        for one in groups:
            x, y = self.places[one.rows].T
            self._crosses.addPoints(x, y, symbol="x", brush=None, size=size, pen=pg.mkPen(one.color, width=1.5))

    def _show_all(self) -> None:
        if len(self.places):
            low, high = self.places.min(axis=0).tolist(), self.places.max(axis=0).tolist()
            self.setRange(xRange=(low[0], high[0]), yRange=(low[1], high[1]), padding=EDGE)

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
