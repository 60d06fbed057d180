"""The live validation picture: input, true, predicted and error side by side, a row a stain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QDialog, QSizePolicy, QVBoxLayout, QWidget

from napari_cellstage.stain.picture_look import HEADS, Picture, StainLook, looks_of
from napari_cellstage.ui.theme import PanelTheme

if TYPE_CHECKING:
    from napari_cellstage.stain.events import StainPicture

GAP = 3
_ENLARGING = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
WINDOW = QSize(1100, 420)
_TIP = (
    "A part of an image that the network does not learn from, after each epoch. True and predicted have the same "
    "black and white; the error, twice as bright, is blue where too little is predicted and orange where too much. "
    "Click, or press Space, to enlarge."
)


class LivePicture(QWidget):
    """Shows a validation picture, as wide as there is room.

    Parameters
    ----------
    theme
        Colours of its words.
    """

    def __init__(self, theme: PanelTheme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.looks: tuple[StainLook, ...] = ()
        self.scores: dict[str, float] = {}
        self.large: LargePicture | None = None
        self.setToolTip(_TIP)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Validation picture: input, true, predicted, error")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_picture(self, picture: StainPicture | None, scores: dict[str, float]) -> None:
        """Show a picture with r of each stain; None keeps the picture and changes the scores."""
        self.scores = dict(scores)
        if picture is not None:
            self.looks = looks_of(picture)
            self.setAccessibleDescription(", ".join(_score_text(one.stain, self.scores) for one in self.looks))
        self._fit()
        self.update()
        if self.large is not None:
            self.large.picture.show_picture(picture, scores)

    def forget(self) -> None:
        """Show nothing."""
        self.looks, self.scores = (), {}
        self._fit()
        if self.large is not None:
            self.large.picture.forget()

    def close_link(self) -> None:
        """Close the window in which it is larger."""
        if self.large is not None:
            self.large.close()

    def places(self) -> list[tuple[QRect, Picture]]:
        """Return where each picture is painted."""
        side, line = self._sides(), self.fontMetrics().height()
        found: list[tuple[QRect, Picture]] = []
        top = line
        for look in self.looks:
            top += line
            width, height = side
            for column, one in enumerate(look.pictures):
                found.append((QRect(column * (width + GAP), top, width, height), one))
            top += height + GAP
        return found

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Paint heads, names and pictures."""
        if not self.looks:
            return
        painter, places = QPainter(self), self.places()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(self._theme.faint)
        line = self.fontMetrics().height()
        for (where, _), head in zip(places, HEADS, strict=False):
            painter.drawText(QRect(where.left(), 0, where.width(), line), Qt.AlignmentFlag.AlignHCenter, head)
        painter.setPen(self._theme.text)
        for row, look in enumerate(self.looks):
            top = places[row * len(HEADS)][0].top() - line
            painter.drawText(QRect(0, top, self.width(), line), Qt.AlignmentFlag.AlignLeft, self._text(look.stain))
        for where, one in places:
            painter.drawImage(where, _image(one))
        if self.hasFocus():
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Keep the pictures' shape."""
        super().resizeEvent(event)
        self._fit()

    def mouseReleaseEvent(self, _event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show the same in a window of its own."""
        self.enlarge()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Do by Space or Enter what a click does."""
        if event is not None and event.key() in _ENLARGING:
            self.enlarge()
        else:
            super().keyPressEvent(event)

    def enlarge(self) -> None:
        """Show the same, larger, in a window that goes on following the training; in that window nothing happens."""
        if not self.looks or isinstance(self.parent(), LargePicture):
            return
        if self.large is None:
            self.large = LargePicture(self._theme, self)
        self.large.picture.looks, self.large.picture.scores = self.looks, self.scores
        self.large.show()
        self.large.raise_()
        self.large.picture.update()

    def _text(self, stain: str) -> str:
        return _score_text(stain, self.scores)

    def _sides(self) -> tuple[int, int]:
        """Return width and height of one picture."""
        width = max(8, (self.width() - (len(HEADS) - 1) * GAP) // len(HEADS))
        rows, columns = self.looks[0].pictures[0].shape[:2] if self.looks else (1, 1)
        return width, max(1, round(width * rows / columns))

    def _fit(self) -> None:
        line = self.fontMetrics().height()
        height = line + len(self.looks) * (line + self._sides()[1] + GAP) if self.looks else 0
        self.setFixedHeight(height)
        self.setVisible(bool(self.looks))


class LargePicture(QDialog):
    """The picture in a window of its own."""

    def __init__(self, theme: PanelTheme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Validation picture")
        self.picture = LivePicture(theme, self)
        layout = QVBoxLayout(self)
        layout.addWidget(self.picture)
        layout.addStretch(1)
        self.resize(WINDOW)


def _score_text(stain: str, scores: dict[str, float]) -> str:
    known = scores.get(stain)
    return stain if known is None or known != known else f"{stain}  r {known:.3f}"  # NaN is no score


def _image(picture: Picture) -> QImage:
    """Return a picture as Qt paints it, with its own copy of the pixels."""
    rows, columns = picture.shape[:2]
    return QImage(picture.tobytes(), columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()
