"""Pictures of cells for the gallery: read in a worker for what is seen, kept for a while, never waited for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.ui.review.crop_looks import CropLooks, Picture
from napari_cellstage.ui.workers import Job, JobRunner

CHUNK = 48  # cells that are read before they are shown
KEPT_BYTES = 256 << 20
LEAST_THREADS = 4
Name = tuple[int, int, int]  # image, t, cell


@dataclass
class _Wishes:
    """What is wanted now; written by the window, read by the worker."""

    names: list[Name] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, names: Sequence[Name]) -> None:
        with self.lock:
            self.names = list(names)

    def next(self) -> list[Name]:
        """Take the first cells, of one image only, so that each image is opened once."""
        with self.lock:
            first = self.names[0][0] if self.names else 0
            taken = [name for name in self.names if name[0] == first][:CHUNK]
            gone = set(taken)
            self.names = [name for name in self.names if name not in gone]
            return taken


class CropReader(QObject):
    """Reads pictures.

    Signals
    -------
    arrived : new pictures are there.
    """

    arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.runner = JobRunner(self)
        self.runner.ended.connect(self._go_on)
        # Qt gives workers as many threads as there are cores; a training must not keep crops from being read.
        pool = QThreadPool.globalInstance()
        pool.setMaxThreadCount(max(pool.maxThreadCount(), LEAST_THREADS))
        self._looks: CropLooks | None = None
        self._wishes = _Wishes()
        self._kept: OrderedDict[Name, Picture] = OrderedDict()
        self._bytes = 0

    @property
    def busy(self) -> bool:
        """Whether pictures are on their way."""
        return self.runner.busy

    def look_at(self, looks: CropLooks) -> None:
        """Read from this state of the project from now on; what was read before stays unless `forget` is called."""
        self._looks, self._wishes = looks, _Wishes()
        self.runner.stop()

    def forget(self, image_id: int | None = None) -> None:
        """Let go of the pictures of one image, or of all."""
        for name in [name for name in self._kept if image_id is None or name[0] == image_id]:
            self._bytes -= _size(self._kept.pop(name))

    def picture(self, name: Name) -> Picture | None:
        """Return a picture that has been read; None: not yet."""
        return self._kept.get(name)

    def want(self, names: Sequence[Name]) -> None:
        """Read these, the first ones first, and nothing that was wanted before."""
        for name in names:
            if name in self._kept:
                self._kept.move_to_end(name)
        self._wishes.put([name for name in names if name not in self._kept])
        self._go_on()

    def close_link(self) -> None:
        """End the work."""
        self._wishes.put(())
        self.runner.close()

    def _go_on(self) -> None:
        if self.runner.busy or self._looks is None or not self._wishes.names:
            return
        looks, wishes = self._looks, self._wishes
        job = Job("reading crops", _reading(looks, wishes))
        job.progressed.connect(lambda read: self._take(looks, read))
        job.failed.connect(self._on_failed)
        self.runner.start(job)

    def _take(self, looks: CropLooks, read: tuple[list[Name], list[Picture]]) -> None:
        if looks is not self._looks:
            return  # cells may have changed since
        for name, picture in zip(*read, strict=True):
            if name in self._kept:
                self._bytes -= _size(self._kept.pop(name))
            self._kept[name] = picture
            self._bytes += _size(picture)
        while self._bytes > KEPT_BYTES and len(self._kept) > CHUNK:
            self._bytes -= _size(self._kept.popitem(last=False)[1])
        self.arrived.emit()

    def _on_failed(self, error: Exception) -> None:
        self._wishes.put(())  # it would fail again, without end
        from napari_cellstage.ui.notices import show

        show(error)


def _reading(looks: CropLooks, wishes: _Wishes) -> Callable[[Callable[[], bool]], Generator[Any, None, None]]:
    def work(should_stop: Callable[[], bool]) -> Generator[Any, None, None]:
        while not should_stop() and (names := wishes.next()):
            yield names, looks.pictures(CellRefs(*np.array(names, dtype=np.int64).T))

    return work


def _size(picture: Picture) -> int:
    held = [one.nbytes for one in (picture.pixels, picture.outline) if one is not None]
    return 200 + sum(held)
