"""How soon the next image is there: 2048 x 2048 with 3,000 cells, overlays included, in a real window."""

from __future__ import annotations

import statistics
import tempfile
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from benchmarks.overlay import Canvas, window
from benchmarks.table import Row
from napari_cellstage.core.images import open_image
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.screen import has_screen, virtual_screen
from napari_cellstage.session import Session

SIDE, ACROSS, IMAGES = 2048, 55, 4  # 55 x 55 cells
TARGET = 0.300


def rows() -> list[Row]:
    """Measure going from image to image."""
    with ExitStack() as stack:
        if not has_screen():
            stack.enter_context(virtual_screen())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        warnings.simplefilter("ignore")
        return [_measure(Path(folder))]


def _measure(folder: Path) -> Row:
    session = _session(folder)
    with window(session) as (viewer, link):
        canvas = Canvas(viewer)
        first = [canvas.seconds(_step(session), run) for run in range(IMAGES - 1)]
        again = [canvas.seconds(_step(session), run) for run in range(2 * IMAGES)]
        link.close()
    session.close()
    seen, new = statistics.median(again), statistics.median(first)
    what = f"next image, {SIDE} x {SIDE} with {ACROSS**2:,} cells, overlays included"
    reached = f"{new * 1000:.0f} ms ({seen * 1000:.0f} ms where it was seen before)"
    return Row(what, reached, f"<= {TARGET * 1000:.0f} ms", new <= TARGET)


def _step(session: Session) -> Callable[[int], None]:
    def step(_run: int) -> None:
        if not session.go_to_image(1):
            ids = [image.image_id for image in session.images]
            session.set_current(ids[0])

    return step


def _session(folder: Path) -> Session:
    """Return a project as it is after opening it again: nothing of its images in memory."""
    session = Session(folder / "home")
    session.use_template("cell cycle")
    labels = _field()
    rng = np.random.default_rng(0)
    for number in range(IMAGES):
        pixels = rng.integers(200, 400, (2, *labels.shape)).astype(np.uint16) + (labels > 0) * np.uint16(900)
        file = folder / f"field {number}.ome.tif"
        tifffile.imwrite(file, pixels, metadata={"axes": "CYX"})
        image_id = session.add_image(open_image(file))
        session.set_labels(np.roll(labels, number, axis=0))
        session.label_cells(np.arange(0, len(session.cells()), 3), session.scheme.ids[number])
        chances = rng.dirichlet(np.full(len(session.scheme), 0.3), len(session.cells())).astype(np.float32)
        parts = np.zeros(len(chances), dtype=np.uint8)
        answer = {image_id: Predictions(chances, session.scheme.ids, parts)}
        session.set_predictions(answer, session.snapshot().version)
    project = session.project
    if project is None:
        raise RuntimeError("There is no project: the figure would be of nothing.")
    place = project.folder
    session.close()
    again = Session(folder / "home")
    again.open_project(place)
    again.set_current(again.images[0].image_id)
    return again


def _field() -> NDArray[np.int32]:
    step = SIDE // ACROSS
    y, x = np.mgrid[:step, :step] - step / 2 + 0.5
    ids = np.arange(1, ACROSS**2 + 1, dtype=np.int32).reshape(ACROSS, ACROSS)
    labels = np.zeros((SIDE, SIDE), dtype=np.int32)
    disc = (np.hypot(y, x) < step / 2 - 3).astype(np.int32)
    labels[: ACROSS * step, : ACROSS * step] = np.kron(ids, disc)
    return labels


if __name__ == "__main__":
    for row in rows():
        print(row)
