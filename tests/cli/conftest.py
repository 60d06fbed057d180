"""Tiny data and one quick run for the tests of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from napari_cellstage.cli import app
from tests.cli.stain_images import TINY, pixels, write

GROUPS = 6
EACH = 3
Invoke = Callable[..., Any]


def run_cli(*arguments: object) -> Any:
    """Run the command line in this process."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture(scope="session")
def invoke() -> Invoke:
    return run_cli


def disc(radius: float, light: float, size: int = 32, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """A bright disc on a noisy background."""
    y, x = np.ogrid[:size, :size]
    noise = np.random.default_rng(seed).normal(100, 5, (size, size))
    return (noise + light * ((y - size // 2) ** 2 + (x - size // 2) ** 2 <= radius**2)).astype(np.uint16)


@pytest.fixture(scope="session")
def class_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of crops, small and large discs, of several movies each; names have spaces and an emoji."""
    root = tmp_path_factory.mktemp("crops")
    for place, (name, radius) in enumerate({"small": 4, "large one 🔬": 10}.items()):
        (root / name).mkdir()
        for number in range(GROUPS * EACH):
            crop = disc(radius + number % 3, 400, seed=1000 * place + number)
            tifffile.imwrite(root / name / f"movie{number // EACH}_{number}.tif", crop)
    return root


@pytest.fixture(scope="session")
def run(class_folders: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A run of the quick recipe on those, and what training it answered."""
    out = tmp_path_factory.mktemp("runs") / "first"
    options = ("--recipe", "quick", "--out", out, "--group-from", r"movie\d+", "--seed", 3, "--device", "cpu", "--json")
    return out, run_cli("train", class_folders, *options, "--folds", 5)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A field of eight discs."""
    field = np.zeros((128, 256), dtype=np.uint16)
    for place in range(8):
        y, x = divmod(place, 4)
        radius = 5 if place % 2 else 11
        field[y * 64 : y * 64 + 64, x * 64 : x * 64 + 64] = disc(radius, 400, size=64, seed=place)
    file = tmp_path_factory.mktemp("images") / "a field.tif"
    tifffile.imwrite(file, field)
    return file


@pytest.fixture(scope="session")
def tiny_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe of stains that trains in a second."""
    file = tmp_path_factory.mktemp("recipes") / "tiny.toml"
    file.write_text(TINY, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def pair_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images in two folders, each with transmitted light and two stains."""
    root = tmp_path_factory.mktemp("pairs")
    for number in range(4):
        write(root / f"day {number % 2}" / f"image {number}.tif", pixels(number))
    return root


@pytest.fixture(scope="session")
def stain_run(pair_folder: Path, tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A model of both stains, and what its training answered."""
    out = tmp_path_factory.mktemp("stain runs") / "first"
    options = ("--input", "bright field", "--target", "DNA,actin", "--recipe", tiny_recipe, "--out", out)
    return out, run_cli("stain", "train", pair_folder, *options, "--seed", 1, "--json")
