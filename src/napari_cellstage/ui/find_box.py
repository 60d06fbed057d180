"""How cells are found: method, channels and the choices that matter to it. It knows the session only."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QGroupBox, QLabel, QVBoxLayout

from napari_cellstage.core.finding.method import METHODS, Method
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.predicted import is_predicted
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import showing_errors, shown
from napari_cellstage.ui.pieces import button, hint
from napari_cellstage.ui.settings_form import SettingsForm

FORM = (
    "model",
    "diameter",
    "background",
    "smoothing",
    "sensitivity",
    "min_diameter",
    "max_diameter",
    "split",
    "z_ratio",
)


class FindBox(QGroupBox):
    """Method, channels, choices, preview, and the buttons that find.

    Signals
    -------
    changed : how cells are to be found is another now.

    Parameters
    ----------
    session
        Whose settings.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Find cells")
        self.session = session
        self._build()
        self.method.activated.connect(self._choose_method)
        self.find_channel.activated.connect(self._choose_channel)
        self.second_channel.activated.connect(self._choose_second)
        self.form.changed.connect(self._on_form)
        self.refresh()

    @property
    def settings(self) -> SegmentSettings:
        """How cells are found, channels of the current image included."""
        session = self.session
        return session.segment_settings.on(session.find_channel, len(session.channel_names) or 1)

    def refresh(self) -> None:
        """Show the session as it is now."""
        settings, names = self.settings, self.session.channel_names
        _fill(self.find_channel, names, settings.channel)
        _fill(self.second_channel, names, settings.second_channel)
        if self.form.value != self.session.segment_settings:
            self.form.value = self.session.segment_settings
        self.patchy.setVisible(settings.channel < len(names) and is_predicted(names[settings.channel]))
        self._show_method(METHODS[settings.method])

    def show_found(self, text: str) -> None:
        """Show what the preview found; nothing when it ends."""
        self.seen.setText(text)
        self.seen.setVisible(bool(text))

    def _build(self) -> None:
        self.method = _combo("Method", "What kind of cells and image this is.")
        for method in METHODS.values():
            self.method.addItem(method.title, method.name)
            self.method.setItemData(self.method.count() - 1, method.tip, Qt.ItemDataRole.ToolTipRole)
        self.find_channel = _combo("Channel that cells are found in", _tip("channel"))
        self.second_channel = _combo("Channel that shows whole cells", _tip("second_channel"))
        self.form: SettingsForm[SegmentSettings] = SettingsForm(self.session.segment_settings, FORM)
        self.form.widgets["model"].native.setPlaceholderText("the usual one")
        self.missing, self.seen = hint(""), hint("")
        self.patchy = hint(
            "A predicted stain is patchier than a true one. Where nuclei come out in pieces, raise "
            "<b>smoothing</b> to 2 and <b>min diameter</b> to half a nucleus."
        )
        self.preview = QCheckBox("Preview on the part you see")
        self.preview.setToolTip("Outlines what would be found, while you change the settings and move the view.")
        self.find = button("Find cells", "Find the cells of the whole image, all planes and time points.")
        self.find_all = button("Find in all images", "Find the cells of every image of the project, in the same way.")
        top = QFormLayout()
        top.addRow(self.method)
        top.addRow("in channel", self.find_channel)
        self.second_title = QLabel("whole cells in")
        top.addRow(self.second_title, self.second_channel)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        for widget in (self.patchy, self.missing, self.form, self.preview, self.seen, self.find, self.find_all):
            layout.addWidget(widget)
        self.show_found("")

    def _show_method(self, method: Method) -> None:
        self.method.setCurrentIndex(self.method.findData(method.name))
        self.method.setToolTip(method.tip)
        for widget in (self.second_title, self.second_channel):
            widget.setVisible(method.wants_second_channel)
        stack = self.session.current
        deep = stack is not None and stack.shape[2] > 1
        self.form.show_only({*method.fields, *(("z_ratio",) if deep else ())})
        self.missing.setVisible(not method.installed)
        self.missing.setText(
            f"{method.title.split(' (')[0]} is not installed. Close napari, run <b>pip install "
            f"'napari-cellstage[{method.extra}]'</b> and come back, or choose another method."
        )
        for widget in (self.find, self.find_all, self.preview):
            widget.setEnabled(method.installed)
        if not method.installed:
            self.preview.setChecked(False)
        self.find_all.setVisible(len(self.session.images) > 1)

    @showing_errors
    def _choose_method(self, index: int) -> None:
        self._put(method=self.method.itemData(index))

    @showing_errors
    def _choose_channel(self, index: int) -> None:
        self.session.find_channel = index
        self.changed.emit()

    @showing_errors
    def _choose_second(self, index: int) -> None:
        self._put(second_channel=index)

    def _on_form(self) -> None:
        with shown():
            self.session.segment_settings = self.form.value
            self.changed.emit()

    def _put(self, **values: Any) -> None:
        self.session.segment_settings = replace(self.session.segment_settings, **values)
        self.changed.emit()


def _tip(name: str) -> str:
    return next(str(one.metadata["tip"]) for one in fields(SegmentSettings) if one.name == name)


def _combo(name: str, tip: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(5)
    return made


def _fill(combo: QComboBox, names: tuple[str, ...], index: int) -> None:
    combo.blockSignals(True)
    if [combo.itemText(i) for i in range(combo.count())] != list(names):
        combo.clear()
        combo.addItems(names)
    combo.setCurrentIndex(index)
    combo.blockSignals(False)
