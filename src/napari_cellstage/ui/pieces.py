"""Small parts that every panel is built from, so that they look and behave alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QFrame,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

_TIP = "tip without a reason"


def button(text: str, tip: str, name: str = "") -> QPushButton:
    """Return a button with a tooltip; `name` is read aloud where the text is a sign."""
    made = QPushButton(text)
    made.setToolTip(tip)
    if name:
        made.setAccessibleName(name)
    return made


def small_button(text: str, tip: str, name: str = "") -> QPushButton:
    """Return a button no wider than its text, that shrinks before its row is cut off."""
    made = button(text, tip, name)
    made.setMinimumWidth(0)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return made


def on_click(pressed: QAbstractButton, action: Callable[[], object]) -> None:
    """Call `action` when a button is pressed, without the argument Qt would give it."""
    pressed.clicked.connect(lambda _checked=False: action())


READ_ONLY = "The project is open read-only, so nothing can be changed here."


def allow(pressed: QAbstractButton, why_not: str = "") -> None:
    """Let a button be pressed; or not, and its tooltip says why."""
    if pressed.property(_TIP) is None:
        pressed.setProperty(_TIP, pressed.toolTip())
    pressed.setEnabled(not why_not)
    pressed.setToolTip("\n\n".join(one for one in (pressed.property(_TIP), why_not) if one))


def hint(text: str) -> QLabel:
    """Return a line or two of advice, wrapped to the width there is."""
    made = QLabel(text)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.AutoText)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return made


def say(line: QLabel, text: str) -> None:
    """Show a text in a line that takes no room while it is empty."""
    line.setText(text)
    line.setVisible(bool(text))


def shrinking(choice: QComboBox) -> QComboBox:
    """Let a choice be narrower than its longest entry, so that its row is not cut off in the dock."""
    choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    choice.setMinimumContentsLength(8)
    return choice


def scrolled(panel: QWidget) -> QScrollArea:
    """Return a panel that scrolls up and down where the window is too low for it."""
    area = QScrollArea()
    area.setWidget(panel)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def clear_layout(layout: QLayout) -> None:
    """Remove and delete what is in a layout."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.deleteLater()


def tab_in_order(root: QWidget) -> None:
    """Let Tab go through the parts of a panel as they are laid out; Qt goes by when each was made."""
    for before, after in pairwise(_laid_out(root.layout())):
        QWidget.setTabOrder(before, after)


def _laid_out(layout: QLayout | None) -> Iterator[QWidget]:
    for place in range(0 if layout is None else layout.count()):
        item = layout.itemAt(place)  # type: ignore[union-attr]
        widget = item.widget()
        if widget is None:
            yield from _laid_out(item.layout())
            continue
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            yield widget
        yield from _laid_out(widget.layout())


class Folded(QWidget):
    """A part that is seldom needed: a line to click, and what it unfolds."""

    def __init__(self, title: str, content: QWidget, tip: str = "") -> None:
        super().__init__()
        self.content = content
        self.head = QToolButton()
        self.head.setText(title)
        self.head.setToolTip(tip)
        self.head.setCheckable(True)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setArrowType(Qt.ArrowType.RightArrow)
        self.head.toggled.connect(self._unfold)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.head)
        layout.addWidget(content)
        content.hide()

    def _unfold(self, on: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.content.setVisible(on)
