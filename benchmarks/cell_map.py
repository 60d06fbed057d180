"""How fast the map of cells is: 10,000 points shown, recoloured, and chosen by a lasso.

python -m benchmarks.cell_map
"""

from __future__ import annotations

import tempfile
import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.table import Row, median_seconds
from napari_cellstage.core.images import from_array
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.screen import has_screen, virtual_screen
from napari_cellstage.session import Session

ACROSS, STEP = 100, 6  # 100 x 100 cells
SIZE = (380, 420)
MOST_S = 0.2


def rows() -> list[Row]:
    """Measure on a screen, a virtual one where there is none."""
    with ExitStack() as stack:
        if not has_screen():
            stack.enter_context(virtual_screen())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        warnings.simplefilter("ignore")
        return _measure(_session(Path(folder)))


def _measure(session: Session) -> list[Row]:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QApplication

    from napari_cellstage.ui.review.cell_map import CellMap
    from napari_cellstage.ui.theme import PanelTheme
    from napari_cellstage.ui.workers import JobRunner

    application = QApplication.instance() or QApplication([])
    shown = CellMap(session, JobRunner(), PanelTheme(ViewerModel()))
    shown.resize(*SIZE)
    shown.show()
    application.processEvents()
    angles = np.linspace(0, 2 * np.pi, 200)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    count = 0

    def refresh() -> None:
        shown.refresh()
        shown.plot.viewport().repaint()

    def lasso() -> None:
        nonlocal count
        count += 1  # another line each time, or nothing would change
        places = shown.plot.places
        line = places.mean(axis=0) + around * places.std(axis=0) * (1 + count / 100)
        shown.plot.canvas.drawn.emit(line, False)
        shown.plot.viewport().repaint()

    painted, chosen = median_seconds(refresh), median_seconds(lasso)
    shown.close_link()
    session.close()
    return [
        Row("map of 10,000 cells: shown and painted", f"{painted * 1000:.0f} ms", "<= 200 ms", painted <= MOST_S),
        Row("  a lasso: chosen, ringed and painted", f"{chosen * 1000:.0f} ms", "<= 200 ms", chosen <= MOST_S),
    ]


def _session(folder: Path) -> Session:
    session = Session(folder)
    side, rng = ACROSS * STEP, np.random.default_rng(0)
    labels = np.zeros((1, 1, side, side), dtype=np.int32)
    numbers = np.arange(1, ACROSS**2 + 1).reshape(ACROSS, ACROSS)
    labels[0, 0] = np.kron(numbers, np.pad(np.ones((STEP - 2, STEP - 2), dtype=np.int32), 1))
    session.add_image(from_array(np.zeros((1, 1, 1, side, side), dtype=np.uint8), "TCZYX", "field"))
    session.use_template("cell cycle")
    session.set_labels(labels)
    kinds = session.scheme.ids
    chances = rng.dirichlet(np.full(len(kinds), 0.3), ACROSS**2).astype(np.float32)
    embedding = rng.normal(size=(ACROSS**2, 64)).astype(np.float16)
    embedding[np.arange(ACROSS**2), chances.argmax(axis=1)] += 5
    unlike = rng.random(ACROSS**2).astype(np.float32) * 1.05
    part = np.zeros(ACROSS**2, dtype=np.uint8)
    found = Predictions(chances, kinds, part, "", embedding, unlike)
    session.set_predictions({session.current_id or 0: found}, session.snapshot().version)
    return session


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} {row.target}", flush=True)
