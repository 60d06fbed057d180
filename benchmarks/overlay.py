"""How fast a label or a prediction is seen: a 4096 x 4096 field with 100,000 cells in a real window.

Software OpenGL, as under Xvfb, spends most of each figure on the repaint itself; the bare repaint is given beside.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import Row
from napari_cellstage.core.images import from_array
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.screen import has_screen, virtual_screen
from napari_cellstage.session import Session

if TYPE_CHECKING:
    from napari import Viewer

    from napari_cellstage.ui.viewer_link import ViewerLink

SIZE, ACROSS = 4096, 317  # 317 x 317 cells
RUNS = 5
MOST_COLORS = 65_000
LONGEST = 30.0  # seconds that a repaint may take before the measurement gives up
WINDOW = (1280, 800)


def rows() -> list[Row]:
    """Measure labelling one cell and recolouring all."""
    with ExitStack() as stack:
        if not has_screen():
            stack.enter_context(virtual_screen())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        warnings.simplefilter("ignore")
        return _measure(Path(folder))


def _measure(folder: Path) -> list[Row]:
    session = _session(folder)
    cells = len(session.cells())
    with window(session) as (viewer, link):
        canvas = Canvas(viewer)
        bare = canvas.median(canvas.ask_for_paint)
        key = canvas.median(_key_press(canvas, session, link))
        recolour = canvas.median(_new_predictions(session))
        link.close()
        direct = canvas.median(_direct_colormap(viewer, session), runs=3)
    session.close()
    return [
        Row(f"bare repaint of the canvas, {cells:,} cells", _ms(bare), "reported"),
        Row("one cell labelled: key press to repainted canvas", _ms(key), "<= 50 ms", key <= 0.050),
        Row(
            "  against a DirectLabelColormap of 65,000 colours", f"{direct / key:.0f} x", ">= 10 x", direct >= 10 * key
        ),
        Row("all cells recoloured after a prediction", _ms(recolour), "<= 100 ms", recolour <= 0.100),
    ]


class Canvas:
    """A napari canvas with a clock that stops when it has been painted."""

    def __init__(self, viewer: Viewer) -> None:
        from qtpy.QtWidgets import QApplication

        self._application = QApplication.instance()
        self._scene: Any = viewer.window._qt_viewer.canvas._scene_canvas
        self.native: Any = viewer.window._qt_viewer.canvas.native
        self._painted = 0
        self._scene.events.draw.connect(self._on_draw, position="last")

    def ask_for_paint(self, _run: int) -> None:
        """Change nothing and paint."""
        self._scene.update()

    def median(self, change: Callable[[int], None], runs: int = RUNS) -> float:
        """Return the median seconds from a change to the painted canvas, after one change that is not counted."""
        return statistics.median([self.seconds(change, run) for run in range(runs + 1)][1:])

    def seconds(self, change: Callable[[int], None], run: int) -> float:
        """Return the seconds from a change to the painted canvas."""
        for _ in range(10):
            self._application.processEvents()
            time.sleep(0.01)
        seen, start = self._painted, time.perf_counter()
        change(run)
        while self._painted == seen and time.perf_counter() - start < LONGEST:
            self._application.processEvents()
        return time.perf_counter() - start

    def _on_draw(self, _event: object) -> None:
        self._painted += 1


def _key_press(canvas: Canvas, session: Session, link: ViewerLink) -> Callable[[int], None]:
    """Give the selected cell another class with each press of a real key."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    row = len(session.cells()) // 2
    link.selected_row = row
    keys = (Qt.Key.Key_1, Qt.Key.Key_2)

    def press(run: int) -> None:
        QTest.keyClick(canvas.native, keys[run % 2])
        if session.class_ids()[row] != session.scheme.ids[run % 2]:
            raise RuntimeError(f"Key {run % 2 + 1} gave no label: the figure would be of nothing.")

    return press


def _new_predictions(session: Session) -> Callable[[int], None]:
    count, kinds = len(session.cells()), session.scheme.ids
    answers = [
        np.random.default_rng(seed).dirichlet(np.full(len(kinds), 0.3), count).astype(np.float32) for seed in (0, 1)
    ]

    def answer(run: int) -> None:
        parts = np.zeros(count, dtype=np.uint8)
        session.set_predictions({session.current_id or 0: Predictions(answers[run % 2], kinds, parts)}, version)

    version = session.snapshot().version
    return answer


def _direct_colormap(viewer: Viewer, session: Session) -> Callable[[int], None]:
    """Show the cells as napari alone would: a Labels layer with a colour for each, set anew for one changed cell.

    Without numba napari takes at most 65,536 of them; the other cells share one colour, to that side's advantage.
    """
    from napari.utils.colormaps import DirectLabelColormap

    ids = session.cells().cell_id[:MOST_COLORS].tolist()
    rng = np.random.default_rng(0)
    colors: dict[int | None, NDArray[np.float32]] = dict(
        zip(ids, rng.random((len(ids), 4), dtype=np.float32), strict=True)
    )
    colors[None] = colors[0] = np.zeros(4, dtype=np.float32)
    layer = viewer.add_labels(_field())

    def recolor(_run: int) -> None:
        colors[ids[len(ids) // 2]] = rng.random(4, dtype=np.float32)
        layer.colormap = DirectLabelColormap(color_dict=colors)

    return recolor


def _session(folder: Path) -> Session:
    labels = _field()
    pixels = np.random.default_rng(0).integers(200, 400, labels.shape).astype(np.uint16) + (labels > 0) * np.uint16(900)
    session = Session(folder)
    session.use_template("cell cycle")
    session.add_image(from_array(pixels, "YX", "100,000 cells"))
    session.set_labels(labels)
    return session


def _field() -> NDArray[np.int32]:
    """Discs on a grid, each with an id of its own."""
    step = SIZE // ACROSS
    y, x = np.mgrid[:step, :step] - step / 2 + 0.5
    disc = np.hypot(y, x) < step / 2 - 1
    ids = np.arange(1, ACROSS**2 + 1, dtype=np.int32).reshape(ACROSS, ACROSS)
    labels = np.zeros((SIZE, SIZE), dtype=np.int32)
    labels[: ACROSS * step, : ACROSS * step] = np.kron(ids, disc.astype(np.int32))
    return labels


@contextmanager
def window(session: Session) -> Iterator[tuple[Viewer, ViewerLink]]:
    import napari

    from napari_cellstage.ui.viewer_link import ViewerLink

    viewer = napari.Viewer()
    viewer.window._qt_window.resize(*WINDOW)
    link = ViewerLink(viewer, session)
    _new_predictions(session)(0)
    yield viewer, link
    viewer.close()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
