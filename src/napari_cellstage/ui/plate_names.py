"""The part of the plate window that reads facts from file names, with a live preview of every image."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_cellstage.core.errors import PlateError
from napari_cellstage.core.image_facts import FACTS, ImageFacts
from napari_cellstage.core.plates import READY, NamePattern, Reading, guess
from napari_cellstage.session import Session
from napari_cellstage.ui.fact_rows import FactModel, FactRow, FactTable
from napari_cellstage.ui.pieces import hint
from napari_cellstage.ui.theme import PanelTheme

SETTING = "name pattern"
_MOMENT_S = 0.05


class NamesPart(QWidget):
    """A pattern, and what it finds in each name.

    Signals
    -------
    changed : what would be set is another now.
    """

    changed = Signal()

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.names = session.source_names()
        self._pattern: NamePattern | None = None
        self._readings: dict[int, Reading] = {}
        self._waiting: list[tuple[int, str]] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._go_on)
        self.model = FactModel()
        self.table = FactTable(self.model, theme, "What the pattern finds in each image's name")
        self.said = hint("")
        self.said.setAccessibleName("What the pattern finds")
        self._build()
        self.pattern.setText(str(session.setting(SETTING) or guess(self.names.values())))
        self._read(self.pattern.text())

    @property
    def proposed(self) -> dict[int, ImageFacts]:
        """Facts of the images whose names fit: what the pattern names is new, all else stays."""
        if self._pattern is None or self._waiting:
            return {}
        named = {"well" if part in ("row", "column") else part for part in self._pattern.parts}
        known = self.session.facts_all()
        return {
            i: replace(known.get(i, ImageFacts()), **{name: getattr(one.facts, name) for name in named})
            for i, one in self._readings.items()
        }

    def apply(self) -> None:
        """Set what is proposed, and remember the pattern with the project."""
        self.session.set_facts(self.proposed)
        self.session.put_setting(SETTING, self.pattern.text())

    def _build(self) -> None:
        self.pattern = QLineEdit()
        self.pattern.setAccessibleName("Pattern of the file names")
        self.pattern.setPlaceholderText("{plate}_{well}_f{field}*")
        self.pattern.setClearButtonEnabled(True)
        self.pattern.setToolTip(
            f"Parts in braces: {', '.join(FACTS)}, or row and column. * is anything, / parts folders.\n"
            "For more, a regular expression with named groups: (?P<well>[A-H]\\d\\d)"
        )
        self.pattern.textChanged.connect(self._read)
        self.ready = QComboBox()
        self.ready.setAccessibleName("Ready patterns")
        self.ready.setToolTip("Patterns of the usual microscopes. Choose one and change it as you like.")
        self.ready.addItem("Ready patterns…")
        self.ready.addItems([one.title for one in READY])
        self.ready.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.ready.setMinimumContentsLength(22)
        self.ready.activated.connect(self._take_ready)
        label = QLabel("&Pattern")
        label.setBuddy(self.pattern)
        row = QHBoxLayout()
        for widget, share in ((label, 0), (self.pattern, 1), (self.ready, 0)):
            row.addWidget(widget, share)
        layout = QVBoxLayout(self)
        layout.addWidget(
            hint(
                "Write a file name with its parts in braces: plate, well, field, treatment, dose, replicate, donor. "
                "* stands for anything. Below you see at once what is found."
            )
        )
        layout.addLayout(row)
        layout.addWidget(self.said)
        layout.addWidget(self.table, 1)

    def _take_ready(self, index: int) -> None:
        if index > 0:
            self.pattern.setText(READY[index - 1].text)
        self.ready.setCurrentIndex(0)

    def _read(self, text: str) -> None:
        trouble = ""
        try:
            self._pattern = NamePattern(text) if text.strip() else None
        except PlateError as error:
            self._pattern, trouble = None, str(error)
        self._readings = {}
        self._waiting = list(self.names.items()) if self._pattern else []
        self._go_on()
        if trouble:
            self.said.setText(trouble)

    def _go_on(self) -> None:
        """Read names for a moment, so that typing never waits for thousands of them; then show all."""
        until = perf_counter() + _MOMENT_S
        while self._pattern and self._waiting and perf_counter() < until:
            image_id, name = self._waiting.pop()
            if (found := self._pattern.read(name)) is not None:
                self._readings[image_id] = found
        if self._waiting:
            self.said.setText(f"Reading {len(self.names):,} names …")
            self._timer.start(0)
        else:
            self._timer.stop()
            self.said.setText(self._summary())
            self.model.show_rows([self._row(i, name) for i, name in self._in_order()])
        self.changed.emit()

    def _in_order(self) -> list[tuple[int, str]]:
        """Return the images, those that don't fit first, as they need a look."""
        return sorted(self.names.items(), key=lambda one: one[0] in self._readings)

    def _row(self, image_id: int, name: str) -> FactRow:
        found = self._readings.get(image_id)
        return FactRow(image_id, name, found.facts, found.spans) if found else FactRow(image_id, name, None)

    def _summary(self) -> str:
        if self._pattern is None:
            return "No pattern yet. Type one, or choose a ready one."
        count, all_of = len(self._readings), len(self.names)
        wells = {(one.facts.plate, one.facts.well) for one in self._readings.values() if one.facts.well}
        in_wells = f" in {len(wells)} well{'s' if len(wells) != 1 else ''}" if wells else ""
        if count == all_of:
            return f"<b>All {all_of} images fit</b>{in_wells}."
        left = all_of - count
        others = "The other one comes" if left == 1 else f"The other {left} come"
        return f"<b>{count} of {all_of} images fit</b>{in_wells}. {others} first below, in gray."
