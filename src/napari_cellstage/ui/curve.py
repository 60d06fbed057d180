"""The live curve of loss and accuracy, in napari's colours."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_cellstage.learn.events import EpochDone
from napari_cellstage.ui.theme import PanelTheme

LOSS_COLOR, ACCURACY_COLOR = "#d55e00", "#56b4e9"  # of the Okabe-Ito palette
AXIS_HEIGHT = 42
ROOM = (1, 7, 10, 3)  # pixels around a plot: words of its axes reach beyond them
FEW = 12  # epochs, each of which has a tick of its own


class Curve(pg.PlotWidget):
    """Training loss (left axis) and held-out accuracy (right axis) by epoch."""

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._epochs: list[EpochDone] = []
        self.setFixedHeight(150)
        self.setMouseEnabled(x=False, y=False)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.getAxis("bottom").setHeight(AXIS_HEIGHT)  # pyqtgraph's own cuts the name off
        self.getPlotItem().layout.setContentsMargins(*ROOM)
        self.loss = self.plot([], [], symbol="o", symbolSize=4)
        self._right = pg.ViewBox(enableMouse=False, enableMenu=False)
        self.accuracy = pg.PlotDataItem([], [], symbol="o", symbolSize=4)
        self._place_right_axis()
        theme.changed.connect(self._paint)
        self._paint()

    def begin(self) -> None:
        """Forget the last training."""
        self._epochs = []
        self._draw()

    def add(self, epoch: EpochDone) -> None:
        """Show one more epoch; a first epoch begins anew."""
        self._epochs = [] if epoch.epoch == 1 else self._epochs
        self._epochs.append(epoch)
        self._draw()

    def _place_right_axis(self) -> None:
        item = self.getPlotItem()
        item.showAxis("right")
        item.scene().addItem(self._right)
        item.getAxis("right").linkToView(self._right)
        self._right.setXLink(item.vb)
        self._right.setYRange(0.0, 1.0, padding=0.02)
        self._right.addItem(self.accuracy)
        item.vb.sigResized.connect(self._on_resized)

    def _on_resized(self) -> None:
        self._right.setGeometry(self.getPlotItem().vb.sceneBoundingRect())

    def _draw(self) -> None:
        epochs = np.asarray([e.epoch for e in self._epochs], dtype=float)
        self.loss.setData(epochs, np.asarray([e.train_loss for e in self._epochs], dtype=float))
        self.accuracy.setData(epochs, np.asarray([e.valid_accuracy for e in self._epochs], dtype=float))
        if self._epochs:
            most = max(2, self._epochs[-1].epochs)
            self.setXRange(1, most, padding=0.03)
            whole = {"major": 1, "minor": 1} if most <= FEW else {}  # there is no epoch 1.2
            self.getAxis("bottom").setTickSpacing(**whole)

    def _paint(self) -> None:
        self.setBackground(self._theme.field)
        item = self.getPlotItem()
        for side, text, color in (
            ("left", "loss", LOSS_COLOR),
            ("right", "accuracy", ACCURACY_COLOR),
            ("bottom", "epoch", self._theme.text.name()),
        ):
            axis = item.getAxis(side)
            axis.setTextPen(self._theme.text)
            axis.setPen(self._theme.faint)
            axis.setLabel(text, color=readable(color, self._theme))  # last, as the pen colours it too
        self._draw_lines()

    def _draw_lines(self) -> None:
        for line, color in ((self.loss, LOSS_COLOR), (self.accuracy, ACCURACY_COLOR)):
            line.setPen(pg.mkPen(readable(color, self._theme), width=2))
            line.setSymbolBrush(readable(color, self._theme))
            line.setSymbolPen(None)


def readable(color: str, theme: PanelTheme) -> str:
    """Return the colour of a line, darker on a light theme."""
    light = theme.background.lightness() > 127
    return str((QColor(color).darker(140) if light else QColor(color)).name())
