"""A project of many images with many cells, for the figures of large projects. All its cells are labelled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from napari_cellstage.core.images import open_image
from napari_cellstage.session import Session

SIDE = 384  # 32 x 32 cells of 12 pixels, less those that are left out to make a thousand
PER_ROW, PITCH = 32, 12


def cells(count: int) -> np.ndarray:
    """Return a plane of square cells, ``(SIDE, SIDE)`` int32."""
    labels = np.zeros((SIDE, SIDE), dtype=np.int32)
    for number in range(count):
        y, x = (PITCH * place + 2 for place in divmod(number, PER_ROW))
        labels[y : y + 8, x : x + 8] = number + 1
    return labels


def make(folder: Path, images: int, per_image: int) -> Path:
    """Make image files and the project of them; return its folder."""
    labels = cells(per_image)
    rng = np.random.default_rng(0)
    files = [folder / f"plate {number // 100}" / f"field {number:04d}.tif" for number in range(images)]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        light = 40 * (labels > 0) + rng.integers(0, 30, labels.shape)
        tifffile.imwrite(file, light.astype(np.uint8))
    session = Session(folder)
    session.new_project(folder / "many.cellstage")
    session.use_template("cell cycle")
    numbers = session.add_images([open_image(file) for file in files])
    for number in numbers:
        session.set_labels(labels, number)
    session.label_images(numbers, 2)
    for number in numbers:  # the list of images is not all alike
        session.label_cells(np.arange(number % 7), 3, number)
    session.set_current(numbers[0])
    session.close()
    return folder / "many.cellstage"
