"""The gallery's menu, and the box to choose from many classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.ui.pieces import READ_ONLY

if TYPE_CHECKING:
    from napari_cellstage.ui.review.gallery import Gallery

MANY = 20  # more classes than this are chosen from a list with a filter


class GalleryMenu:
    """What can be done with the chosen cells.

    Parameters
    ----------
    gallery
        Whose cells.
    """

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    def show(self, point: QPoint) -> None:
        """Show the menu at a point of the screen."""
        menu = self.made()
        menu.exec_(point)
        menu.deleteLater()

    def made(self) -> QMenu:
        """Return the menu for what is chosen now."""
        gallery, menu = self._gallery, QMenu(self._gallery)
        some = bool(len(gallery.chosen_here()))
        if gallery.session.read_only:
            _add(menu, READ_ONLY, lambda: None, False)
        else:
            self._add_labelling(menu, gallery.session.scheme, some)
        menu.addSeparator()
        _add(menu, "Go to the cell\tSpace", lambda: gallery.grid.opened.emit(gallery.grid.picks.current), some)
        _add(
            menu,
            "Where the network looks",
            lambda: gallery.attention.button.setChecked(True),
            some and gallery.attention.button.isEnabled(),
        )
        menu.addSeparator()
        self._add_alike(menu)
        _add(menu, "Choose all\tCtrl+A", lambda: self._choose(lambda mask: np.ones_like(mask)), True)
        return menu

    def _add_labelling(self, menu: QMenu, scheme: ClassScheme, some: bool) -> None:
        gallery = self._gallery
        if len(scheme) > MANY:
            _add(menu, "Label as …", self._choose_class, some)
        else:
            self._add_classes(menu.addMenu("Label as"), scheme, some)
        _add(menu, "Accept the prediction\tEnter", gallery.keys.accept, some and bool(gallery.predictions_here().any()))
        _add(menu, "No label\t0", lambda: gallery.keys.give(UNLABELLED), some)

    def _add_classes(self, menu: QMenu, scheme: ClassScheme, some: bool) -> None:
        menu.setEnabled(some and bool(len(scheme)))
        for one in scheme:
            key = scheme.key_of(one.id)
            text = one.name.replace("&", "&&").replace("\t", " ") + (f"\t{key}" if key else "")
            _add(menu, text, lambda class_id=one.id: self._gallery.keys.give(class_id), some, one.color)  # type: ignore[misc]

    def _add_alike(self, menu: QMenu) -> None:
        shown, place = self._gallery.shown, self._gallery.grid.picks.current
        there = shown is not None and 0 <= place < len(shown)
        label, predicted = (shown.label, shown.table.predicted) if shown is not None else (None, None)
        for what, values in (("label", label), ("prediction", predicted)):
            known = there and values is not None and bool(values[place] != UNLABELLED)
            _add(menu, f"Choose all with this {what}", lambda v=values: self._choose(lambda _: v == v[place]), known)  # type: ignore[misc]

    def _choose(self, which: Callable[..., object]) -> None:
        self._gallery.choose_where(np.asarray(which(self._gallery.grid.picks.mask), dtype=bool))

    def _choose_class(self) -> None:
        box = ClassChooser(self._gallery.session.scheme, self._gallery)
        if box.exec_() and box.class_id:
            self._gallery.keys.give(box.class_id)
        box.deleteLater()


class ClassChooser(QDialog):
    """A class out of many: typing narrows the list down.

    Parameters
    ----------
    scheme
        The classes.
    """

    def __init__(self, scheme: ClassScheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Label as")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("part of the name")
        self.filter.setAccessibleName("Part of the class's name")
        self.list = QListWidget()
        self.list.setUniformItemSizes(True)
        for one in scheme:
            item = QListWidgetItem(_swatch(one.color), one.name)
            item.setData(Qt.ItemDataRole.UserRole, one.id)
            self.list.addItem(item)
        self.filter.textChanged.connect(self._narrow)
        self.list.itemDoubleClicked.connect(lambda _item: self.accept())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for part in (self.filter, self.list, buttons):
            layout.addWidget(part)
        self._narrow("")

    @property
    def class_id(self) -> int:
        """The chosen class, 0 for none."""
        item = self.list.currentItem()
        return 0 if item is None or item.isHidden() else int(item.data(Qt.ItemDataRole.UserRole))

    def _narrow(self, text: str) -> None:
        items = [self.list.item(row) for row in range(self.list.count())]
        for item in items:
            item.setHidden(text.casefold() not in item.text().casefold())
        first = next((item for item in items if not item.isHidden()), None)
        self.list.setCurrentItem(first)


def _add(menu: QMenu, text: str, action: Callable[[], object], enabled: bool, color: str = "") -> None:
    made = menu.addAction(text)
    made.setEnabled(enabled)
    if color:
        made.setIcon(_swatch(color))
    made.triggered.connect(lambda _checked=False: action())


def _swatch(color: str) -> QIcon:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(color))
    return QIcon(pixmap)
