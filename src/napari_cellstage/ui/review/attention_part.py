"""The switch "Where the network looks": computes maps of the chosen or seen cells, and paints them upon their crops."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QRectF, QTimer, Signal
from qtpy.QtGui import QAction, QImage, QPainter

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.attention import Attention
from napari_cellstage.session import Session
from napari_cellstage.ui.notices import show
from napari_cellstage.ui.pieces import hint
from napari_cellstage.ui.review.crop_looks import Window
from napari_cellstage.ui.workers import Job, JobRunner

MOST = 128  # cells that are looked into at a time
WAIT_MS = 300  # after the last change of what is chosen
STRONGEST = 0.75  # opacity where most speaks for the class
NO_MODEL = "There is no model that could be asked. Train one first."
TIP = (
    "Show what in each chosen cell speaks for the class that was predicted: bright is much.\n"
    "A network is asked by Grad-CAM; the quick kind by covering one part of the cell after the other.\n"
    "The model on disk is asked, which may know a labelled cell from its training."
)
SILENT_TIP = (
    "In these cells nothing speaks for the class that is shown as predicted.\n"
    "It was predicted by a model that had not seen the cell; the one that is asked has learned from all labels, and "
    "may call it otherwise."
)
Name = tuple[int, int, int]
Wanted = tuple[CellRefs, NDArray[np.int64], str]


class AttentionPart(QObject):
    """Maps for the gallery and the viewer.

    Parameters
    ----------
    session
        Whose cells.
    runner
        Runs the work.
    wanted
        Returns the cells that maps are wanted of, the class of each, and the run whose model is asked.

    Signals
    -------
    changed : there are other maps to paint.
    explained : an `Attention` for the viewer, without cells when the switch is off.
    """

    changed = Signal()
    explained = Signal(object)

    def __init__(
        self, session: Session, runner: JobRunner, wanted: Callable[[], Wanted], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._runner, self._wanted = session, runner, wanted
        self._maps: dict[Name, tuple[QImage, Window, int]] = {}
        self._kept: list[Attention] = []
        self._asked: set[tuple[Name, int]] = set()
        self._run = ""
        self.button = QAction("Where the network looks", self)
        self.button.setCheckable(True)
        self.button.setToolTip(TIP)
        self.button.toggled.connect(self._on_toggled)
        self.note, self.silent = hint(""), hint("")
        self.silent.setToolTip(SILENT_TIP)
        for line in (self.note, self.silent):
            line.hide()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._start)
        self._job: Job | None = None
        runner.ended.connect(self._on_ended)

    @property
    def on(self) -> bool:
        """Whether maps are shown."""
        return bool(self.button.isChecked())

    def allow(self, on: bool) -> None:
        """Switch it off for somebody who may not know what a model says."""
        if not on:
            self.button.setChecked(False)
        self.button.setEnabled(on)

    def follow(self) -> None:
        """Look into the cells that are chosen or seen now, in a moment."""
        if self.on:
            self._timer.start()

    def forget(self) -> None:
        """Let go of all maps."""
        self._maps, self._kept, self._asked = {}, [], set()
        self.changed.emit()

    def paint(self, painter: QPainter, crop: QRectF, name: Name, window: Window) -> None:
        """Paint the map of a cell upon its crop, where it belongs: the crop shows more than the network sees."""
        found = self._maps.get(name) if self.on else None
        if found is None:
            return
        heat, (top, left, height, width), _ = found
        scale_y, scale_x = crop.height() / window[2], crop.width() / window[3]
        place = QRectF(
            crop.left() + (left - window[1]) * scale_x,
            crop.top() + (top - window[0]) * scale_y,
            width * scale_x,
            height * scale_y,
        )
        painter.save()
        painter.setClipRect(crop)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, heat)
        painter.restore()

    def close_link(self) -> None:
        """Stop; a job that is running ends with the window that started it."""
        self._timer.stop()
        self.button.blockSignals(True)
        self.button.setChecked(False)
        self._runner.ended.disconnect(self._on_ended)

    def _on_toggled(self, on: bool) -> None:
        self._say("")
        self._say_silent("")
        if on:
            self._timer.start(0)
        else:
            self._timer.stop()
            if self._job is not None:
                self._job.stop()
            self.explained.emit(Attention())
        self.changed.emit()

    def _start(self) -> None:
        if not self.on:
            return
        cells, classes, run = self._wanted()
        folder = self._folder(run)
        if folder is None:
            self._say(NO_MODEL)
            return
        if str(folder) != self._run:
            self._run = str(folder)
            self.forget()
        self._tell(cells)
        missing = self._missing(cells, classes)
        if not len(missing):
            return
        if self._runner.busy:
            if self._runner.job is not self._job:
                self._say("Something else is being worked on; this comes after it.")
            return
        self._begin(folder, cells.take(missing), classes[missing])

    def _missing(self, cells: CellRefs, classes: NDArray[np.int64]) -> NDArray[np.int64]:
        names = zip(_names(cells), classes.tolist(), strict=True)
        return np.array([place for place, one in enumerate(names) if one not in self._asked][:MOST], dtype=np.int64)

    def _begin(self, folder: Path, cells: CellRefs, classes: NDArray[np.int64]) -> None:
        self._say("")
        job = Job("looking where the network looks", _looking(folder, self._session.look(), cells, classes))
        job.returned.connect(lambda found: self._take(str(folder), cells, classes, found))
        job.failed.connect(self._on_failed)
        self._job = job
        self._runner.start(job)

    def _take(self, folder: str, cells: CellRefs, classes: NDArray[np.int64], found: Attention | None) -> None:
        if found is None or folder != self._run or not self.on:
            return
        self._asked |= set(zip(_names(cells), classes.tolist(), strict=True))
        for name, one, window, class_id in zip(
            _names(found.cells), found.maps, found.windows.tolist(), found.class_ids.tolist(), strict=True
        ):
            top, left, height, width = window
            self._maps[name] = (heat_image(one), (top, left, height, width), class_id)
        self._kept.append(found)
        self._say_silent(silent_text(found))
        self.changed.emit()
        self._tell(self._wanted()[0])

    def _tell(self, cells: CellRefs) -> None:
        """Tell the viewer the maps of the chosen cells."""
        chosen = self._session.chosen
        parts = [one.take(one.cells.isin(chosen)) for one in self._kept] if len(chosen) else []
        self.explained.emit(_joined([one for one in parts if len(one)]) if len(cells) else Attention())

    def _on_ended(self) -> None:
        self._job = None
        self.follow()

    def _on_failed(self, error: Exception) -> None:
        self.button.setChecked(False)
        if isinstance(error, CellStageError):
            self._say(str(error))
        else:
            show(error)

    def _folder(self, run: str) -> Path | None:
        project, found = self._session.project, self._session.predictions()
        name = run or (found.run if found is not None else "")
        return project.runs / name if project is not None and name else None

    def _say_silent(self, text: str) -> None:
        self.silent.setText(text)
        self.silent.setVisible(bool(text))

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text))


def silent_text(found: Attention) -> str:
    """Say in how many cells nothing speaks for the class; empty where there are none."""
    silent, count = int((found.maps.max(axis=(1, 2), initial=0) <= 0).sum()), len(found)
    if not silent:
        return ""
    return f"In {silent:,} of {count:,} cells nothing speaks for the predicted class."


def _looking(
    folder: Path, work: WorkSnapshot, cells: CellRefs, classes: NDArray[np.int64]
) -> Callable[[Callable[[], bool]], Generator[Any, None, Attention]]:
    def look(should_stop: Callable[[], bool]) -> Generator[Any, None, Attention]:
        from napari_cellstage.learn.attention import attend
        from napari_cellstage.learn.model import TrainedModel

        return (yield from attend(TrainedModel.load(folder), work, cells, classes, should_stop))

    return look


def heat_image(heat: NDArray[np.float32]) -> QImage:
    """Return a map ``(h, w)`` of 0 to 1 as a picture that is clear where nothing speaks for the class."""
    from napari.utils.colormaps import ensure_colormap

    height, width = heat.shape
    rgba = np.asarray(ensure_colormap("inferno").map(heat.ravel())).reshape(height, width, 4)
    argb = np.empty((height, width, 4), dtype=np.uint8)
    argb[..., :3] = rgba[..., 2::-1] * 255
    argb[..., 3] = heat * (STRONGEST * 255)
    return QImage(argb.data, width, height, 4 * width, QImage.Format.Format_ARGB32).copy()


def _names(cells: CellRefs) -> list[Name]:
    return list(zip(cells.image_id.tolist(), cells.t.tolist(), cells.cell_id.tolist(), strict=True))


def _joined(parts: list[Attention]) -> Attention:
    if not parts:
        return Attention()
    one_each = {name: place for place, name in enumerate(_names(CellRefs.joined(p.cells for p in parts)))}
    cells = CellRefs.joined(p.cells for p in parts)
    arrays = (np.concatenate([getattr(p, name) for p in parts]) for name in ("maps", "class_ids", "windows", "z"))
    return Attention(cells, *arrays).take(np.array(sorted(one_each.values()), dtype=np.int64))
