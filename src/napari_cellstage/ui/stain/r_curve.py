"""The small live curve of r by epoch, a line a stain, in napari's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtWidgets import QWidget

from napari_cellstage.ui.curve import AXIS_HEIGHT, FEW, ROOM, readable
from napari_cellstage.ui.theme import PanelTheme

if TYPE_CHECKING:
    from napari_cellstage.stain.events import StainEpoch

COLORS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#0072b2", "#f0e442")  # Okabe-Ito


class RCurve(pg.PlotWidget):
    """Pearson's r between predicted and true pixels, of pixels that are not learned from, by epoch."""

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._epochs: list[StainEpoch] = []
        self.lines: dict[str, pg.PlotDataItem] = {}
        self.setFixedHeight(120)
        self.setMouseEnabled(x=False, y=False)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.getAxis("bottom").setHeight(AXIS_HEIGHT)
        self.getPlotItem().layout.setContentsMargins(*ROOM)
        self.getAxis("left").enableAutoSIPrefix(False)  # thousandths of r would be hard to read
        self.legend = self.addLegend(offset=(-8, -8), labelTextSize="8pt")
        theme.changed.connect(self._paint)
        self._paint()

    def begin(self) -> None:
        """Forget the last training."""
        self._epochs = []
        for name in list(self.lines):
            self.removeItem(self.lines.pop(name))
            self.legend.removeItem(name)

    def add(self, epoch: StainEpoch) -> None:
        """Show one more epoch; a first epoch begins anew."""
        if epoch.epoch == 1:
            self.begin()
        self._epochs.append(epoch)
        for stain in epoch.pearson:
            if stain not in self.lines:
                self.lines[stain] = self.plot([], [], symbol="o", symbolSize=4, name=stain)
        self._draw()
        self._paint()

    def _draw(self) -> None:
        epochs = np.asarray([one.epoch for one in self._epochs], dtype=float)
        for stain, line in self.lines.items():
            line.setData(epochs, np.asarray([one.pearson.get(stain, np.nan) for one in self._epochs], dtype=float))
        most = max(2, self._epochs[-1].epochs)
        self.setXRange(1, most, padding=0.03)
        self.getAxis("bottom").setTickSpacing(**({"major": 1, "minor": 1} if most <= FEW else {}))

    def _paint(self) -> None:
        self.setBackground(self._theme.field)
        for side, text in (("left", "r"), ("bottom", "epoch")):
            axis = self.getPlotItem().getAxis(side)
            axis.setTextPen(self._theme.text)
            axis.setPen(self._theme.faint)
            axis.setLabel(text, color=self._theme.text.name())
        for _sample, label in self.legend.items:
            label.setText(label.text, color=self._theme.text.name())
        for place, line in enumerate(self.lines.values()):
            color = readable(COLORS[place % len(COLORS)], self._theme)
            line.setPen(pg.mkPen(color, width=2))
            line.setSymbolBrush(color)
            line.setSymbolPen(None)
