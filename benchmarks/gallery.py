"""How fast the gallery is: 10,000 crops in a real window, filled, painted and scrolled, reading included."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.table import Row
from napari_cellstage.core.images import from_array
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.screen import has_screen, virtual_screen
from napari_cellstage.session import Session

if TYPE_CHECKING:
    from napari_cellstage.ui.review.gallery import Gallery

SIDE, ACROSS = 64, 100  # 100 x 100 cells, 64 pixels each
FRAMES = 120
CLICKS = 5
WINDOW = (1280, 800)
LONGEST = 30.0


def rows() -> list[Row]:
    """Measure the first paint, scrolling, and a click in the matrix."""
    os.environ.setdefault("QT_API", "pyqt5")
    with ExitStack() as stack:
        if not has_screen():
            stack.enter_context(virtual_screen())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        warnings.simplefilter("ignore")
        session = _session(Path(folder))
        with _gallery(session) as gallery:
            measured = _measure(session, gallery)
        session.close()
        return measured


def _measure(session: Session, gallery: Gallery) -> list[Row]:
    everything = CellRefs.of(session.current_id or 0, session.cells())
    session.review_table()  # the matrix that is clicked has been painted from it
    first = _filled(session, gallery, everything)
    clicks = statistics.median(
        _filled(session, gallery, everything.take(np.random.default_rng(seed).permutation(len(everything))))
        for seed in range(CLICKS)
    )
    slowly, jumping = _scrolling(gallery, 40), _scrolling(gallery, 2000)
    key = _key(session, gallery)
    return [
        Row("gallery of 10,000 crops: first paint, crops read", _ms(first), "<= 300 ms", first <= 0.3),
        Row("  click in the matrix to filled gallery", _ms(clicks), "<= 200 ms", clicks <= 0.2),
        Row("  scrolling a step at a time", f"{slowly:.0f} frames a second", ">= 30", slowly >= 30),
        Row("  scrolling by screens", f"{jumping:.0f} frames a second", ">= 30", jumping >= 30),
        Row("  100 chosen cells relabelled by a key, painted", _ms(key), "reported"),
    ]


def _filled(session: Session, gallery: Gallery, cells: CellRefs) -> float:
    """Return the seconds until all crops that are seen have been painted; none was read before."""
    from qtpy.QtWidgets import QApplication

    gallery.reader.forget()
    QApplication.processEvents()
    start = time.perf_counter()
    session.show_cells(cells, "interphase, predicted as prophase", "loss")
    _until(lambda: _complete(gallery))
    gallery.grid.viewport().repaint()
    return time.perf_counter() - start


def _scrolling(gallery: Gallery, step: int) -> float:
    """Return frames a second while scrolling; what is read meanwhile counts, a frame is a whole repaint."""
    from qtpy.QtCore import QEvent, QObject

    class Painted(QObject):
        """Counts paints of the tiles."""

        count = 0

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
            self.count += event.type() == QEvent.Type.Paint
            return False

    painted = Painted()
    gallery.grid.viewport().installEventFilter(painted)

    bar = gallery.grid.verticalScrollBar()
    bar.setValue(0)
    _until(lambda: _complete(gallery))
    painted.count, start = 0, time.perf_counter()
    for frame in range(FRAMES):
        before = painted.count
        bar.setValue((frame + 1) * step % max(bar.maximum(), 1))
        _until(lambda before=before: painted.count > before)
    gallery.grid.viewport().removeEventFilter(painted)
    return FRAMES / (time.perf_counter() - start)


def _key(session: Session, gallery: Gallery) -> float:
    mask = np.zeros(gallery.grid.count, dtype=bool)
    mask[:100] = True
    gallery.choose_where(mask)
    start = time.perf_counter()
    gallery.keys.give(session.scheme.ids[1])
    gallery.grid.viewport().repaint()
    return time.perf_counter() - start


def _complete(gallery: Gallery) -> bool:
    shown = gallery.shown
    seen = gallery.grid.seen
    return shown is not None and all(gallery.reader.picture(shown.name(place)) is not None for place in seen)


def _until(done: Callable[[], bool]) -> None:
    from qtpy.QtWidgets import QApplication

    end = time.perf_counter() + LONGEST
    while not done():
        QApplication.processEvents()
        time.sleep(0.001)  # a window sleeps between events; without that the worker waits for the interpreter's lock
        if time.perf_counter() > end:
            raise RuntimeError(f"The gallery was not filled in {LONGEST:g} s: the figure would be of nothing.")


def _session(folder: Path) -> Session:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
    disc = (np.hypot(y, x) < SIDE / 3).astype(np.int32)
    labels = np.kron(np.arange(1, ACROSS**2 + 1, dtype=np.int32).reshape(ACROSS, ACROSS), disc)
    pixels = rng.integers(200, 1200, labels.shape, dtype=np.uint16) + (labels > 0) * np.uint16(900)
    session = Session(folder)
    session.use_template("cell cycle")
    session.add_image(from_array(pixels, "YX", "10,000 cells"))
    session.set_labels(labels)
    count, kinds = len(session.cells()), session.scheme.ids
    session.label_cells(np.arange(0, count, 3), kinds[0])
    chances = rng.dirichlet(np.full(len(kinds), 0.3), count).astype(np.float32)
    answer = Predictions(chances, kinds, np.zeros(count, dtype=np.uint8))
    session.set_predictions({session.current_id or 0: answer}, session.snapshot().version)
    return session


@contextmanager
def _gallery(session: Session) -> Iterator[Gallery]:
    import napari

    from napari_cellstage.ui.review.gallery import Gallery
    from napari_cellstage.ui.theme import PanelTheme
    from napari_cellstage.ui.workers import JobRunner

    viewer = napari.Viewer(show=False)
    theme, runner = PanelTheme(viewer), JobRunner()
    gallery = Gallery(session, runner, theme)
    gallery.resize(*WINDOW)
    gallery.show()
    yield gallery
    gallery.close_link()
    gallery.close()
    theme.close_link()
    viewer.close()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
