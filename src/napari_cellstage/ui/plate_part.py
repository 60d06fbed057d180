"""The part of the plate window that shows the plate: wells by treatment, dose or class, their images, and typing."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QSplitter, QVBoxLayout, QWidget

from napari_cellstage.core.image_facts import FACTS, ImageFacts, dose_name, well_name
from napari_cellstage.core.scoring.split_groups import SPLITS
from napari_cellstage.session import Session
from napari_cellstage.ui.fact_rows import FactModel, FactTable, rows_of
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import button, hint, on_click
from napari_cellstage.ui.plate_grid import PlateGrid
from napari_cellstage.ui.plate_looks import COLOR_BY, legend, looks, plates_of, wells_of
from napari_cellstage.ui.theme import PanelTheme

SPLIT_TEXTS = (
    "other wells, where it can be",
    "other images",
    "other wells",
    "other plates",
    "other movies",
    "other donors",
)


class PlatePart(QWidget):
    """The wells, and the images in those that are chosen; facts can be typed."""

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.grid = PlateGrid(theme)
        self.model = FactModel(editable=True)
        self.table = FactTable(self.model, theme, "Images in the chosen wells")
        self._build()
        self.grid.chosen_changed.connect(self._show_images)
        self.model.edited.connect(self._edit)
        self.table.doubleClicked.connect(self._go_to)
        session.facts_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the session's facts as they are now."""
        facts = self.session.facts_all()
        plates = plates_of(facts)
        if plates != [self.plate.itemData(i) for i in range(self.plate.count())]:
            self.plate.clear()
            for name in plates:
                self.plate.addItem(name or "unnamed plate", name)
        self.plate.setVisible(len(plates) > 1)
        self.none.setVisible(not plates)
        self._show_wells()

    def _build(self) -> None:
        self.plate, self.by, self.split = QComboBox(), QComboBox(), QComboBox()
        for combo, name in ((self.plate, "Plate"), (self.by, "Colour of the wells"), (self.split, "Split by")):
            combo.setAccessibleName(name)
        self.by.addItems(COLOR_BY)
        self.split.addItems(SPLIT_TEXTS)
        self.split.setToolTip(
            "The score of a model is measured on cells that it was not trained on.\n"
            "Cells of one well share stain, focus and drug, so those of other wells tell more."
        )
        self.split.setCurrentIndex(SPLITS.index(self.session.split_by))
        self.plate.currentIndexChanged.connect(self._show_wells)
        self.by.currentIndexChanged.connect(self._show_wells)
        self.split.activated.connect(self._choose_split)
        top = QHBoxLayout()
        top.addWidget(self.plate)
        top.addWidget(QLabel("Colour by"))
        top.addWidget(self.by)
        top.addStretch(1)
        top.addWidget(QLabel("Measure the model on"))
        top.addWidget(self.split)
        self.legend = hint("")
        self.none = hint("No image has a well yet. Read wells from the file names, or type them in the table below.")
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self.grid)
        halves.addWidget(self.table)
        halves.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.none)
        layout.addWidget(self.legend)
        layout.addWidget(halves, 1)
        layout.addLayout(self._build_typing())

    def _build_typing(self) -> QHBoxLayout:
        self.fact, self.value = QComboBox(), QLineEdit()
        self.fact.addItems([name.capitalize() for name in FACTS])
        self.fact.setCurrentIndex(FACTS.index("treatment"))
        self.fact.setAccessibleName("What to set")
        self.value.setPlaceholderText("such as 0.1 µM; empty forgets it")
        self.value.setAccessibleName("Value to set")
        self.value.returnPressed.connect(self._set)
        self.set = button("Set", "Set this for the chosen wells; where none is chosen, for the chosen lines.")
        on_click(self.set, self._set)
        self.which = QLabel("")
        row = QHBoxLayout()
        for widget in (QLabel("Set"), self.fact, QLabel("to"), self.value, self.which, self.set):
            row.addWidget(widget)
        row.setStretchFactor(self.value, 1)
        self.table.selectionModel().selectionChanged.connect(self._say_which)
        return row

    # show

    def _show_wells(self) -> None:
        facts, session = self.session.facts_all(), self.session
        self._wells = wells_of(facts, self.plate.currentData() or "")
        self.grid.setVisible(bool(self._wells))
        by = self.by.currentText()
        shown = looks(by, self._wells, facts, session.class_counts(), session.scheme)
        self.grid.show_wells(shown)
        self.legend.setText(legend(by, shown))
        self.legend.setVisible(bool(self.legend.text()))
        self._show_images()

    def _show_images(self) -> None:
        names = self.session.source_names()
        chosen = [i for well in sorted(self.grid.chosen) for i in self._wells.get(well, ())]
        shown = {i: names[i] for i in chosen} if chosen else names
        self.model.show_rows(rows_of(shown, self.session.facts_all()))
        self._say_which()

    def _say_which(self, *_what: object) -> None:
        count = len(self._targets())
        self.set.setEnabled(count > 0 and not self.session.read_only)
        self.which.setText(f"for {count} image{'s' if count != 1 else ''}" if count else "choose wells or lines first")

    def _targets(self) -> list[int]:
        """Return the images that Set is for: the chosen lines, else those of the chosen wells."""
        lines = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        if lines:
            return [self.model.rows[line].image_id for line in lines]
        return [row.image_id for row in self.model.rows] if self.grid.chosen else []

    # what the user does

    @showing_errors
    def _set(self) -> None:
        name, text = FACTS[self.fact.currentIndex()], " ".join(self.value.text().split())
        written = {"dose": dose_name(text), "well": well_name(text) or text}.get(name, text)
        known = self.session.facts_all()
        self.session.set_facts({i: replace(known.get(i, ImageFacts()), **{name: written}) for i in self._targets()})

    @showing_errors
    def _edit(self, image_id: int, facts: ImageFacts) -> None:
        self.session.set_facts({image_id: facts})

    @showing_errors
    def _choose_split(self, index: int) -> None:
        self.session.split_by = SPLITS[index]

    @showing_errors
    def _go_to(self, index: QModelIndex) -> None:
        if index.column() == 0:
            self.session.set_current(self.model.rows[index.row()].image_id)
