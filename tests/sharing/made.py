"""Tiny runs to hand on: of class folders with two channels and movies, and of a project; and what else they need."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.images import open_image
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import save_run
from napari_cellstage.learn.validating import cross_validated
from napari_cellstage.session import Session
from napari_cellstage.sharing.source import read_source
from napari_cellstage.sharing.write import write_bundle

QUICK = Recipe.load("quick").but(device="cpu", threads=1, classifier="linear", folds=2, crop_size=24)
GROUP_FROM = r"movie\d+"
Play = Callable[[Generator[Any, None, Any]], Any]


def play(work: Generator[Any, None, Any]) -> Any:
    """Run a generator to its end; return what it returned."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def train(cells: TrainingSet, recipe: Recipe, out: Path, **card: Any) -> Path:
    """Train, save as the command line does, cross-validate where the recipe says so."""
    model = play(fit(cells, recipe))
    model.card.update(card)
    save_run(out, model, [], cells)
    if recipe.folds > 1:
        play(cross_validated(cells, recipe, out))
    return out


def cell(radius: float, seed: int, size: int = 24) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Two channels: a faint disc in noise, and noise alone."""
    y, x = np.ogrid[:size, :size]
    noise = np.random.default_rng(seed).normal(300, 60, (2, size, size))
    noise[0] += 40 * ((y - size // 2) ** 2 + (x - size // 2) ** 2 <= radius**2)
    return noise.astype(np.uint16)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders; sizes differ, one name is not for every system, one cell lies in two movies."""
    root = tmp_path_factory.mktemp("home of anna") / "the crops"
    for place, (name, radius) in enumerate({"=small": 3, "large|one 🔬": 8}.items()):
        (root / name).mkdir(parents=True)
        for number in range(12):
            size = 24 if number else 20
            pixels = cell(radius + number % 3, 100 * place + number, size)
            file = root / name / f"movie{number // 3}_{number}.tif"
            tifffile.imwrite(file, pixels, photometric="minisblack", metadata={"axes": "CYX"})
    return root


@pytest.fixture(scope="session")
def run(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quick run of them, cross-validated."""
    data = TrainingSet.from_crops(read_class_folders(folders, GROUP_FROM).hashed(), QUICK)
    return train(data, QUICK, tmp_path_factory.mktemp("runs") / "first", data=str(folders), group_from=GROUP_FROM)


@pytest.fixture(scope="session")
def bundle(run: Path, folders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a bundle; do not change it."""
    return share(run, folders, tmp_path_factory.mktemp("shared") / "first")


def share(run: Path, data: Path, out: Path, **how: Any) -> Path:
    """Write a bundle."""
    from napari_cellstage.learn.model import read_card

    play(write_bundle(run, read_source(data, read_card(run)), out, data_folder=data, **how))
    return out


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, Path]:
    """A project of a field of sixteen cells, and a run in it."""
    field = np.random.default_rng(0).normal(200, 20, (128, 128)).astype(np.uint16)
    for place in range(16):
        y, x = divmod(place, 4)
        field[y * 32 : y * 32 + 24, x * 32 : x * 32 + 24] += cell(9 if place % 2 else 5, place)[0] * np.uint16(3)
    tifffile.imwrite(tmp_path / "field of anna.tif", field)
    session = Session()
    session.new_project(tmp_path / "mine.cellstage")
    session.add_image(open_image(tmp_path / "field of anna.tif"))
    labels = np.zeros(field.shape, dtype=np.int32)
    for place in range(16):
        y, x = divmod(place, 4)
        labels[y * 32 + 4 : y * 32 + 20, x * 32 + 4 : x * 32 + 20 - 4 * (place % 2)] = place + 1
    session.set_labels(labels)
    for name in ("small", "large"):
        session.add_class(name)
    for row in range(14):
        session.label_cells(np.array([row]), 1 + row % 2)
    recipe = QUICK.but(folds=0, crop="cell", surroundings="masked", normalise="image")
    data = TrainingSet.from_snapshot(session.snapshot(), recipe)
    session.close()
    return tmp_path / "mine.cellstage", train(data, recipe, tmp_path / "mine.cellstage" / "runs" / "one")
