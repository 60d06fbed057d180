"""How the overlay is drawn: what is shown, filled or contour, confidence, and from where on a cell is unsure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_cellstage.ui.legend import Legend
from napari_cellstage.ui.overlay_settings import CONFIDENCE_CHOICES, STYLE_CHOICES, OverlaySettings
from napari_cellstage.ui.pieces import hint

if TYPE_CHECKING:
    from napari_cellstage.ui.viewer_link import ViewerLink

TIPS: dict[str, str] = {one.name: one.metadata["tip"] for one in fields(OverlaySettings)}
PERCENT = 100


class OverlayPanel(QWidget):
    """Settings of the overlay of one viewer: two switches always there, the rest behind a button.

    Parameters
    ----------
    link
        Whose overlay.
    """

    def __init__(self, link: ViewerLink) -> None:
        super().__init__()
        self._link = link
        self.predicted = self._check("Predicted", "show_predicted")
        self.labelled = self._check("Labelled", "show_labelled")
        self.outlines = self._check("All outlines", "show_outlines")
        self.style_choice = self._choice(STYLE_CHOICES, "style")
        self.confidence = self._choice(CONFIDENCE_CHOICES, "confidence")
        self.unsure, self.unsure_value = self._slider()
        self.flag_unlike = self._check("stripe cells unlike the training cells", "flag_unlike")
        self.legend = Legend(link)
        self.unlike = hint("")
        self.more = QToolButton()
        self.details = QWidget()
        self._lay_out()
        self._show(link.settings)
        link.settings_changed.connect(self._show)
        for signal in (link.session.predictions_changed, link.session.current_changed, link.session.cells_changed):
            signal.connect(self._count_unlike)
        self._count_unlike()

    def _lay_out(self) -> None:
        self.more.setText("⋯")
        self.more.setAccessibleName("More overlay settings")
        self.more.setToolTip("More overlay settings and the legend")
        self.more.setCheckable(True)
        self.more.toggled.connect(self.details.setVisible)
        self.details.setVisible(False)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        for part in (self.predicted, self.labelled, self.outlines):
            row.addWidget(part)
        row.addStretch(1)
        row.addWidget(self.more)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 2, 0, 2)
        outer.addLayout(row)
        outer.addWidget(self.unlike)
        outer.addWidget(self.details)
        self._lay_out_details()

    def _lay_out_details(self) -> None:
        grid = QGridLayout(self.details)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(QLabel("predicted cells"), 0, 0)
        grid.addWidget(self.style_choice, 0, 1, 1, 2)
        grid.addWidget(QLabel("confidence as"), 1, 0)
        grid.addWidget(self.confidence, 1, 1, 1, 2)
        grid.addWidget(QLabel("unsure below"), 2, 0)
        grid.addWidget(self.unsure, 2, 1)
        grid.addWidget(self.unsure_value, 2, 2)
        grid.addWidget(self.flag_unlike, 3, 0, 1, 3)
        grid.addWidget(self.legend, 4, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    def _check(self, text: str, name: str) -> QCheckBox:
        made = QCheckBox(text)
        made.setToolTip(TIPS[name])
        made.toggled.connect(self._setter(name))
        return made

    def _choice(self, choices: tuple[str, ...], name: str) -> QComboBox:
        made = QComboBox()
        made.addItems(choices)
        made.setToolTip(TIPS[name])
        made.currentTextChanged.connect(self._setter(name))
        return made

    def _slider(self) -> tuple[QSlider, QLabel]:
        made = QSlider(Qt.Orientation.Horizontal)
        made.setRange(0, PERCENT)
        made.setPageStep(5)
        made.setToolTip(TIPS["unsure_below"])
        made.setAccessibleName("Unsure below")
        set_share = self._setter("unsure_below")
        made.valueChanged.connect(lambda value: set_share(value / PERCENT))
        value = QLabel()
        value.setMinimumWidth(value.fontMetrics().horizontalAdvance("100 %"))
        value.setAlignment(Qt.AlignmentFlag.AlignRight)
        return made, value

    def _setter(self, name: str) -> Callable[[Any], None]:
        def set_one(value: Any) -> None:
            self._link.set_settings(replace(self._link.settings, **{name: value}))

        return set_one

    def _show(self, settings: OverlaySettings) -> None:
        """Show settings, wherever they were changed; setting a widget to what it shows already tells nobody."""
        self.predicted.setChecked(settings.show_predicted)
        self.labelled.setChecked(settings.show_labelled)
        self.outlines.setChecked(settings.show_outlines)
        self.style_choice.setCurrentText(settings.style)
        self.confidence.setCurrentText(settings.confidence)
        self.unsure.setValue(round(settings.unsure_below * PERCENT))
        self.unsure_value.setText(f"{settings.unsure_below:.0%}")
        self.flag_unlike.setChecked(settings.flag_unlike)
        self.legend.update()

    def _count_unlike(self, *_what: object) -> None:
        """Say how many cells of the image are flagged, if any."""
        predictions = self._link.session.predictions()
        count = 0 if predictions is None else int(predictions.flagged.sum())
        self.unlike.setVisible(count > 0)
        if predictions is not None and count:
            text = f"{count:,} of {len(predictions):,} cells are unlike the training cells: striped, not named."
            self.unlike.setText(text)
            self.unlike.setToolTip("If they are cells that you want to tell, label some of them and train again.")
