"""Built-in synthetic sample for virtual staining: cells in phase contrast with two stains, a field and a time-lapse.

Nothing here is real data, and names say so. How well a stain is predicted here says nothing of real images: it is for
trying virtual staining out, and for tests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import from_array
from napari_cellstage.sample_cells import REACH, STAGES, TILE, Brush, DrawnCell, draw_cell
from napari_cellstage.sample_data import PIXEL_SIZE_UM, SampleField, mixed_stages, photographed, placed
from napari_cellstage.sample_movie import Culture, SampleMovie, filmed
from napari_cellstage.sample_refraction import PhaseContrast, debris, delay_of

Focus = tuple[float, ...]
PHASE = "phase"
CHANNELS = (PHASE, "DNA", "tubulin")
PLANE_STEP_UM = 1.5
MOST_PLANES = 31
_ROOM = 9.0  # pixels between cells: their bodies reach farther than their DNA
_PIXELS_A_PIECE = 4500  # of debris
_BLUR_PER_UM = 0.8  # pixels by which a stain is blurred out of focus


def stained_field(seed: int = 0, size: int = 512, cells: int = 45, planes: int = 1) -> SampleField:
    """Make a field of cells in phase contrast, stained for DNA and tubulin.

    Parameters
    ----------
    seed
        Same seed, same field.
    size
        Side in pixels.
    cells
        How many cells; 8 % in each of the five mitotic stages.
    planes
        How many planes, 1.5 micrometres apart; the middle one is in focus.

    Raises
    ------
    CellsError
        If there can't be so many planes.
    """
    rng = np.random.default_rng(seed)
    focus = focus_um(planes)
    stages = mixed_stages(rng, cells)
    centres = placed(rng, [REACH[stage] + _ROOM for stage in stages], size)
    field, brush = _empty(rng, size), Brush(rng)
    lamp = (float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.3, 0.3)))
    labels = np.zeros(field.shape[1:], dtype=np.int32)
    for cell_id, (stage, (y, x)) in enumerate(zip(stages, centres, strict=True), start=1):
        cell = draw_cell(stage, brush)
        window = np.s_[y + TILE // 2 : y + TILE // 2 + TILE, x + TILE // 2 : x + TILE // 2 + TILE]
        field[:, *window] += _adds(cell, stage, brush)
        labels[window][cell.mask & (labels[window] == 0)] = cell_id
    inner = np.s_[TILE : TILE + size, TILE : TILE + size]
    um = (PLANE_STEP_UM if planes > 1 else 1.0, PIXEL_SIZE_UM, PIXEL_SIZE_UM)
    name = f"synthetic stained field (seed {seed})"
    stack = from_array(
        _Scope(lamp, rng).take(field, inner, focus), "CZYX", name, channel_names=CHANNELS, pixel_size_um=um
    )
    return SampleField(stack, np.repeat(labels[inner][None, None], planes, axis=1), STAGES, np.array(stages))


def stained_movie(seed: int = 0, size: int = 384, cells: int = 12, frames: int = 12) -> SampleMovie:
    """Make a time-lapse of cells in phase contrast, a frame every ten minutes, about half of which divide in it.

    Parameters
    ----------
    seed
        Same seed, same movie.
    size
        Side in pixels.
    cells
        How many cells there are at first.
    frames
        How many time points.
    """
    culture = _StainedCulture(np.random.default_rng(seed), size, cells, frames)
    return filmed(culture, frames, f"synthetic stained movie (seed {seed})")


def unstained(stack: ImageStack) -> ImageStack:
    """Return a sample as if it had not been stained: its phase contrast alone."""
    place = stack.channel_names.index(PHASE)
    name = stack.name.replace("stained", "unstained")
    pixels = np.asarray(stack.data)[:, place : place + 1]
    alone = from_array(pixels, "TCZYX", name, channel_names=(PHASE,), pixel_size_um=stack.pixel_size_um)
    return replace(alone, time_step_s=stack.time_step_s)


def focus_um(planes: int) -> Focus:
    """Return where each of so many planes lies; 0 is in focus.

    Raises
    ------
    CellsError
        If there can't be so many.
    """
    if not 1 <= planes <= MOST_PLANES:
        raise CellsError(f"{planes} planes can't be drawn. Ask for 1 to {MOST_PLANES}.")
    return tuple((place - (planes - 1) / 2) * PLANE_STEP_UM for place in range(planes))


@dataclass(frozen=True)
class _Scope:
    """A microscope: where its lamp is, and the source of the noise."""

    lamp: tuple[float, float]
    rng: np.random.Generator

    def take(self, field: NDArray[np.float32], inner: tuple[slice, slice], focus: Focus) -> NDArray[np.uint16]:
        """Return ``(3, Z, Y, X)``: delay, DNA and tubulin of a field without its margin, as the camera has them."""
        phase = PhaseContrast(PIXEL_SIZE_UM).picture(field[0], focus, self.lamp, self.rng)
        stains = [photographed(_defocused(field[1:, *inner], z_um), self.rng, self.lamp) for z_um in focus]
        return np.concatenate((phase[None, :, *inner], np.stack(stains, axis=1)))


class _StainedCulture(Culture):
    """Cells that wander and divide, in phase contrast and stained; debris lies still."""

    channels = CHANNELS

    def __init__(self, rng: np.random.Generator, size: int, cells: int, frames: int) -> None:
        super().__init__(rng, size, cells, frames)
        self._empty = _empty(rng, size)

    def seen(self, drawn: DrawnCell, stage: str) -> NDArray[np.float32]:
        return _adds(drawn, stage, self.brush)

    def photographed(self, light: NDArray[np.float32], inner: tuple[slice, slice]) -> NDArray[np.uint16]:
        return _Scope(self.lamp, self.rng).take(light + self._empty, inner, (0.0,))[:, 0]


def _empty(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Return ``(3, Y, X)``: a field with debris and no cell, with a margin of a tile."""
    side = size + 2 * TILE
    field = np.zeros((3, side, side), dtype=np.float32)
    field[0] = debris(rng, side, side**2 // _PIXELS_A_PIECE)
    return field


def _adds(cell: DrawnCell, stage: str, brush: Brush) -> NDArray[np.float32]:
    """Return ``(3, TILE, TILE)``: the delay of a cell, and the light of its stains."""
    return np.stack((delay_of(cell, stage, brush), cell.dna, cell.tubulin)).astype(np.float32)


def _defocused(light: NDArray[np.float32], z_um: float) -> NDArray[np.float32]:
    blur = _BLUR_PER_UM * abs(z_um)
    return np.asarray(gaussian_filter(light, (0, blur, blur)), dtype=np.float32)
