"""`napari-cellstage demo`: the main job on the built-in synthetic sample, in a window or in one that nobody sees."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.errors import CellStageError, TrainingError
from napari_cellstage.core.scoring.scores import Scores, score
from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.core.steps import finished
from napari_cellstage.core.store import free_folder
from napari_cellstage.sample_data import SampleField, cell_cycle_field
from napari_cellstage.screen import has_screen, virtual_screen
from napari_cellstage.window import open_viewer

if TYPE_CHECKING:
    from napari import Viewer
    from numpy.typing import NDArray

    from napari_cellstage.session import Session
    from napari_cellstage.ui.dock import CellStageDock

LABELLED_PER_CLASS = 10
# A demonstration, not a good training: a small network from scratch, so that nothing is fetched and it is over soon.
SHORT = {"network": "resnet18", "weights": "none", "epochs": 6, "views": 1}
SCREENSHOT = "screenshot.png"
_PAUSE = 0.02


def run_demo(*, headless: bool, out: Path) -> None:
    """Do the main job on the sample.

    Parameters
    ----------
    headless
        Without a window that the user sees; also when there is no screen.
    out
        Folder for the project with its runs, and for the screenshot of the headless demo.
    """
    if not headless and has_screen():
        _run_in_window(out, Console(soft_wrap=True))
    elif sys.platform.startswith("linux"):
        # In a process of its own: the screen must outlive the last window, which goes when Python ends.
        with virtual_screen():
            code = subprocess.call([sys.executable, "-m", __name__, str(out)])
        if code:
            sys.exit(code)
    else:
        _run_unseen(out, Console(soft_wrap=True), show=False)


def label_some(session: Session, truth: tuple[str, ...], per_class: int, seed: int = 0) -> NDArray[np.int64]:
    """Label some cells of every class of the scheme by the truth, as a user would by eye.

    Parameters
    ----------
    session
        With cells and classes.
    truth
        Class name of each cell of the current image; empty where unknown.
    per_class
        How many cells a class, or all where there are fewer.
    seed
        Which ones.

    Returns
    -------
    ndarray
        Rows that were labelled.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for one in session.scheme:
        of_class = np.flatnonzero(np.array(truth) == one.name)
        chosen = np.sort(rng.permutation(of_class)[:per_class])
        if len(chosen):
            session.label_cells(chosen, one.id)
        rows.append(chosen)
    return np.concatenate(rows).astype(np.int64)


def accuracy_elsewhere(session: Session, truth: tuple[str, ...]) -> Scores:
    """Compare the predictions of the current image with the truth, on cells that have no label."""
    found = session.predictions()
    if found is None:
        raise TrainingError("There are no predictions to compare with the truth. Train first.")
    names = session.scheme.names
    places = {name: place for place, name in enumerate(names)}
    asked = (session.class_ids() == UNLABELLED) & np.array([name in places for name in truth])
    predicted = np.array([session.scheme.position(i) if i else -1 for i in found.predicted.tolist()])
    asked &= predicted >= 0
    true = np.array([places.get(name, -1) for name in truth])
    return score(true[asked], predicted[asked], names)


def _run_in_window(out: Path, console: Console) -> None:
    import napari

    console.print("Making the synthetic sample and finding its cells ...")
    _, dock = open_viewer()
    _prepare(dock.session, cell_cycle_field(), out)
    dock.go_to("Train")
    console.print("Ten cells of each stage are labelled. Press Train, and look around meanwhile.")
    napari.run()


def _run_unseen(out: Path, console: Console, *, show: bool) -> None:
    start = time.perf_counter()
    console.print("The main job on the built-in synthetic sample, in a window that is not seen.")
    viewer, dock = open_viewer(show=show)
    try:
        field = cell_cycle_field()
        truth = _prepare(dock.session, field, out)
        counts = {name: sum(1 for one in truth if one == name) for name in field.class_names}
        console.print(f"{len(truth)} cells found: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
        dock.go_to("Train")
        _train(dock, console)
        scores = accuracy_elsewhere(dock.session, truth)
        save_screenshot(viewer, out / SCREENSHOT)
        _say_results(console, dock, scores, out)
    finally:
        viewer.close()
    console.print(f"Done in {time.perf_counter() - start:.0f} s.")


def _prepare(session: Session, field: SampleField, out: Path) -> tuple[str, ...]:
    """Put the sample into a new project, find its cells, label some; return the truth of every cell found."""
    out.mkdir(parents=True, exist_ok=True)
    session.new_project(free_folder(out, "demo"))
    session.add_image(field.stack)
    work = find_cells_in_stack(field.stack, SegmentSettings(channel=session.find_channel))
    session.set_labels(finished(work))
    session.use_template("cell cycle")
    labels = session.labels()
    truth = field.truth_of(labels) if labels is not None else ()
    label_some(session, truth, LABELLED_PER_CLASS)
    return truth


def _train(dock: CellStageDock, console: Console) -> None:
    """Press Train and wait as a user does, with the window alive."""
    from qtpy.QtWidgets import QApplication

    dock.train.set_recipe(**SHORT)
    console.print("Training: quick, then a small network for a few epochs ...")
    dock.train.start()
    while dock.runner.busy:
        QApplication.processEvents()
        time.sleep(_PAUSE)
    QApplication.processEvents()


def save_screenshot(viewer: Viewer, file: Path) -> None:
    """Write a picture of the whole window, without napari's passing notices."""
    import imageio.v3 as imageio
    from qtpy.QtWidgets import QApplication

    for widget in QApplication.allWidgets():
        if type(widget).__name__ == "NapariQtNotification":
            widget.close()
    QApplication.processEvents()
    imageio.imwrite(file, viewer.screenshot(canvas_only=False, flash=False))


def _say_results(console: Console, dock: CellStageDock, scores: Scores, out: Path) -> None:
    project = dock.session.project
    found = dock.session.predictions()
    console.print(f"Accuracy on cells it was not given: {scores.text}, balanced {scores.balanced_accuracy:.2f}")
    if project is not None and found is not None:
        console.print(f"Model and table: {project.runs / found.run}")
    console.print(f"Screenshot: {out / SCREENSHOT}")


def main(out: Path) -> int:
    """Run the demo on the screen there is, unseen; return the exit code."""
    try:
        _run_unseen(out, Console(soft_wrap=True), show=True)
    except CellStageError as error:
        Console(stderr=True, soft_wrap=True).print(f"Error: {error}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
