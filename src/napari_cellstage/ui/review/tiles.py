"""How one tile of the gallery is painted: the crop, the label as a strong frame, the prediction as a faint band."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRect, QRectF, Qt
from qtpy.QtGui import QBrush, QColor, QFont, QFontMetrics, QImage, QPainter, QPen, QPixmap

from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.ui.review.crop_looks import Picture
from napari_cellstage.ui.review.gallery_head import NORMAL
from napari_cellstage.ui.theme import PanelTheme

FRAME = 3  # pixels, around a labelled cell
NAMED_FROM = 64  # pixels across a tile that has room for names
SLIM_BAND = 7
BAND_ALPHA = 0.55
KEPT_PIXMAPS = 2000
GRAY = QColor(153, 153, 153)
BACK = QColor("#202020")  # behind crops, in every theme: images are looked at on dark ground
OUTLINE = QColor(255, 255, 255, 150)


@dataclass(frozen=True)
class Tile:
    """What is painted.

    Parameters
    ----------
    picture
        None while it is being read.
    label, predicted
        Class ids, 0 for none.
    confidence
        NaN where not predicted.
    marks
        Short signs, such as ``"?"``.
    unlike
        The prediction is not to be believed.
    chosen
        Whether the tile is selected.
    """

    picture: Picture | None
    label: int
    predicted: int
    confidence: float
    marks: tuple[str, ...] = ()
    unlike: bool = False
    chosen: bool = False


class TilePainter:
    """Paints tiles of one size.

    Parameters
    ----------
    theme
        Colours of what is around the crops.
    font
        Of names.
    """

    def __init__(self, theme: PanelTheme, font: QFont) -> None:
        self._theme = theme
        self.font = QFont(font)
        if font.pointSizeF() > 0:
            self.font.setPointSizeF(max(font.pointSizeF() * 0.85, 6.0))
        self.side = NORMAL
        self.outlined = False
        self._take_colors()
        theme.changed.connect(self._take_colors)
        self._classes: dict[int, tuple[str, QColor]] = {}
        self._elided: dict[tuple[str, int], str] = {}
        self._pixmaps: OrderedDict[tuple[int, bool], tuple[Picture, QPixmap]] = OrderedDict()

    def use(self, scheme: ClassScheme) -> None:
        """Paint these classes."""
        self._classes = {one.id: (one.name, QColor(one.color)) for one in scheme}

    def _take_colors(self) -> None:
        """Ask napari for its colours once: that takes longer than a tile."""
        self._text, self._field = self._theme.text, self._theme.field

    @property
    def band(self) -> int:
        """Height of the band below the crop."""
        return int(QFontMetrics(self.font).height()) + 2 if self.side >= NAMED_FROM else SLIM_BAND

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a tile."""
        return self.side, self.side + self.band

    def paint(self, painter: QPainter, rect: QRect, tile: Tile, over: Callable[[QPainter, QRectF], None]) -> None:
        """Paint one; `over` paints upon the crop."""
        crop = QRect(rect.left(), rect.top(), self.side, self.side)
        painter.setFont(self.font)
        if tile.chosen:
            self._paint_chosen(painter, rect)
        self._paint_crop(painter, crop, tile.picture)
        over(painter, QRectF(crop))
        self._paint_label(painter, crop, tile)
        self._paint_band(painter, QRect(rect.left(), crop.bottom() + 1, self.side, self.band), tile)
        self._paint_marks(painter, crop, tile.marks)

    def _paint_chosen(self, painter: QPainter, rect: QRect) -> None:
        painter.fillRect(rect.adjusted(-3, -3, 3, 3), self._text)

    def _paint_crop(self, painter: QPainter, crop: QRect, picture: Picture | None) -> None:
        painter.fillRect(crop, BACK)
        if picture is None:
            return
        if picture.pixels is None:
            painter.setPen(GRAY)
            wrapped = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(crop.adjusted(5, 5, -5, -5), wrapped, picture.problem)
            return
        painter.drawPixmap(crop.topLeft(), self._pixmap(picture))

    def _pixmap(self, picture: Picture) -> QPixmap:
        """Return a picture at the size of the tile; made once."""
        key = (id(picture), self.outlined)
        found = self._pixmaps.get(key)
        if found is None or found[1].width() != self.side:
            found = (picture, made_pixmap(picture, self.side, self.outlined))
            self._pixmaps[key] = found
        while len(self._pixmaps) > KEPT_PIXMAPS:
            self._pixmaps.popitem(last=False)
        return found[1]

    def _paint_label(self, painter: QPainter, crop: QRect, tile: Tile) -> None:
        if tile.label == UNLABELLED:
            return
        color = self._color(tile.label)
        half = FRAME / 2
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0, 190), 1))
        inner = crop.adjusted(FRAME, FRAME, -FRAME - 1, -FRAME - 1)
        painter.drawRect(inner)
        painter.setPen(QPen(color, FRAME, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap, Qt.PenJoinStyle.MiterJoin))
        painter.drawRect(QRectF(crop).adjusted(half, half, -half, -half))
        if self.side >= NAMED_FROM and tile.label != tile.predicted:
            self._paint_chip(painter, crop, self._name(tile.label), color)

    def _paint_chip(self, painter: QPainter, crop: QRect, name: str, color: QColor) -> None:
        """Write the label into the upper left corner, on its own colour."""
        metrics = painter.fontMetrics()
        text = self._fitted(metrics, name, crop.width() - 22)
        chip = QRect(crop.left(), crop.top(), metrics.horizontalAdvance(text) + 8, metrics.height())
        painter.fillRect(chip, color)
        painter.setPen(readable_on(color))
        painter.drawText(chip.adjusted(4, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_band(self, painter: QPainter, band: QRect, tile: Tile) -> None:
        painter.fillRect(band, self._field)
        if tile.predicted == UNLABELLED:
            return
        color = QColor(GRAY if tile.unlike else self._color(tile.predicted))
        color.setAlphaF(BAND_ALPHA)
        pattern = Qt.BrushStyle.BDiagPattern if tile.unlike else Qt.BrushStyle.SolidPattern
        painter.fillRect(band, QBrush(color, pattern))
        if self.side < NAMED_FROM:
            return
        sure = "" if np.isnan(tile.confidence) else f"{percent(tile.confidence)} %"
        painter.setPen(self._text)
        inside, metrics = band.adjusted(4, 0, -4, 0), painter.fontMetrics()
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inside, int(middle | Qt.AlignmentFlag.AlignRight), sure)
        room = inside.width() - metrics.horizontalAdvance(sure) - 4
        name = self._fitted(metrics, self._name(tile.predicted), room)
        painter.drawText(inside, int(middle | Qt.AlignmentFlag.AlignLeft), name)

    def _paint_marks(self, painter: QPainter, crop: QRect, marks: tuple[str, ...]) -> None:
        side = painter.fontMetrics().height()
        for place, mark in enumerate(marks):
            box = QRect(crop.right() - side, crop.top() + 1 + place * (side + 1), side, side)
            painter.fillRect(box, QColor(0, 0, 0, 170))
            painter.setPen(QColor(Qt.GlobalColor.white))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), mark)

    def _color(self, class_id: int) -> QColor:
        return self._classes.get(class_id, ("", GRAY))[1]

    def _name(self, class_id: int) -> str:
        return self._classes.get(class_id, ("", GRAY))[0]

    def _fitted(self, metrics: QFontMetrics, name: str, room: int) -> str:
        """Return as much of a name as there is room for."""
        key = (name, room)
        if key not in self._elided:
            if len(self._elided) > KEPT_PIXMAPS:
                self._elided.clear()
            self._elided[key] = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
        return self._elided[key]


