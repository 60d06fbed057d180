"""Built-in synthetic sample with its truth: a field of dividing cells. `sample_cells` draws the single cells.

Nothing here is real data, and names say so. It is for trying the plugin out, for the demo and for tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.sample_cells import REACH, STAGES, TILE, Brush, DrawnCell, draw_cell

PIXEL_SIZE_UM = 0.4
MITOTIC_SHARE = 0.08
BLURRED_SHARE = 0.07
_PHOTONS = {"DNA": 900.0, "tubulin": 700.0}
_GLOW = {"DNA": 25.0, "tubulin": 60.0}
_OFFSET, _READ_NOISE = 100.0, 4.0
_EDGE = 10
_TRIES = 40


@dataclass(frozen=True)
class SampleField:
    """A synthetic field and the truth about it.

    Parameters
    ----------
    stack
        DNA and tubulin as uint16 here; other samples have channels of their own.
    labels
        ``(1, 1, Y, X)`` int32; true nuclei or cells, ids 1..n. Both halves of a cell in anaphase or telophase have one
        id, as they are one cell; finding nuclei will split most of them, and each half then counts as a cell of that
        class.
    class_names
        The stages or doses.
    classes_of
        ``(n,)`` the class of cell id i + 1 at place i.
    """

    stack: ImageStack
    labels: NDArray[np.int32]
    class_names: tuple[str, ...]
    classes_of: NDArray[np.str_]

    def truth_of(self, found: Labels | LabelVolume) -> tuple[str, ...]:
        """Return the true stage of each cell found.

        Parameters
        ----------
        found
            ``(1, 1, Y, X)`` or ``(Y, X)`` segmentation of this field.

        Returns
        -------
        tuple of str
            One a row of ``CellTable.from_labels(found)``: the class of the true cell that covers more than half of
            the cell found, else an empty string.

        Raises
        ------
        CellsError
            If the segmentation has another shape than the field.
        """
        plane, truth = np.squeeze(np.asarray(found)), self.labels[0, 0]
        if plane.shape != truth.shape:
            raise CellsError(
                f"The labels have the shape {np.shape(found)}, the sample has {self.labels.shape}. "
                "Find the cells in the sample itself."
            )
        cells = CellTable.from_labels(plane[None, None])
        return tuple(self._majority(plane, truth, cells, row) for row in range(len(cells)))

    def _majority(self, plane: Labels, truth: Labels, cells: CellTable, row: int) -> str:
        _, y0, x0, _, y1, x1 = cells.bbox[row]
        under = truth[y0:y1, x0:x1][plane[y0:y1, x0:x1] == cells.cell_id[row]]
        counts = np.bincount(under)
        most = int(counts.argmax())
        return str(self.classes_of[most - 1]) if most and counts[most] * 2 > len(under) else ""


def cell_cycle_field(seed: int = 0, size: int = 2048, cells: int = 600) -> SampleField:
    """Make a field of HeLa-like cells in six stages, most in interphase.

    Light is uneven, the camera adds shot and read noise, nuclei touch, some cells are out of focus or cut by the edge.

    Parameters
    ----------
    seed
        Same seed, same field.
    size
        Side in pixels.
    cells
        How many cells; 8 % in each of the five mitotic stages.
    """
    rng = np.random.default_rng(seed)
    stages = mixed_stages(rng, cells)
    centres = placed(rng, [REACH[stage] for stage in stages], size)
    brush = Brush(rng)
    light = np.zeros((2, size + 2 * TILE, size + 2 * TILE), dtype=np.float32)
    labels = np.zeros(light.shape[1:], dtype=np.int32)
    for cell_id, (stage, (y, x)) in enumerate(zip(stages, centres, strict=True), start=1):
        cell = draw_cell(stage, brush)
        window = np.s_[y + TILE // 2 : y + TILE // 2 + TILE, x + TILE // 2 : x + TILE // 2 + TILE]
        light[:, *window] += _seen(cell, rng)
        labels[window][cell.mask & (labels[window] == 0)] = cell_id
    inner = np.s_[TILE : TILE + size, TILE : TILE + size]
    pixels = photographed(light[:, *inner], rng)
    stack = from_array(
        pixels,
        "CYX",
        f"synthetic cell cycle field (seed {seed})",
        channel_names=("DNA", "tubulin"),
        pixel_size_um=(1.0, PIXEL_SIZE_UM, PIXEL_SIZE_UM),
    )
    return SampleField(stack, labels[inner][None, None].copy(), STAGES, np.array(stages))


def mixed_stages(rng: np.random.Generator, cells: int) -> list[str]:
    """Return the stage of each cell: a fixed share in each mitotic stage, all others in interphase."""
    each = round(MITOTIC_SHARE * cells)
    stages = [stage for stage in STAGES[1:] for _ in range(each)][:cells]
    stages += [STAGES[0]] * (cells - len(stages))
    return [str(stage) for stage in rng.permutation(stages)]


def placed(rng: np.random.Generator, reaches: list[float], size: int) -> NDArray[np.intp]:
    """Place cells at random without overlap where there is room, a third of them close to a neighbour."""
    centres = np.zeros((len(reaches), 2))
    reach = np.asarray(reaches)
    for n in range(len(reaches)):
        tries = rng.uniform(_EDGE, size - _EDGE, (_TRIES, 2))
        apart = np.hypot(*(tries[:, None] - centres[None, :n]).transpose(2, 0, 1)) - (reach[:n] + reach[n])
        room = apart.min(axis=1, initial=size)
        free = np.flatnonzero(room >= -1)
        if not len(free):
            chosen = int(room.argmax())
        elif rng.random() < 1 / 3:
            chosen = int(free[room[free].argmin()])
        else:
            chosen = int(free[0])
        centres[n] = tries[chosen]
    return np.floor(centres).astype(np.intp)


def _seen(cell: DrawnCell, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return ``(2, TILE, TILE)`` light of a cell, blurred when it lies above or below the focus."""
    planes = np.stack((cell.dna, cell.tubulin))
    if rng.random() >= BLURRED_SHARE:
        return planes
    blur = rng.uniform(2.0, 4.5)
    return np.asarray(gaussian_filter(planes, (0, blur, blur)), dtype=np.float32)


