"""A project of 10,000 real cells in ten images, a thousand of them labelled: mosaics of mitocheck's crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cellstage.core.folders import CropSet, read_class_folders
from napari_cellstage.core.images import from_array
from napari_cellstage.session import Session

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "mitocheck"
IMAGES, ACROSS, DOWN = 10, 40, 25
SIDE = 64  # of a tile
LABELLED = 100  # cells an image


def make(session: Session) -> list[list[int]]:
    """Put images, cells and labels into a session; return the true class id of each cell, image by image."""
    crops = read_class_folders(DATA, None)
    ids = [session.add_class(name) for name in crops.classes]
    rng, truths = np.random.default_rng(0), []
    tiles = _tiles(crops)
    for number in range(IMAGES):
        chosen = rng.permutation(len(tiles))[: ACROSS * DOWN]
        pixels = tiles[chosen].reshape(DOWN, ACROSS, SIDE, SIDE).swapaxes(1, 2).reshape(DOWN * SIDE, ACROSS * SIDE)
        session.add_image(from_array(pixels, "YX", f"mosaic {number}"))
        session.set_labels(_discs())
        truth = [ids[crops.labels[place]] for place in chosen]
        for class_id in ids:
            rows = [row for row in range(LABELLED) if truth[row] == class_id]
            if rows:
                session.label_cells(rows, class_id)
        truths.append(truth)
    return truths


def _tiles(crops: CropSet) -> np.ndarray:
    """Return the crops in their middle 64 x 64 pixels, ``(N, 64, 64)``, mirrored where they are smaller."""
    from napari_cellstage.learn.predict import resized

    return resized(crops.crops[:, 0], SIDE)


def _discs() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
    disc = np.hypot(y, x) < SIDE * 0.3
    ids = np.arange(1, ACROSS * DOWN + 1, dtype=np.int32).reshape(DOWN, ACROSS)
    return np.kron(ids, disc.astype(np.int32))
