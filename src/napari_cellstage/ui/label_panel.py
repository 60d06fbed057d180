"""The Label step: classes with their keys and counts, undo and redo, the next cell. It knows the session only."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QColorDialog,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_cellstage.core.classes import TEMPLATES
from napari_cellstage.session import Session
from napari_cellstage.ui.class_list import ClassList
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import button, hint, on_click, small_button
from napari_cellstage.ui.theme import PanelTheme

KEYED = 9  # classes that have a number key


class LabelPanel(QWidget):
    """Classes and labels of a session.

    Signals
    -------
    armed : class id that a click on a cell is to give; 0: none.
    class_chosen : class id that the selected cell is to get now.
    next_wanted : show the next unlabelled cell.
    """

    armed = Signal(int)
    class_chosen = Signal(int)
    next_wanted = Signal()

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.classes = ClassList(theme)
        self.templates = _TemplateChooser()
        self.editor = self._build_editor()
        layout = QVBoxLayout(self)
        layout.addWidget(self.templates)
        layout.addWidget(self.editor)
        layout.addStretch(1)
        self._wire()
        self.refresh()

    def show_armed(self, class_id: int) -> None:
        """Say which class a click on a cell gives; 0: none."""
        self.classes.show_armed(class_id)
        if class_id and class_id in self.session.scheme.ids:
            name = self.session.scheme.by_id(class_id).name
            self.advice.setText(f"Each cell you click becomes <b>{name}</b>. Click the class again to stop.")
        else:
            self.advice.setText(
                "Click a cell and press its number; or click a class here, then click cells. "
                "Shift-drag labels many, 0 clears."
            )

    def refresh(self) -> None:
        """Show the session as it is now."""
        scheme, read_only = self.session.scheme, self.session.read_only
        self.templates.setVisible(not len(scheme))
        self.templates.setEnabled(not read_only)
        self.filter.setVisible(len(scheme) > KEYED)
        for widget in (self.classes, self.class_buttons, self.steps, self.advice):
            widget.setVisible(len(scheme) > 0)
        self.class_buttons.setEnabled(not read_only)
        self.new_name.setEnabled(not read_only)
        self.classes.show_scheme(scheme, self.session.counts(), read_only)
        self.classes.updateGeometry()
        armed = self.classes.armed_id
        self.show_armed(armed if armed in scheme.ids else 0)
        self._apply_filter(self.filter.text())
        self._refresh_history()

    def _build_editor(self) -> QWidget:
        editor = QWidget()
        layout = QVBoxLayout(editor)
        layout.setContentsMargins(0, 0, 0, 0)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Part of a name, then Enter")
        self.filter.setToolTip("For classes that have no number key: select a cell, type, press Enter.")
        self.filter.setAccessibleName("Find a class")
        self.advice = hint("")
        self.class_buttons = self._build_class_buttons()
        self.steps = self._build_steps()
        self.new_name = QLineEdit()
        self.new_name.setPlaceholderText("Name of a new class, then Enter")
        self.new_name.setToolTip("Adds a class at the end of the list. Up to 200.")
        self.new_name.setAccessibleName("New class")
        for widget in (self.filter, self.classes, self.class_buttons, self.new_name, self.steps, self.advice):
            layout.addWidget(widget)
        return editor

    def _build_class_buttons(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        self.rename = small_button("Rename", "Change the name of the chosen class. Its cells stay labelled.")
        self.recolor = small_button("Colour", "Choose another colour for the chosen class.")
        self.up = small_button("▲", "Move the chosen class up; the first nine have the keys 1 to 9.", "Move up")
        self.down = small_button("▼", "Move the chosen class down.", "Move down")
        self.delete = small_button("Delete", "Remove the chosen class, and its label from every cell that has it.")
        for one in (self.rename, self.recolor, self.up, self.down, self.delete):
            layout.addWidget(one)
        return row

    def _build_steps(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        self.undo = button("↶ Undo", "Take back the last labelling (Ctrl+Z). As often as you like.")
        self.redo = button("↷ Redo", "Do again what was taken back (Ctrl+Shift+Z).")
        self.next = button("Next  N", "Show the next cell that has no label, in the middle of the window (N).")
        for one in (self.undo, self.redo, self.next):
            layout.addWidget(one)
        return row

    def _wire(self) -> None:
        session, classes = self.session, self.classes
        for signal in (session.project_changed, session.scheme_changed, session.images_changed):
            signal.connect(self.refresh)
        session.labels_changed.connect(self._on_labels)
        session.history_changed.connect(self._refresh_history)
        classes.armed.connect(self.armed)
        classes.renamed.connect(self._rename)
        classes.moved.connect(showing_errors(session.move_class))
        classes.color_wanted.connect(self._choose_color)
        self.templates.chosen.connect(showing_errors(session.use_template))
        self.new_name.returnPressed.connect(self._add)
        on_click(self.rename, classes.rename_current)
        on_click(self.recolor, lambda: self._choose_color(classes.current_id))
        on_click(self.up, lambda: self._move(-1))
        on_click(self.down, lambda: self._move(1))
        on_click(self.delete, self._delete)
        on_click(self.undo, showing_errors(session.undo))
        on_click(self.redo, showing_errors(session.redo))
        on_click(self.next, self.next_wanted.emit)
        self.filter.textChanged.connect(self._apply_filter)
        self.filter.returnPressed.connect(self._choose_filtered)

    def _on_labels(self, *_what: object) -> None:
        self.classes.show_counts(self.session.counts())

    def _refresh_history(self) -> None:
        writable = not self.session.read_only
        self.undo.setEnabled(writable and self.session.can_undo)
        self.redo.setEnabled(writable and self.session.can_redo)

    @showing_errors
    def _add(self) -> None:
        self.session.add_class(self.new_name.text())
        self.new_name.clear()

    def _rename(self, class_id: int, name: str) -> None:
        showing_errors(self.session.rename_class)(class_id, name)
        self.refresh()

    @showing_errors
    def _move(self, by: int) -> None:
        if class_id := self.classes.current_id:
            self.session.move_class(class_id, self.session.scheme.position(class_id) + by)

    @showing_errors
    def _choose_color(self, class_id: int) -> None:
        if not class_id:
            return
        old = self.session.scheme.by_id(class_id)
        color = QColorDialog.getColor(QColor(old.color), self, f"Colour of {old.name}")
        if color.isValid():
            self.session.recolor_class(class_id, color.name())

    @showing_errors
    def _delete(self) -> None:
        class_id = self.classes.current_id
        if class_id and self._may_delete(class_id):
            self.session.delete_class(class_id)

    def _may_delete(self, class_id: int) -> bool:
        """Ask, saying what would be lost; a class that no cell has goes without a question."""
        count = self.session.counts().get(class_id, 0)
        if not count:
            return True
        cells = "1 cell loses its" if count == 1 else f"{count:,} cells lose their"
        answer = QMessageBox.question(
            self,
            "Delete class",
            f"Delete '{self.session.scheme.by_id(class_id).name}'? {cells} label. Undo (Ctrl+Z) brings it back.",
        )
        return bool(answer == QMessageBox.StandardButton.Yes)

    def _apply_filter(self, text: str) -> None:
        wanted = text.strip().casefold() if self.filter.isVisibleTo(self) else ""
        for row in range(self.classes.count()):
            item = self.classes.item(row)
            item.setHidden(wanted not in item.text().casefold())

    def _choose_filtered(self) -> None:
        shown = [i for i in range(self.classes.count()) if not self.classes.item(i).isHidden()]
        if shown:
            self.class_chosen.emit(self.session.scheme.classes[shown[0]].id)
            self.filter.selectAll()


class _TemplateChooser(QWidget):
    """The question a new project asks: which classes to begin with."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(hint("Which classes will your cells get? Begin with a list; you can change it at any time."))
        for name, (_kind, classes) in TEMPLATES.items():
            if classes:
                one = button(name.capitalize() if name.islower() else name, "Begin with: " + ", ".join(classes))
                on_click(one, partial(self.chosen.emit, name))
                layout.addWidget(one)
                layout.addWidget(hint(", ".join(classes)))
        layout.addWidget(hint("Or type the names of your own classes here:"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
