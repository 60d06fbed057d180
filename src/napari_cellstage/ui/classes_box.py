"""Which classes a training tells apart: a tick for each; cells of the others are left out."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show
from napari_cellstage.ui.pieces import Folded, hint

TITLE = "Classes to tell apart"
TIP = "Leave classes out: their cells are neither trained on nor scored, and keep their labels."
_ALL = "All classes. Untick those that the model is not to be asked for, such as all but two doses."
_ROWS_SEEN = 6
_ID = Qt.ItemDataRole.UserRole


class ClassesBox(QWidget):
    """A list of classes with ticks, folded away.

    Parameters
    ----------
    session
        Whose classes.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.list = QListWidget()
        self.list.setAccessibleName(TITLE)
        self.list.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.about = hint("")
        content = QWidget()
        rows, layout = QVBoxLayout(content), QVBoxLayout(self)
        for one in (rows, layout):
            one.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.list)
        rows.addWidget(self.about)
        self.folded = Folded(TITLE, content, TIP)
        layout.addWidget(self.folded)
        for signal in (session.project_changed, session.scheme_changed, session.settings_changed):
            signal.connect(self.refresh)
        self.list.itemChanged.connect(self._choose)
        self.refresh()

    def refresh(self, *_what: object) -> None:
        """Show the session's choice as it is now."""
        scheme, out = self.session.scheme, self.session.left_out
        self.list.blockSignals(True)
        self.list.clear()
        for one in scheme:
            self.list.addItem(_item(one.name, one.id, one.color, told_apart=one.id not in out))
        self.list.blockSignals(False)
        self.list.setEnabled(bool(self.session.images) and not self.session.read_only)
        self.list.setFixedHeight(self._height())
        self.folded.head.setText(f"{TITLE}: {len(scheme) - len(out)} of {len(scheme)}" if out else TITLE)
        self.about.setText(self._about(out))

    def _about(self, out: tuple[int, ...]) -> str:
        if not out:
            return _ALL
        names = ", ".join(self.session.scheme.by_id(i).name for i in out)
        return (
            f"Left out: {names}. Every cell is predicted as one of the others. Labels stay, and the same cells are "
            "held out as with all classes, so that scores can be compared."
        )

    def _height(self) -> int:
        rows = max(1, min(self.list.count(), _ROWS_SEEN))
        row: int = self.list.sizeHintForRow(0) if self.list.count() else self.list.fontMetrics().height()
        around: int = 2 * self.list.frameWidth() + 4
        return int(rows * row + around)

    def _choose(self, *_item: object) -> None:
        items = (self.list.item(row) for row in range(self.list.count()))
        out = [int(one.data(_ID)) for one in items if one is not None and one.checkState() == Qt.CheckState.Unchecked]
        try:
            self.session.left_out = tuple(out)
        except CellStageError as error:  # fewer than two would be left
            show(error)
        self.refresh()


def _item(name: str, class_id: int, color: str, told_apart: bool) -> QListWidgetItem:
    made = QListWidgetItem(_swatch(color), name)
    made.setData(_ID, class_id)
    made.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
    made.setCheckState(Qt.CheckState.Checked if told_apart else Qt.CheckState.Unchecked)
    return made


def _swatch(color: str) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(QColor(color))
    return QIcon(picture)
