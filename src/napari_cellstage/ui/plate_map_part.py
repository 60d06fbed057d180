"""The part of the plate window that reads a plate map, shows what it says of each image, and what is amiss."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QListWidget, QVBoxLayout, QWidget

from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.plate_map import PlateMap, read_plate_map
from napari_cellstage.core.plate_placing import place_on
from napari_cellstage.session import Session
from napari_cellstage.ui.fact_rows import FactModel, FactRow, FactTable
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import button, hint, on_click
from napari_cellstage.ui.theme import PanelTheme

ADVICE = (
    "A CSV or TSV file: a list with a column <b>well</b> and others such as treatment, dose, replicate, donor and "
    "plate; or a grid with 1 to 12 above and A to H at the side."
)


class MapPart(QWidget):
    """A plate map over the images.

    Signals
    -------
    changed : what would be set is another now.
    """

    changed = Signal()

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._map: PlateMap | None = None
        self.proposed: dict[int, ImageFacts] = {}
        self.model = FactModel()
        self.table = FactTable(self.model, theme, "What the plate map says of each image")
        self._build()
        session.facts_changed.connect(self.place)

    def open_map(self, path: Path | str) -> None:
        """Read a plate map and lay it over the images; `PlateError` when it can't be read."""
        self._map = read_plate_map(path)
        self.place()

    def place(self) -> None:
        """Lay the map over the images as they are known now."""
        if self._map is None:
            return
        names, known = self.session.source_names(), self.session.facts_all()
        placed = place_on(self._map, {i: known.get(i, ImageFacts()) for i in names}, names)
        self.proposed = placed.facts
        self.model.show_rows([FactRow(i, names[i], placed.facts.get(i)) for i in _in_order(names, placed.facts)])
        self._say(self._map, (*placed.problems, *self._map.problems))
        self.changed.emit()

    def apply(self) -> None:
        """Set what the map says."""
        self.session.set_facts(self.proposed)

    def _build(self) -> None:
        self.choose = button("Choose a plate map…", "CSV or TSV, in any encoding and with any separator.")
        on_click(self.choose, self._choose)
        self.file = QLabel("")
        self.said = hint(ADVICE)
        self.problems = QListWidget()
        self.problems.setAccessibleName("What is amiss in the plate map")
        self.problems.setWordWrap(True)
        self.problems.setMaximumHeight(130)
        self.problems.hide()
        row = QHBoxLayout()
        row.addWidget(self.choose)
        row.addWidget(self.file, 1)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(self.said)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.problems)

    def _say(self, plate_map: PlateMap, problems: tuple[str, ...]) -> None:
        self.file.setText(plate_map.path.name)
        self.file.setToolTip(str(plate_map.path))
        count, images = len(plate_map.wells), len(self.proposed)
        amiss = f" {len(problems)} remark{'s' if len(problems) != 1 else ''} below." if problems else ""
        self.said.setText(
            f"<b>{count} well{'s' if count != 1 else ''}</b> in the map, which reach <b>{images} of "
            f"{len(self.model.rows)} images</b>.{amiss}"
        )
        self.problems.clear()
        self.problems.addItems(problems)
        self.problems.setVisible(bool(problems))

    @showing_errors
    def _choose(self) -> None:
        kinds = "Plate maps (*.csv *.tsv *.txt);;All files (*)"
        path, _filter = QFileDialog.getOpenFileName(self, "Choose a plate map", "", kinds)
        if path:
            self.open_map(path)


def _in_order(names: dict[int, str], found: dict[int, ImageFacts]) -> list[int]:
    return sorted(names, key=lambda image_id: image_id in found)
