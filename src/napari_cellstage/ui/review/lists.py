"""Lists of cells worth a look: suspected labels, top losses, confused pairs; a click fills the gallery."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.confusion import Confusion, cells_of, entry_text, entry_title
from napari_cellstage.core.review.lists import LISTS
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.review.suspect_box import SuspectBox
from napari_cellstage.ui.review.swatches import pair_icon
from napari_cellstage.ui.theme import PanelTheme

SUSPECTS, ASIDE, PAIR = "suspects", "aside", "pair"
_PAIRS = 30  # most confused pairs shown
_WHAT = Qt.ItemDataRole.UserRole
_OPEN = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class ListsPart(QWidget):
    """The lists, and below them the suspected label that is decided on.

    Parameters
    ----------
    session
        Whose cells.
    theme
        Colours.
    """

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._theme = session, theme
        self.list = QListWidget()
        self.list.setAccessibleName("Lists of cells")
        self.list.setIconSize(pair_icon("#000000", "#000000").availableSizes()[0])
        self.list.setMinimumHeight(90)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the count at the end stays
        self.suspects = SuspectBox(session)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.suspects)
        self.list.itemClicked.connect(self._open)
        self.list.itemActivated.connect(self._open)
        self.suspects.changed.connect(self._recount_suspects)

    def refresh(self) -> None:
        """Count again; the list that is open stays open, as its cells were when it was opened."""
        table = self._session.review_table()
        at = self.list.currentItem()
        what = at.data(_WHAT) if at is not None else None
        self.suspects.refresh()
        self.list.clear()
        tip = "Labels that are probably wrong, most suspicious first. Accept, correct or skip them one by one."
        self._add((SUSPECTS,), "", tip, len(self.suspects.left))
        for place, one in enumerate(LISTS):
            count = one.count(table)
            self._add(("list", place), f"{one.title}: {count:,}", one.why, count)
        aside = len(self._aside())
        self._add((ASIDE,), f"Set aside (audit): {aside:,}", "Cells no model is ever trained on or chosen by.", aside)
        self._add_pairs(Confusion.of(table))
        self._recount_suspects()
        self._go_back_to(what)

    def close_link(self) -> None:
        """Let go of what is still being looked for."""
        self.suspects.close_link()

    def _add_pairs(self, confusion: Confusion) -> None:
        scheme = self._session.scheme
        names = {one.id: one.name for one in scheme}
        for label, predicted, count in confusion.pairs()[:_PAIRS]:
            item = self._add((PAIR, label, predicted), f"{names[label]} → {names[predicted]}: {count:,}", "", count)
            item.setToolTip(entry_text((label, predicted), names, count))
            item.setIcon(pair_icon(scheme.by_id(label).color, scheme.by_id(predicted).color))

    def _add(self, what: tuple[object, ...], text: str, tip: str, count: int) -> QListWidgetItem:
        item = QListWidgetItem(QIcon(), text)
        item.setData(_WHAT, what)
        item.setToolTip(tip)
        if not count:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.addItem(item)
        return item

    def _go_back_to(self, what: object) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item is not None and item.data(_WHAT) == what and item.flags():
                self.list.setCurrentItem(item)
                return
        if what == (SUSPECTS,):
            self.suspects.end()

    @showing_errors
    def _open(self, item: QListWidgetItem) -> None:
        """Fill the gallery with a list."""
        what = item.data(_WHAT)
        if what is None or not item.flags():
            return
        if what[0] == SUSPECTS:
            self.suspects.begin()
            return
        self.suspects.end()
        self._session.show_cells(*self._wanted(what))

    def _wanted(self, what: tuple[object, ...]) -> tuple[CellRefs, str, str]:
        """Return the cells of a list, their title and order."""
        table = self._session.review_table()
        if what[0] == ASIDE:
            return self._aside(), "Set aside", ""
        if what[0] == PAIR:
            pair = (int(str(what[1])), int(str(what[2])))
            cells = cells_of(table, pair)
            names = {one.id: one.name for one in self._session.scheme}
            return cells, entry_title(pair, names), "loss"
        one = LISTS[int(str(what[1]))]
        return one.cells(table), one.title, one.order

    def _aside(self) -> CellRefs:
        return self._session.audit_cells()

    def _recount_suspects(self) -> None:
        item = self.list.item(0)
        if item is None or item.data(_WHAT) != (SUSPECTS,):
            return
        left = f"{len(self.suspects.left):,}" if self.suspects.known else "looking for them …"
        item.setText(f"Suspected label errors: {left}")
        some = len(self.suspects.left) or len(self._session.skipped)
        item.setFlags(_OPEN if some else Qt.ItemFlag.NoItemFlags)
