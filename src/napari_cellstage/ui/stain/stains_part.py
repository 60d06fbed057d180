"""The predicted stains of the current image: what to think of each, and what can be done with it."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QGroupBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_cellstage.core.predicted import PredictedStain, is_predicted
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors
from napari_cellstage.ui.pieces import READ_ONLY, allow, hint, on_click, say, small_button
from napari_cellstage.ui.stain.verdict_words import sign_of, verdict_text
from napari_cellstage.ui.theme import PanelTheme

_NAME = Qt.ItemDataRole.UserRole
MOST_LINES = 6
SWATCH = 10
MAPS = {
    "uncertainty": (
        "where unsure",
        "A layer that is bright where the network is unsure: the width of the range that holds 80 % of true values.",
    ),
    "unlike": (
        "where unlike",
        "A layer that is bright where the image is unlike those the network learned from: there it may invent.",
    ),
}
_NO_TRUTH = "This image has no channel of that name: there is nothing true to compare with."


class StainsPart(QGroupBox):
    """Lists the predicted stains of the current image.

    Signals
    -------
    compare_wanted : channels to show side by side, the true stain first; empty: give the view back.
    cells_wanted : cells are to be found in the chosen stain; it is the channel for that already.
    map_wanted : name of a stain, ``"uncertainty"`` or ``"unlike"``, and whether that map of it is to be shown.

    Parameters
    ----------
    session
        Whose stains.
    theme
        Colours of verdicts.
    """

    compare_wanted = Signal(object)
    cells_wanted = Signal()
    map_wanted = Signal(str, str, bool)

    def __init__(self, session: Session, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__("Predicted stains of this image", parent)
        self._session, self._theme = session, theme
        self._looked_at: str | None = None  # the stain whose maps are shown
        self._build()
        session.stains_changed.connect(self._on_stains)
        for signal in (session.project_changed, session.images_changed, session.current_changed):
            signal.connect(self.refresh)
        theme.changed.connect(self._show_chosen)
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is now."""
        before, stains = self.chosen, self._stains()
        self.list.blockSignals(True)
        self.list.clear()
        for one in stains:
            self.list.addItem(_line(one))
        names = [one.name for one in stains]
        self.list.setCurrentRow(names.index(before.name) if before is not None and before.name in names else 0)
        self.list.blockSignals(False)
        lines = max(1, min(len(stains), MOST_LINES))
        self.list.setFixedHeight(lines * max(self.list.sizeHintForRow(0), self.fontMetrics().height()) + 8)
        self.setVisible(bool(stains))
        self.end_looks()
        self._show_chosen()

    @property
    def chosen(self) -> PredictedStain | None:
        """The stain that the buttons act on."""
        item = self.list.currentItem()
        name = None if item is None else item.data(_NAME)
        return next((one for one in self._stains() if one.name == name), None)

    def choose(self, name: str) -> None:
        """Choose a stain by the name of its channel."""
        for row in range(self.list.count()):
            if (item := self.list.item(row)) is not None and item.data(_NAME) == name:
                self.list.setCurrentRow(row)

    def end_looks(self) -> None:
        """Take away what was shown of the stain that was chosen before."""
        self.compare.setChecked(False)
        for box in self.maps.values():
            box.setChecked(False)

    # build

    def _build(self) -> None:
        self.list = QListWidget()
        self.list.setAccessibleName("Predicted stains of this image")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # its names are cut instead
        self.list.setTabKeyNavigation(False)
        self.list.currentRowChanged.connect(self._on_chosen)
        self.verdict, self.beside = hint(""), hint("")
        self.beside.setTextFormat(Qt.TextFormat.PlainText)
        self.find = small_button("Find cells in it ▸", "Go to the step Cells with this stain as the channel.")
        self.compare = small_button(
            "Side by side",
            "Show predicted and true stain side by side, with one camera, one slider and one contrast. Press again to "
            "get the view back.",
        )
        self.compare.setCheckable(True)
        self.remove = small_button("Remove", "Take this predicted stain off the image. Cells and labels stay.")
        self.maps = {kind: QCheckBox(text) for kind, (text, _tip) in MAPS.items()}
        for kind, box in self.maps.items():
            box.setToolTip(MAPS[kind][1])
            box.toggled.connect(partial(self._on_map, kind))
        self.compare.toggled.connect(self._on_compare)
        on_click(self.find, self._find)
        on_click(self.remove, self._remove)
        layout = QVBoxLayout(self)
        layout.addWidget(self.list)
        layout.addWidget(self.verdict)
        for parts in (tuple(self.maps.values()), (self.compare, self.remove), (self.find,)):
            row = QHBoxLayout()
            layout.addLayout(row)
            for one in parts:
                row.addWidget(one)
        layout.insertWidget(layout.count() - 1, self.beside)
        say(self.beside, "")

    # show

    def _stains(self) -> tuple[PredictedStain, ...]:
        return () if self._session.current_id is None else self._session.stains()

    def _on_stains(self, image_id: int) -> None:
        if image_id == self._session.current_id:
            self.refresh()

    def _on_chosen(self, _row: int) -> None:
        self.end_looks()
        self._show_chosen()

    def _show_chosen(self) -> None:
        one = self.chosen
        if one is None:
            return
        self._looked_at = one.name
        self.verdict.setText(verdict_text(one, self._theme))
        locked = READ_ONLY if self._session.read_only else ""
        allow(self.compare, "" if len(self._beside(one)) > 1 else _NO_TRUTH)
        allow(self.find, locked)
        allow(self.remove, locked)

    def _beside(self, one: PredictedStain) -> list[int]:
        """Return the channels of a comparison: the true stain, then what each model makes of it."""
        names = self._session.channel_names
        true = [i for i, name in enumerate(names) if name == one.stain and not is_predicted(name)][:1]
        same = [i for i, name in enumerate(names) if name in {o.name for o in self._stains() if o.stain == one.stain}]
        return [*true, *same]

    # what the user does

    def _on_compare(self, on: bool) -> None:
        one = self.chosen
        channels = self._beside(one) if on and one is not None else []
        names = self._session.channel_names if channels else ()
        say(
            self.beside, f"From left to right: {', '.join(names[channel] for channel in channels)}." if channels else ""
        )
        self.compare_wanted.emit(channels)

    def _on_map(self, kind: str, on: bool) -> None:
        if self._looked_at is not None:
            self.map_wanted.emit(self._looked_at, kind, on)

    @showing_errors
    def _find(self) -> None:
        one = self.chosen
        if one is not None:
            self.end_looks()
            self._session.find_channel = self._session.channel_names.index(one.name)
            self.cells_wanted.emit()

    @showing_errors
    def _remove(self) -> None:
        one, image_id = self.chosen, self._session.current_id
        if one is not None and image_id is not None:
            self.end_looks()
            self._session.remove_stain(image_id, one.name)


def _line(stain: PredictedStain) -> QListWidgetItem:
    item = QListWidgetItem(f"{sign_of(stain.verdict)} {stain.name}".strip())
    item.setData(_NAME, stain.name)
    item.setToolTip("\n".join(one for one in (stain.note, f"Model: {stain.run}" if stain.run else "") if one))
    if stain.colour:
        swatch = QPixmap(SWATCH, SWATCH)
        swatch.fill(QColor(stain.colour))
        item.setIcon(QIcon(swatch))
    return item
