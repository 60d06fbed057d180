"""Which images of the project are learned from: those that have the transmitted light and the stains."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.predicted import is_predicted
from napari_cellstage.ui.pieces import Folded
from napari_cellstage.ui.stain.ticks import Tick, Ticks

MOST_LINES = 8


class ImageChoice(QWidget):
    """Images to tick, folded away, as all that can be used are ticked by themselves.

    Signals
    -------
    changed : the user chose otherwise.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._left: set[object] = set()  # what the user took out
        self.ticks = Ticks("Images to learn from", "Only ticked images are learned from, or judged on.", MOST_LINES)
        self.folded = Folded("Images", self.ticks, "Which images are learned from.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.folded)
        self.ticks.changed.connect(self._on_changed)

    @property
    def image_ids(self) -> tuple[int, ...]:
        """Numbers of the images that are learned from."""
        return tuple(int(str(one)) for one in self.ticks.ticked)

    def put(self, images: Sequence[ImageEntry], inputs: Sequence[str], stains: Sequence[str]) -> None:
        """List the images, with what each lacks."""
        lines = [Tick(one.image_id, one.name, why_not=lacks(one, inputs, stains)) for one in images]
        self.ticks.put(lines, [one.key for one in lines if one.key not in self._left])
        self._head()

    def forget(self) -> None:
        """Tick every image again, as when another project is opened."""
        self._left.clear()

    def _on_changed(self) -> None:
        ticked = set(self.ticks.ticked)
        able = set(self.ticks.able)
        self._left = (able - ticked) | (self._left - able)
        self._head()
        self.changed.emit()

    def _head(self) -> None:
        self.folded.head.setText(f"Learns from {len(self.ticks.ticked):,} of {self.ticks.count():,} images")


def own_channels(image: ImageEntry) -> tuple[str, ...]:
    """Return the channels that were measured: a network that learns from a predicted stain learns its errors."""
    return tuple(one for one in image.record.channel_names if not is_predicted(one))


def lacks(image: ImageEntry, inputs: Sequence[str], stains: Sequence[str]) -> str:
    """Return why an image can't be learned from, or nothing."""
    if image.missing:
        return image.missing
    missing = [one for one in (*inputs, *stains) if one not in own_channels(image)]
    return f"It has no channel {' and none '.join(repr(one) for one in missing)}." if missing else ""
