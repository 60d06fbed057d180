"""What the model sees: real crops as the network will get them, in a window beside the viewer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QCloseEvent, QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QComboBox, QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session
from napari_cellstage.ui.crop_pictures import A_CLASS, Look, Strip, pictures
from napari_cellstage.ui.pieces import button, clear_layout, hint, on_click, scrolled
from napari_cellstage.ui.workers import Job, JobRunner

WAIT_MS = 250
SIDE = 76  # screen pixels of a picture
LABELLED, AROUND = "labelled cells", "cells around the selected one"


class CropPreview(QDialog):
    """Shows crops; nothing is done while it is hidden.

    Parameters
    ----------
    session
        Whose cells are shown.
    recipe
        Returns the recipe as chosen now.
    selected
        Returns the row of the selected cell, or None.
    """

    def __init__(
        self,
        session: Session,
        recipe: Callable[[], Recipe],
        selected: Callable[[], int | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._recipe, self._selected = session, recipe, selected
        self._seed, self._again = 0, False
        self.strips: tuple[Strip, ...] = ()
        self.runner = JobRunner(self)
        self.runner.ended.connect(self._on_ended)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._start)
        self.setWindowTitle("What the model sees")
        self._build()
        for signal in (
            session.labels_changed,
            session.current_changed,
            session.cells_changed,
            session.settings_changed,
        ):
            signal.connect(self.refresh)

    def refresh(self, *_what: object) -> None:
        """Show the session and the recipe as they are, in a moment."""
        if self.isVisible():
            self._timer.start()

    def open(self) -> None:
        """Show the window, and its crops."""
        self.show()
        self.raise_()
        self._timer.start(0)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the work."""
        self._timer.stop()
        self.runner.stop()
        super().closeEvent(event)

    def close_link(self) -> None:
        """End the work for good."""
        self._timer.stop()
        self.runner.close()
        self.close()

    # build

    def _build(self) -> None:
        self.which = QComboBox()
        self.which.addItems([LABELLED, AROUND])
        self.which.setAccessibleName("Which cells are shown")
        self.which.currentTextChanged.connect(self.refresh)
        self.changed = QCheckBox("as in training")
        self.changed.setToolTip(
            "Show each cell changed at random, as the network gets it while it learns: turned, mirrored, moved, "
            "darker or brighter. Off: as it is when cells are predicted."
        )
        self.changed.toggled.connect(self.refresh)
        self.others = button("Other cells", "Show other cells, or other random changes.")
        on_click(self.others, self._show_others)
        self.note = hint("")
        self.place = QWidget()
        QGridLayout(self.place).setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        row, layout = QHBoxLayout(), QVBoxLayout(self)
        for part in (self.which, self.changed, self.others):
            row.addWidget(part)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addWidget(self.note)
        layout.addWidget(scrolled(self.place), 1)
        self.resize(800, 560)

    def _show_others(self) -> None:
        self._seed += 1
        self._timer.start(0)

    # work

    def _start(self) -> None:
        if self.runner.busy:
            self._again = True
            return
        try:
            look = self._look()
        except CellStageError as error:  # a choice that can't be
            self._on_failed(error)
            return
        if look.changed:
            self.note.setText("Changing them as in training; the first time that takes some seconds.")
        job = Job("showing crops", pictures(look))
        job.returned.connect(self._show)
        job.failed.connect(self._on_failed)
        self.runner.start(job)

    def _look(self) -> Look:
        around = self._selected() if self.which.currentText() == AROUND else None
        return Look(
            _current(self._session),
            self._session.look(),
            self._recipe(),
            around,
            self.changed.isChecked(),
            self._seed,
        )

    def _on_ended(self) -> None:
        if self._again:
            self._again = False
            self._timer.start(0)

    def _on_failed(self, error: Exception) -> None:
        self._show(())
        self.note.setText(str(error))

    def _show(self, strips: tuple[Strip, ...] | None) -> None:
        if strips is None:
            return
        self.strips = strips
        clear_layout(self.place.layout())
        line = 0
        for strip in strips:
            line = self._add_strip(strip, line)
        self.note.setText(self._text(strips))

    def _add_strip(self, strip: Strip, line: int) -> int:
        """Add a title and its pictures, as many a row as fit; return the next free row."""
        grid = self.place.layout()
        mark = f'<span style="color:{strip.color}">●</span> ' if strip.color else ""
        grid.addWidget(QLabel(f"{mark}{strip.title}"), line, 0, 1, A_CLASS)
        wide = strip.pictures.shape[2] // strip.pictures.shape[1]
        a_row = max(1, A_CLASS // wide)
        for number, picture in enumerate(strip.pictures):
            label = QLabel()
            label.setPixmap(pixmap(picture))
            grid.addWidget(label, line + 1 + number // a_row, number % a_row * wide, 1, wide)
        return line + 2 + (len(strip.pictures) - 1) // int(a_row)

    def _text(self, strips: tuple[Strip, ...]) -> str:
        if not strips:
            return ""
        recipe, names = self._recipe(), self._session.channel_names
        shown = ", ".join(names[c] for c in self._session.network_channels if c < len(names))
        side = recipe.input_size or recipe.crop_size
        size = f"{side} × {side} pixels of {shown}."
        lacks = self.which.currentText() == AROUND and self._selected() is None
        return f"{size} Select a cell in the viewer to see those around it." if lacks else size


def pixmap(picture: NDArray[np.uint8]) -> QPixmap:
    """Return a picture ``(h, w, 3)`` uint8, enlarged with its pixels to be seen."""
    height, width, _ = picture.shape
    image = QImage(np.ascontiguousarray(picture).data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image).scaledToHeight(SIDE)


def _current(session: Session) -> ImageSnapshot | None:
    """Return the open image as it is now, or None when it has no cells."""
    labels = session.labels() if session.current is not None else None
    if labels is None or session.current is None or session.current_id is None:
        return None
    frozen = labels.frozen() if hasattr(labels, "frozen") else labels
    return ImageSnapshot(session.current_id, session.current, session.cells(), frozen, session.class_ids().copy())
