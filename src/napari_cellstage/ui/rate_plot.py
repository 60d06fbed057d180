"""The curve of a learning-rate finder: losses at rising rates, and the rate that is suggested."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from qtpy.QtWidgets import QWidget

from napari_cellstage.learn.rate_curve import RateCurve
from napari_cellstage.ui.curve import ACCURACY_COLOR, AXIS_HEIGHT, LOSS_COLOR, readable
from napari_cellstage.ui.theme import PanelTheme

HEIGHT = 140
TICKS = [(power, f"{10.0**power:g}") for power in range(-6, 1, 2)]


class RatePlot(pg.PlotWidget):
    """A small plot that follows the theme.

    Parameters
    ----------
    theme
        Colours.
    """

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._curve: RateCurve | None = None
        self.setFixedHeight(HEIGHT)
        self.setMouseEnabled(x=False, y=False)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.getAxis("bottom").setTicks([TICKS])
        self.getAxis("bottom").setHeight(AXIS_HEIGHT)
        self.setAccessibleName("Loss at each learning rate")
        theme.changed.connect(self._paint)

    def show_curve(self, curve: RateCurve) -> None:
        """Draw a curve in place of the one before."""
        self._curve = curve
        # What diverges after the lowest loss may leave the picture.
        seen = curve.smooth[: int(curve.smooth.argmin()) + 1]
        self.setYRange(float(seen.min()), float(seen.max()), padding=0.1)
        self._paint()

    def _paint(self) -> None:
        theme = self._theme
        self.clear()
        self.setBackground(theme.field)
        for side, text in (("left", "loss"), ("bottom", "learning rate")):
            axis = self.getAxis(side)
            axis.setTextPen(theme.text)
            axis.setPen(theme.faint)
            axis.setLabel(text, color=theme.text.name())  # last, as the pen colours it too
        if self._curve is None:
            return
        rates, suggestion = np.log10(self._curve.rates), self._curve.suggestion
        self.plot(rates, self._curve.losses, pen=None, symbol="o", symbolSize=3, symbolBrush=theme.faint)
        self.plot(rates, self._curve.smooth, pen=pg.mkPen(readable(LOSS_COLOR, theme), width=2))
        if suggestion is not None:
            self.addLine(x=float(np.log10(suggestion)), pen=pg.mkPen(readable(ACCURACY_COLOR, theme), width=2))
