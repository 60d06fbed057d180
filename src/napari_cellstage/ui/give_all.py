"""Part of the Label step: one class for all cells of an image, a well or a dose, and a class for each dose."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.label_scopes import ClassedBy, FactClasses, Scope, classes_by, scopes_of
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors, tell
from napari_cellstage.ui.pieces import button, hint, on_click

BY: tuple[ClassedBy, ...] = ("dose", "treatment")


class GiveAll(QWidget):
    """Gives classes to whole images. What it would do is said before it is done, and one undo takes it back."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._scopes: tuple[Scope, ...] = ()
        self._build()
        self._wire()
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is now, if anybody looks."""
        if not self.isVisible():
            return
        self._fill_classes()
        self._fill_scopes()
        self._say()

    def showEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Catch up with what happened while this was folded."""
        super().showEvent(event)
        self.refresh()

    def _build(self) -> None:
        self.class_box, self.scope_box, self.by_box = QComboBox(), QComboBox(), QComboBox()
        self.keep = QCheckBox("Keep labels that cells have")
        self.keep.setChecked(True)
        self.keep.setToolTip("Off: every cell gets the class, whatever label it has. Undo brings the labels back.")
        self.said, self.said_by = hint(""), hint("")
        self.give = button("Give", "Also cells that are found in these images later. One undo takes it back.")
        self.give_by = button("Make and give", "Makes the classes and gives each image its own. One undo.")
        self.by_box.addItems([f"each {name}" for name in BY])
        grid = QGridLayout()
        for row, (text, box) in enumerate((("Give", self.class_box), ("to cells of", self.scope_box))):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(QLabel(text), row, 0)
            grid.addWidget(box, row, 1)
        grid.addWidget(QLabel("A class for"), 5, 0)
        grid.addWidget(self.by_box, 5, 1)
        for row, widget in ((2, self.said), (3, self.give), (6, self.said_by), (7, self.give_by)):
            grid.addWidget(widget, row, 0, 1, 2)
        grid.setRowMinimumHeight(4, 8)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.addWidget(self.keep)
        layout.addLayout(grid)
        names = ("Class to give", "Cells that get it", "What classes are made of")
        for box, name in zip((self.class_box, self.scope_box, self.by_box), names, strict=True):
            box.setAccessibleName(name)

    def _wire(self) -> None:
        session = self.session
        for signal in (
            session.project_changed,
            session.scheme_changed,
            session.images_changed,
            session.current_changed,
            session.facts_changed,
            session.history_changed,
        ):
            signal.connect(self.refresh)
        self.class_box.currentIndexChanged.connect(self._say)
        self.scope_box.currentIndexChanged.connect(self._say)
        self.by_box.currentIndexChanged.connect(self._say)
        self.keep.toggled.connect(self._say)
        on_click(self.give, self._give)
        on_click(self.give_by, self._give_by)

    # show

    def _fill_classes(self) -> None:
        chosen, box = self.class_box.currentData(), self.class_box
        box.blockSignals(True)
        box.clear()
        for one in self.session.scheme:
            box.addItem(one.name, one.id)
        if len(self.session.scheme):
            box.addItem("no class (take it back)", UNLABELLED)
        box.setCurrentIndex(max(box.findData(chosen), 0))
        box.blockSignals(False)

    def _fill_scopes(self) -> None:
        session, box = self.session, self.scope_box
        chosen = box.currentText().partition(" (")[0]
        images = tuple(entry.image_id for entry in session.images)
        current = session.current_id
        self._scopes = () if current is None else scopes_of(current, images, session.facts_all())
        box.blockSignals(True)
        box.clear()
        for scope in self._scopes:
            count = len(scope.images)
            box.addItem(scope.text if scope.images == (current,) else f"{scope.text} ({_images(count)})")
        places = [place for place, scope in enumerate(self._scopes) if scope.text == chosen]
        box.setCurrentIndex(places[0] if places else 0)
        box.blockSignals(False)

    def _say(self, *_what: object) -> None:
        scope, writable = self._scope, not self.session.read_only
        self.give.setEnabled(scope is not None and self.class_box.count() > 0 and writable)
        self.said.setText(self._would_do(scope) if scope else "Open an image first.")
        made = self._made()
        by = BY[self.by_box.currentIndex()]
        self.give_by.setEnabled(bool(made.names) and writable)
        if not made.names:
            self.said_by.setText(f"No image has a {by} yet: see <b>Plate, wells, doses</b> in the Data step.")
            return
        classes = ", ".join(made.names[:6]) + (" …" if len(made.names) > 6 else "")
        self.said_by.setText(f"{classes}: {self._counted(made.class_of)}")

    def _would_do(self, scope: Scope) -> str:
        class_id = self.class_box.currentData()
        if class_id is None:
            return "There are no classes yet. Choose or type them above, or make them here below."
        if class_id == UNLABELLED:
            return f"Takes back what was given so to {_images(len(scope.images))}; labels by hand stay."
        return self._counted(dict.fromkeys(scope.images, class_id))

    def _counted(self, class_of: dict[int, int]) -> str:
        """Return how many cells are meant, how many have another label, and in how many images none are found yet."""
        counts = self.session.class_counts()
        cells = sum(sum(counts.get(i, {}).values()) for i in class_of)
        other = sum(n for i, mine in class_of.items() for one, n in counts.get(i, {}).items() if one not in (0, mine))
        empty = sum(not any(counts.get(i, {}).values()) for i in class_of)
        parts = [f"{_cells(cells)} in {_images(len(class_of))}."]
        if other:
            fate = "kept" if self.keep.isChecked() else "<b>replaced</b>"
            parts.append(f"{_cells(other)} {'has' if other == 1 else 'have'} another label, which is {fate}.")
        if empty:
            parts.append(f"In {_images(empty)} no cells are found yet; they get it when they are.")
        return " ".join(parts)

    @property
    def _scope(self) -> Scope | None:
        place = self.scope_box.currentIndex()
        return self._scopes[place] if 0 <= place < len(self._scopes) else None

    def _made(self) -> FactClasses:
        session = self.session
        labelled = any(session.counts().values())
        return classes_by(BY[self.by_box.currentIndex()], session.facts_all(), session.scheme, labelled)

    # what the user does

    @showing_errors
    def _give(self) -> None:
        if (scope := self._scope) is None:
            return
        class_id, keep = int(self.class_box.currentData()), self.keep.isChecked()
        count = self.session.label_images(scope.images, class_id, scope.origin, keep)
        tell(_done(count, "labelled" if class_id else "without label again"))

    @showing_errors
    def _give_by(self) -> None:
        by, keep = BY[self.by_box.currentIndex()], self.keep.isChecked()
        count = self.session.label_by(by, keep)
        tell(_done(count, f"labelled by {by}"))


def _done(count: int, what: str) -> str:
    return f"{_cells(count)} {what}. Ctrl+Z takes it back." if count else "No label had to change."


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
