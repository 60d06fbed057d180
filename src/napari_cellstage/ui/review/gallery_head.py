"""The lines above the gallery: what is shown, in which order, how large."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_cellstage.core.review.orders import AS_FOUND, ORDERS

SIDES = (48, 64, 80, 96, 128)
NORMAL = 80  # three in a row of the dock
WIDEST = 190  # pixels of the box of orders
KEYS_TIP = (
    "Choose cells by clicking, Ctrl+click, Shift+click, or a band around them.\n"
    "Number keys give the chosen cells a class, 0 takes it away, Enter accepts what the model says.\n"
    "Double-click or Space goes to the cell in the viewer. Ctrl+Z takes back."
)


class GalleryHead(QWidget):
    """Title, order, size and what is drawn upon the crops.

    Signals
    -------
    order_chosen : one of `ORDERS`.
    size_changed : pixels across a tile.
    outline_toggled : whether cells are outlined.
    """

    order_chosen = Signal(str)
    size_changed = Signal(int)
    outline_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)  # names of classes are the user's
        self.title.setWordWrap(True)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.title.setToolTip(KEYS_TIP)
        self.order = QComboBox()
        self.order.setAccessibleName("Order of the cells")
        for name, tip in ORDERS.items():
            self.order.addItem(f"by {name}" if name != AS_FOUND else name, name)
            self.order.setItemData(self.order.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.order.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.order.setMinimumContentsLength(5)
        self.order.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.order.setMaximumWidth(WIDEST)
        self.order.activated.connect(self._on_order)  # also when the same one is chosen again: labels have changed
        self.side = QComboBox()
        self.side.setAccessibleName("Size of the pictures")
        self.side.setToolTip("How large each cell is shown, in pixels of the screen")
        for side in SIDES:
            self.side.addItem(f"{side} px", side)
        self.side.setCurrentIndex(SIDES.index(NORMAL))
        self.side.activated.connect(lambda place: self.size_changed.emit(SIDES[place]))
        self.outline = QAction("Outline of each cell", self)
        self.outline.setCheckable(True)
        self.outline.setToolTip("Draw the outline of each cell, as it was found, upon its picture.")
        self.outline.toggled.connect(self.outline_toggled)
        self.more = QToolButton()
        self.more.setText("Show ▾")
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # napari's lies upon the text
        self.more.setToolTip("What is drawn upon the pictures: outlines, and where the network looks")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._menu.addAction(self.outline)
        self.more.setMenu(self._menu)
        self._lay_out()
        self.show_order("")

    def add(self, action: QAction) -> None:
        """Offer one more thing to be drawn upon the pictures."""
        self._menu.addAction(action)

    def show_order(self, order: str) -> None:
        """Show in which order cells are."""
        place = self.order.findData(order if order in ORDERS else AS_FOUND)
        self.order.setCurrentIndex(place)
        self.order.setToolTip(ORDERS[self.order.itemData(place)])

    def show_title(self, title: str, count: int, chosen: int) -> None:
        """Say what is shown, how many, and how many of them are chosen."""
        cells = f"{count:,} cell{'s' if count != 1 else ''}" if title or count else ""
        parts = (title, cells, f"{chosen:,} chosen" if chosen else "")
        self.title.setText(" · ".join(part for part in parts if part))

    def _lay_out(self) -> None:
        choices = QHBoxLayout()
        choices.addWidget(self.order, 1)
        choices.addWidget(self.side)
        choices.addWidget(self.more)
        choices.addStretch(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.title)
        layout.addLayout(choices)

    def _on_order(self, place: int) -> None:
        name = self.order.itemData(place)
        self.order.setToolTip(ORDERS[name])
        self.order_chosen.emit(name)
