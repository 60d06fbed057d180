"""Discs drawn by hand in a project of format 1, as that version painted them. Newer projects hold painted boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from napari_cellstage.core.volumes import LabelVolume


@dataclass(frozen=True)
class DrawnCell:
    """A cell the user added by hand: a disc of `diameter` pixels in one plane."""

    cell_id: int
    t: int
    z: int
    y: float
    x: float
    diameter: float


def draw_discs(labels: LabelVolume, cells: Iterable[DrawnCell]) -> None:
    """Paint discs onto the background of a volume, the later ones around the earlier."""
    from napari_cellstage.core.hand_cells import disc

    for cell in cells:
        part = disc(cell.y, cell.x, cell.diameter).within(*labels.shape[2:])
        (y, x), (height, width) = part.corner, part.mask.shape
        window = np.asarray(labels[cell.t, cell.z : cell.z + 1, y : y + height, x : x + width])
        labels.paint(cell.t, (cell.z, y, x), np.where(part.mask & (window == 0), cell.cell_id, window))