def made_pixmap(picture: Picture, side: int, outlined: bool) -> QPixmap:
    """Return a picture at a size, with the outline of its cell where asked for."""
    shown = to_image(picture.pixels if picture.pixels is not None else np.zeros((1, 1, 3), np.uint8))
    smooth = Qt.TransformationMode.SmoothTransformation
    ignored = Qt.AspectRatioMode.IgnoreAspectRatio
    pixmap = QPixmap.fromImage(shown.scaled(side, side, ignored, smooth))
    if outlined and picture.outline is not None:
        painter = QPainter(pixmap)
        painter.drawImage(QRect(0, 0, side, side), _outline_image(picture.outline))
        painter.end()
    return pixmap


def to_image(pixels: NDArray[np.uint8]) -> QImage:
    """Return pixels ``(h, w, 3)`` as Qt's own kind of image, with memory of its own."""
    height, width, _ = pixels.shape
    data = np.ascontiguousarray(pixels)
    return QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _outline_image(outline: NDArray[np.bool_]) -> QImage:
    height, width = outline.shape
    argb = np.zeros((height, width, 4), dtype=np.uint8)
    argb[outline] = (OUTLINE.blue(), OUTLINE.green(), OUTLINE.red(), OUTLINE.alpha())
    return QImage(argb.data, width, height, 4 * width, QImage.Format.Format_ARGB32).copy()


def readable_on(color: QColor) -> QColor:
    """Return black or white, whichever is read more easily on a colour."""
    light = 0.299 * color.red() + 0.587 * color.green() + 0.114 * color.blue()
    return QColor("#000000") if light > 140 else QColor("#ffffff")


def percent(share: float) -> str:
    """Return a share in per cent, never "100" where it is less."""
    return f"{min(int(share * 100 + 0.5), 99) if share < 1 else 100}"