def photographed(
    light: NDArray[np.float32], rng: np.random.Generator, lamp: tuple[float, float] | None = None
) -> NDArray[np.uint16]:
    """Send light through optics and camera: point spread, haze, uneven illumination, shot and read noise.

    Parameters
    ----------
    light
        ``(2, Y, X)`` of DNA and tubulin, Y and X alike.
    rng
        Source of the noise.
    lamp
        Where illumination is brightest, in half fields from the middle; None: somewhere.
    """
    size = light.shape[1]
    y, x = np.meshgrid(*(np.linspace(-1, 1, size, dtype=np.float32),) * 2, indexing="ij")
    cy, cx = lamp or rng.uniform(-0.3, 0.3, 2)
    illumination = 1.1 - 0.28 * ((y - np.float32(cy)) ** 2 + (x - np.float32(cx)) ** 2)
    photographed = np.empty(light.shape, dtype=np.uint16)
    for channel, name in enumerate(("DNA", "tubulin")):
        sharp = gaussian_filter(light[channel], 0.9)
        # Light from above and below the focal plane, a broad halo that makes a flat threshold fail.
        haze = 0.06 * gaussian_filter(light[channel][::4, ::4], 6).repeat(4, axis=0).repeat(4, axis=1)[:size, :size]
        photons = rng.poisson((sharp + haze) * illumination * _PHOTONS[name] + _GLOW[name] * (1.3 + 0.4 * x - 0.2 * y))
        counts = photons + rng.normal(_OFFSET, _READ_NOISE, photons.shape)
        photographed[channel] = np.clip(np.rint(counts), 0, 65535)
    return photographed
