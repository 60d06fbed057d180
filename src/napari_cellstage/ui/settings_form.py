"""A form made from a dataclass: names, limits and tooltips come from its fields, so they are written once."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import Field, fields, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar, get_type_hints

from magicgui.widgets import create_widget
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QWidget
from superqt import QLargeIntSpinBox

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.ui.pieces import shrinking
from napari_cellstage.ui.suggestion_box import SuggestionBox

Settings = TypeVar("Settings")
MOST_DECIMALS = 7
LONG = 240  # pixels that a long text wants: its name is then above it
FINE = 1e-4  # limits below are not worth the zeros that every value would then be shown with


class SettingsForm(QWidget, Generic[Settings]):
    """Shows a frozen dataclass and returns changed copies of it.

    Signals
    -------
    changed : the user changed a value.

    Parameters
    ----------
    settings
        An instance; its fields' metadata may hold ``tip``, ``min``, ``max``, ``choices``, ``suggestions`` (and
        ``file``, the filter of files that may be chosen instead), ``zero``: what 0 means, ``title``, and ``long`` for
        text that needs a line of its own.
    names
        Which fields are shown, in this order; or groups of them, each under its title.
    """

    changed = Signal()

    def __init__(
        self, settings: Settings, names: Sequence[str] | Mapping[str, Sequence[str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        groups = names if isinstance(names, Mapping) else {"": names}
        names = [name for group in groups.values() for name in group]
        self._groups = [(_head(title) if title else None, group) for title, group in groups.items()]
        self._settings = settings
        hints = get_type_hints(type(settings))
        by_name = {f.name: f for f in fields(settings)}  # type: ignore[arg-type]
        self.widgets = {name: _widget(by_name[name], hints[name], getattr(settings, name)) for name in names}
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._titles: dict[str, QWidget] = {}
        self._shown = frozenset(names)
        for head, group in self._groups:
            if head is not None:
                layout.addRow(head)
            for name in group:
                self._add(by_name[name], self.widgets[name])
        self._filling = False

    def _add(self, field: Field[Any], widget: Any) -> None:
        layout = self.layout()
        layout.addRow(_title(field), widget.native)
        self._titles[field.name] = title = layout.labelForField(widget.native)
        title.setToolTip(widget.tooltip)
        widget.native.setAccessibleName(field.name.replace("_", " "))
        widget.changed.connect(self._on_changed)

    def show_only(self, names: Collection[str]) -> None:
        """Show these fields and hide the others, which keep their values."""
        if frozenset(names) == self._shown:
            return
        layout = self.layout()
        for head, group in self._groups:
            shown = [name for name in group if name in names]
            for row in (head, *(self.widgets[name].native for name in group if name in self._shown)):
                if row is not None and layout.indexOf(row) >= 0:
                    layout.takeRow(row)
            if head is not None:
                head.setVisible(bool(shown))
                if shown:
                    layout.addRow(head)
            for name in group:
                for part in (title := self._titles[name], widget := self.widgets[name].native):
                    part.setVisible(name in names)
                if name in names:
                    layout.addRow(title, widget)
        self._shown = frozenset(names)

    @property
    def value(self) -> Settings:
        """The dataclass with what the form shows.

        Raises
        ------
        CellStageError
            If the dataclass refuses the values.
        """
        try:
            shown = {name: widget.value for name, widget in self.widgets.items()}
            return replace(self._settings, **shown)  # type: ignore[type-var]
        except ValueError as error:
            raise CellStageError(str(error)) from error

    @value.setter
    def value(self, settings: Settings) -> None:
        self._settings = settings
        self._filling = True
        for name, widget in self.widgets.items():
            value = getattr(settings, name)
            if isinstance(value, float):
                _show_decimals(widget, value)
            widget.value = value
            if isinstance(widget.native, QLineEdit):
                widget.native.setCursorPosition(0)  # long text is shown from its start
        self._filling = False

    def _on_changed(self, _value: object) -> None:
        if not self._filling:
            self.changed.emit()


def _widget(field: Field[Any], annotation: Any, value: Any) -> Any:
    """Return the magicgui widget of one field."""
    limits = field.metadata
    if "suggestions" in limits:
        return SuggestionBox(value, limits["suggestions"], limits.get("tip", ""), limits.get("file", ""))
    options = {key: limits[key] for key in ("min", "max", "choices") if key in limits}
    options["tooltip"] = limits.get("tip", "")
    if annotation is float:
        options["step"] = _step(value, limits)
    widget = create_widget(value=value, annotation=annotation, name=field.name, options=options)
    if limits.get("long"):
        widget.native.setMinimumWidth(LONG)
    if isinstance(widget.native, QComboBox):
        shrinking(widget.native)
    if isinstance(widget.native, QLargeIntSpinBox):
        _let_type(widget.native)
    if annotation is bool:
        widget.native.setText("")  # its name stands before it already
    if annotation is float and "min" in limits:
        ends = limits["min"], limits["max"]
        _show_decimals(widget, value, *(end for end in ends if end >= FINE))
        widget.native.setRange(*ends)  # were rounded to fewer decimals at first
    if "zero" in limits and annotation is float:
        widget.native.setSpecialValueText(limits["zero"])
    return widget


def _let_type(box: Any) -> None:
    """Let a number be typed digit by digit: of 32 its box made 82 where the least is 8, as it mended the 3 at once."""

    def take(text: str) -> None:
        if text.lstrip("-").isdecimal() and box.minimum() <= int(text) <= box.maximum():
            box.setValue(int(text))

    box.setKeyboardTracking(False)  # what is too small or too large is mended when the field is left
    box.lineEdit().textEdited.connect(take)


def _show_decimals(widget: Any, *values: float) -> None:
    """Let a number have the decimals it needs: its box rounds what it can't show, such as 0.0005 to 0.001."""
    needed = max(-int(Decimal(repr(float(value))).normalize().as_tuple().exponent) for value in values)
    widget.native.setDecimals(max(widget.native.decimals(), min(needed, MOST_DECIMALS)))


def _head(title: str) -> QLabel:
    made = QLabel(title)
    font = made.font()
    font.setBold(True)
    made.setFont(font)
    return made


def _title(field: Field[Any]) -> str:
    """Return the name of a field in words; of a whole number also what 0 means, which its box can't show."""
    words = str(field.metadata.get("title", field.name.replace("_", " ")))
    meaning = field.metadata.get("zero")
    if not meaning or not isinstance(field.default, int):
        return words
    return f"{words[:-1]}, 0: {meaning})" if words.endswith(")") else f"{words} (0: {meaning})"


def _step(value: float, limits: Any) -> float:
    """Return a step that suits a number: a tenth of its size, coarser for long ranges."""
    size = 10.0 ** math.floor(math.log10(abs(value) or 1.0))
    span = limits.get("max", 1.0) - limits.get("min", 0.0)
    return min(size, 1.0) / (10.0 if size <= 1.0 and span <= 1.0 else 1.0 if span > 100 else 10.0)
