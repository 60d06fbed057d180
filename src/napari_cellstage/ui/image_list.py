"""The list of images: what is known of each, one click to work on it, files that moved found again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_cellstage.ui.image_removal import ImageRemoval
from napari_cellstage.ui.image_table import COLUMNS, ID_ROLE, NAME, SHOWN, ImageTable, Narrowed
from napari_cellstage.ui.notices import showing_errors, tell
from napari_cellstage.ui.pieces import button, on_click, small_button

if TYPE_CHECKING:
    from napari_cellstage.session import Session

FEW = 8  # images that need no looking for
MOST_LINES = 9
WAIT_MS = 80  # so that a stroke over many cells counts them once
WELL = 1


class ImageList(QGroupBox):
    """Images of a session.

    Parameters
    ----------
    session
        Whose images.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Images of this project", parent)
        self.session = session
        self.table, self.view = ImageTable(), QTableView()
        self.narrowed = Narrowed(self.table)
        self._showing = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._build()
        self._wire()
        self.removal = ImageRemoval(session, self.view)
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is now."""
        states, facts = self.session.image_states(), self.session.facts_all()
        self.setVisible(bool(states))
        self._showing = True
        self.table.put(states, facts)
        self._showing = False
        self.view.setColumnHidden(WELL, not any(one.well or one.dose for one in facts.values()))
        self.find_bar.setVisible(len(states) > FEW)
        self.steps.setVisible(len(states) > 1)
        self._refresh_missing()
        lines = min(len(states), MOST_LINES) * self.view.verticalHeader().defaultSectionSize()
        self.view.setFixedHeight(lines + self.view.horizontalHeader().sizeHint().height() + 6)
        self.show_current()

    def show_current(self) -> None:
        """Choose the line of the image that is worked on."""
        row = self.table.row_of(self.session.current_id)
        index = self.narrowed.mapFromSource(self.table.index(row, NAME)) if row >= 0 else QModelIndex()
        flags = QItemSelectionModel.SelectionFlag
        self._showing = True
        if self.view.currentIndex().siblingAtColumn(NAME) != index:  # so that more lines can be selected beside it
            self.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self._showing = False
        if index.isValid():
            self.view.scrollTo(index)
        self.place.setText(f"{row + 1} of {len(self.table.states)}" if row >= 0 else "")
        self.before.setEnabled(row > 0)
        self.after.setEnabled(0 <= row < len(self.table.states) - 1)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        for part in (self._build_find_bar(), self._build_view(), self._build_steps()):
            layout.addWidget(part)
        self.locate = button("Find the file…", "The file is not where it was. Show where it is now.")
        layout.addWidget(self.locate)

    def _build_find_bar(self) -> QWidget:
        self.find_bar, self.text, self.shown = QWidget(), QLineEdit(), QComboBox()
        self.text.setPlaceholderText("Find…")
        self.text.setToolTip("Part of a name, well, treatment or dose.")
        self.text.setAccessibleName("Show images with this in their name, well or dose")
        self.text.setClearButtonEnabled(True)
        self.shown.addItems(list(SHOWN))
        self.shown.setAccessibleName("Which images are listed")
        row = QHBoxLayout(self.find_bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.text, 1)
        row.addWidget(self.shown)
        return self.find_bar

    def _build_view(self) -> QWidget:
        view = self.view
        view.setModel(self.narrowed)
        view.setAccessibleName("Images of this project")
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # images of a plate differ at the end of their names
        view.setTabKeyNavigation(False)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(view.fontMetrics().height() + 8)
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        header.setResizeContentsPrecision(0)  # look at the lines that are seen, not at a thousand
        for column in range(len(COLUMNS)):
            fit = QHeaderView.ResizeMode.Stretch if column == NAME else QHeaderView.ResizeMode.ResizeToContents
            header.setSectionResizeMode(column, fit)
        header.setMinimumSectionSize(22)
        return view

    def _build_steps(self) -> QWidget:
        self.steps, self.place = QWidget(), QLabel()
        self.before = small_button("◄", "Image before  (Page Up)", "Image before")
        self.after = small_button("►", "Next image  (Page Down)", "Next image")
        row = QHBoxLayout(self.steps)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.before, self.place, self.after):
            row.addWidget(widget)
        row.addStretch(1)
        return self.steps

    def _wire(self) -> None:
        session = self.session
        for signal in (session.project_changed, session.images_changed, session.facts_changed):
            signal.connect(lambda: self.refresh())
        session.current_changed.connect(lambda: self._on_current())
        for signal in (session.labels_changed, session.cells_changed, session.predictions_changed):
            signal.connect(lambda *_what: self._timer.start())
        self._timer.timeout.connect(self._refresh_states)
        self.text.textChanged.connect(self._narrow)
        self.shown.currentTextChanged.connect(self._narrow)
        self.view.selectionModel().currentRowChanged.connect(self._on_row)
        on_click(self.before, lambda: self._go(-1))
        on_click(self.after, lambda: self._go(1))
        on_click(self.locate, self._locate)

    # what happens

    def _refresh_states(self) -> None:
        self.table.put(self.session.image_states(), self.session.facts_all())

    def _refresh_missing(self) -> None:
        missing = sum(state.missing for state in self.table.states)
        self.locate.setVisible(missing > 0)
        if missing > 1:
            self.locate.setText(f"Find the {missing} missing files…")
            self.locate.setToolTip("Choose the folder they are in now, or one above it: all are looked for at once.")
        else:
            self.locate.setText("Find the file…")
            self.locate.setToolTip("The file is not where it was. Show where it is now.")

    def _on_current(self) -> None:
        self._refresh_states()  # an image that could not be opened shows so only now
        self._refresh_missing()
        self.show_current()

    def _narrow(self, _what: object = None) -> None:
        self._showing = True  # a line that goes must not take the user to another image
        self.narrowed.narrow(self.text.text(), self.shown.currentText())
        self._showing = False
        self.show_current()

    @showing_errors
    def _on_row(self, index: QModelIndex, _before: object = None) -> None:
        if index.isValid() and not self._showing:
            self.session.set_current(int(index.data(ID_ROLE)))

    @showing_errors
    def _go(self, step: int) -> None:
        self.session.go_to_image(step)

    @showing_errors
    def _locate(self) -> None:
        missing = [state for state in self.table.states if state.missing]
        if len(missing) > 1:
            if folder := QFileDialog.getExistingDirectory(self, f"In which folder are the {len(missing)} files now?"):
                tell(self.session.relocate_folder(Path(folder)).text)
            return
        name = missing[0].name
        file, _filter = QFileDialog.getOpenFileName(self, f"Where is {name} now?", name)
        if file:
            self.session.relocate(missing[0].image_id, file)
