"""Where the labels went when cells were found again: a list to click, so that each can be looked at."""

from __future__ import annotations

from collections.abc import Iterator

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGroupBox, QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_cellstage.core.carry_over import CarryOver
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import hint, on_click, small_button

MOST = 500  # lines; nobody reads more, and the sentence above has the numbers


class CarryOverList(QGroupBox):
    """What became of the labels of the current image; hidden while there is nothing to say.

    Signals
    -------
    place_wanted : t, z, y, x of the image to show.

    Parameters
    ----------
    session
        Whose labels.
    """

    place_wanted = Signal(tuple)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Labels after finding again", parent)
        self.session = session
        self._image_id: int | None = None
        self.text = hint("")
        self.list = QListWidget()
        self.list.setAccessibleName("Labels that moved or were lost")
        self.list.setToolTip("Click a line to see the place in the image.")
        self.list.setUniformItemSizes(True)
        self.undo = small_button("Undo", "Bring back the old cells and all labels.")
        self.close_list = small_button("OK", "Close this list.")
        layout, row = QVBoxLayout(self), QHBoxLayout()
        row.addWidget(self.undo)
        row.addWidget(self.close_list)
        row.addStretch(1)
        for widget in (self.text, self.list):
            layout.addWidget(widget)
        layout.addLayout(row)
        self._wire()
        self.hide()

    def show_result(self, image_id: int, result: CarryOver) -> None:
        """Show what became of the labels of an image, when it is the current one."""
        if image_id != self.session.current_id:
            return
        self._image_id = image_id
        self.text.setText(result.text)
        self.list.clear()
        names = {one.id: one.name for one in self.session.scheme}
        for line, place in list(_lines(result, names))[:MOST]:
            item = QListWidgetItem(line)
            item.setData(Qt.ItemDataRole.UserRole, place)
            self.list.addItem(item)
        self.list.setVisible(self.list.count() > 0)
        self.list.setFixedHeight(min(self.list.count(), 6) * (self.list.fontMetrics().height() + 6) + 8)
        self.setVisible(bool(result.text))

    def _wire(self) -> None:
        session = self.session
        session.carried.connect(self.show_result)
        session.history_changed.connect(self._on_history)
        session.current_changed.connect(self._on_current)
        session.project_changed.connect(lambda: self.hide())
        self.list.itemClicked.connect(self._on_item)
        self.list.itemActivated.connect(self._on_item)
        on_click(self.undo, self._undo)
        on_click(self.close_list, self.hide)

    def _on_history(self) -> None:
        # The list is about the last thing that was done; after anything else its Undo would take back that.
        self.hide()

    def _on_current(self) -> None:
        if self.session.current_id != self._image_id:
            self.hide()

    def _on_item(self, item: QListWidgetItem) -> None:
        if (place := item.data(Qt.ItemDataRole.UserRole)) is not None:
            self.place_wanted.emit(tuple(place))

    @showing_errors
    def _undo(self) -> None:
        self.session.undo()


def _lines(result: CarryOver, names: dict[int, str]) -> Iterator[tuple[str, tuple[float, ...] | None]]:
    """Yield a line and a place for each label that is not simply where it was; the lost ones first."""
    places, classes = result.places or {}, result.classes or {}
    for old in result.lost:
        yield f"{names.get(classes.get(old, 0), 'label')} lost{_where(places.get(old))}", places.get(old)
    for old, new in result.moved:
        yield f"{names.get(classes.get(old, 0), 'label')} → cell {new[1]}{_where(places.get(old))}", places.get(old)


def _where(place: tuple[int, float, float, float] | None) -> str:
    return f" · y {place[2]:.0f}, x {place[3]:.0f}" if place else ""
