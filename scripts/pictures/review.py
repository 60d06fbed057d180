"""how-good.md: the Review step on real crops: matrix and gallery, lists, map, two runs, persons."""

from __future__ import annotations

import shutil

import numpy as np

from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.confusion import Confusion

from .places import DATA
from .window import Shot, window

CROPS = DATA / "mitocheck"
CLASSES = ("Interphase", "Prometaphase", "MetaphaseAlignment", "Metaphase", "Anaphase", "Apoptosis", "Polylobed")
PER_CLASS = 50
MOVIE = r"^(PLLT\d+_\d+--.*?___P\d+)"  # the field that a crop is of
FLIPPED = 0.05  # of the labels, so that there is something to find
PERSONS = {"Ada": 0.08, "Grace": 0.15, "Rita": 0.12}  # how often each says something else


def make() -> None:
    """Make the pictures."""
    if not CROPS.is_dir():
        print(f"There are no crops at {CROPS}; the pictures of the review stay as they are.")
        return
    with window("mitosis") as shot:
        truth = _open(shot)
        shot.train_quickly()
        _matrix(shot)
        _lists(shot)
        _map(shot)
        _correct(shot, truth)
        shot.train_quickly()
        _runs(shot)
        _people(shot, truth)


def _open(shot: Shot) -> np.ndarray:
    """Open some crops of each class, a few labelled wrong; return what is right."""
    folder = shot.folder / "crops"
    for name in CLASSES:
        files = sorted((CROPS / name).iterdir())
        chosen = files[:: max(len(files) // PER_CLASS, 1)][:PER_CLASS]
        (folder / name).mkdir(parents=True)
        for file in chosen:
            shutil.copy(file, folder / name / file.name)
    session = shot.session
    session.add_sheet(read_class_folders(folder, MOVIE), folder)
    shot.settle()
    truth = session.class_ids().copy()
    random = np.random.default_rng(5)
    for row in random.choice(len(truth), round(FLIPPED * len(truth)), replace=False).tolist():
        session.label_cells([row], int(random.choice([i for i in session.scheme.ids if i != truth[row]])))
    return truth


def _matrix(shot: Shot) -> None:
    shot.dock.go_to("Review")
    shot.wait(lambda: not shot.dock.review.panel._stale)
    panel = shot.dock.review.panel
    label, predicted, _count = Confusion.of(shot.session.review_table()).pairs()[0]
    panel.sections.open("Matrix").view.entry_wanted.emit(label, predicted)
    first = shot.session.shown.cells.take(slice(0, 1))
    shot.session.choose(first)
    shot.session.visit(int(first.image_id[0]), int(first.t[0]), int(first.cell_id[0]))
    shot.viewer.scene.camera.zoom *= 1.6
    shot.save("review.png")
    panel.enlarge()
    shot.settle(2)
    shot.save_dialog(panel.window_, "review-large.png")


def _lists(shot: Shot) -> None:
    panel = shot.dock.review.panel
    lists = panel.sections.open("Lists")
    shot.wait(lambda: lists.suspects.known)
    shot.wait(lambda: "looking" not in lists.list.item(0).text())
    lists.list.itemClicked.emit(lists.list.item(0))
    shot.settle(2)
    shot.save_dialog(panel.window_, "review-lists.png")


def _map(shot: Shot) -> None:
    panel = shot.dock.review.panel
    panel.sections.open("Map")
    shot.settle(3)
    shot.save_dialog(panel.window_, "review-map.png")


def _correct(shot: Shot, truth: np.ndarray) -> None:
    """Give the labels that were flipped their right class, as a user would who looks at the suspects."""
    session = shot.session
    wrong = np.flatnonzero(session.class_ids() != truth)
    for class_id in np.unique(truth[wrong]).tolist():
        cells = CellRefs.of(session.current_id or 0, session.cells(), wrong[truth[wrong] == class_id])
        session.label_refs(cells, class_id)


def _runs(shot: Shot) -> None:
    panel = shot.dock.review.panel
    runs = panel.sections.open("Runs")
    panel.refresh()
    runs.table.select(tuple(one.name for one in shot.session.runs()[:2]))
    runs.won.click()
    shot.settle(2)
    shot.save_dialog(panel.window_, "review-runs.png")


def _people(shot: Shot, truth: np.ndarray) -> None:
    """Let three persons label the same cells, and show how far they agree."""
    session, random = shot.session, np.random.default_rng(3)
    some = np.sort(random.choice(len(truth), 120, replace=False))
    for name, slips in PERSONS.items():
        session.annotator = name
        said = np.where(random.random(len(some)) < slips, random.choice(session.scheme.ids, len(some)), truth[some])
        for class_id in np.unique(said).tolist():
            session.label_cells(some[said == class_id], class_id)
    panel = shot.dock.review.panel
    panel.sections.open("People")
    panel.refresh()
    session.show_disputed()
    shot.settle(2)
    shot.save_dialog(panel.window_, "review-people.png")
    panel.come_back()
