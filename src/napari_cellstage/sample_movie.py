"""Built-in synthetic movie with its truth: cells that wander and divide. For trying out how cells are followed.

Nothing here is real data, and names say so. A cell keeps its looks within a stage, so that only its place changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.core.tracks import Parents, Tracks
from napari_cellstage.sample_cells import REACH, STAGES, TILE, Brush, DrawnCell, draw_cell
from napari_cellstage.sample_data import PIXEL_SIZE_UM, photographed

TIME_STEP_S = 600.0
_BEFORE = ("prophase", "prophase", "prometaphase", "metaphase", "metaphase")  # a frame each
_AS_TWO = ("anaphase", "telophase")
_DIVIDING_SHARE = 0.5
_STEP, _KEPT_SPEED = 1.1, 0.7  # pixels a frame; how much of its speed a cell keeps
_ROOM = {"interphase": 21.0, "anaphase": 36.0, "telophase": 42.0}  # half of the width a cell keeps free around it
_ROOM_BEFORE = 30.0


@dataclass(frozen=True)
class SampleMovie:
    """A synthetic movie and the truth about it.

    Parameters
    ----------
    stack
        Channels DNA and tubulin, uint16.
    labels
        ``(T, 1, Y, X)`` int32; true nuclei, a cell has one id in all its frames. From anaphase on, both halves of a
        dividing cell are cells of their own.
    tracks
        Of the rows of ``CellTable.from_labels(labels)``; the track is the id.
    class_names
        The stages.
    classes_of
        ``(N,)`` the stage of each of those rows.
    """

    stack: ImageStack
    labels: NDArray[np.int32]
    tracks: Tracks
    class_names: tuple[str, ...]
    classes_of: NDArray[np.str_]


@dataclass
class _Cell:
    """A cell, or both halves of one that divides.

    Parameters
    ----------
    ids
        Its id; of a pair, both.
    place, speed
        y, x in pixels; pixels a frame.
    looks
        Seed of its drawing.
    divides
        Frame in which prophase begins.
    """

    ids: tuple[int, ...]
    place: NDArray[np.float64]
    looks: int
    divides: int
    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def stage(self, t: int) -> str:
        """Return the stage in a frame; "" when telophase is over and two cells go their own ways."""
        phase = t - self.divides
        stages = (*_BEFORE, *_AS_TWO)
        return "interphase" if phase < 0 else stages[phase] if phase < len(stages) else ""


def cell_cycle_movie(seed: int = 0, size: int = 384, cells: int = 14, frames: int = 24) -> SampleMovie:
    """Make a movie of HeLa-like cells, a frame every ten minutes, about half of which divide in it.

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
    culture = Culture(np.random.default_rng(seed), size, cells, frames)
    return filmed(culture, frames, f"synthetic cell cycle movie (seed {seed})")


def filmed(culture: Culture, frames: int, name: str) -> SampleMovie:
    """Return so many frames of a culture, and the truth about its cells."""
    shots = list(culture.grow(frames))
    labels = np.stack([labels for _, labels in shots])[:, None]
    stack = from_array(
        np.stack([pixels for pixels, _ in shots]),
        "TCYX",
        name,
        channel_names=culture.channels,
        pixel_size_um=(1.0, PIXEL_SIZE_UM, PIXEL_SIZE_UM),
    )
    table = CellTable.from_labels(labels)
    names = zip(table.t.tolist(), table.cell_id.tolist(), strict=True)
    stages = np.array([culture.stages[name] for name in names], dtype=np.str_)
    tracks = Tracks(table.cell_id.copy(), culture.parents).placed(np.arange(len(table)), len(table))
    return SampleMovie(replace(stack, time_step_s=TIME_STEP_S), labels, tracks, STAGES, stages)


class Culture:
    """Cells that wander, keep clear of one another and divide, under a microscope with these channels."""

    channels: tuple[str, ...] = ("DNA", "tubulin")

    def __init__(self, rng: np.random.Generator, size: int, cells: int, frames: int) -> None:
        self.rng = rng
        self.size = size
        self.brush = Brush(rng)
        self.lamp = (float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.3, 0.3)))
        self._last_id = 0
        self.parents: Parents = {}
        self.stages: dict[tuple[int, int], str] = {}
        spread = int(frames / _DIVIDING_SHARE)
        self._cells = [self._born(rng.uniform(0, size, 2), int(rng.integers(0, spread))) for _ in range(cells)]
        for _ in range(200):
            self._part(0)

    def grow(self, frames: int) -> Iterator[tuple[NDArray[np.uint16], NDArray[np.int32]]]:
        """Yield the pixels ``(channels, Y, X)`` and labels ``(Y, X)`` of each frame."""
        for t in range(frames):
            self._divide(t, frames)
            yield self._shot(t)
            self._move(t)

    def _born(self, place: NDArray[np.float64], divides: int) -> _Cell:
        self._last_id += 1
        return _Cell((self._last_id,), place, int(self.rng.integers(1 << 31)), divides)

    def _divide(self, t: int, frames: int) -> None:
        """Make two halves of each cell that enters anaphase, and two cells of each pair that has left telophase."""
        for cell in list(self._cells):
            if cell.stage(t) == _AS_TWO[0]:
                mother = cell.ids[0]
                cell.ids = (self._last_id + 1, self._last_id + 2)
                self._last_id += 2
                self.parents |= dict.fromkeys(cell.ids, (mother,))
            elif not cell.stage(t):
                self._cells.remove(cell)
                self._cells += self._parted(cell, never=2 * frames + t)

    def _parted(self, pair: _Cell, never: int) -> list[_Cell]:
        way = self._axis(pair) * REACH["telophase"] * 0.85
        looks = self.rng.integers(1 << 31, size=2)
        both = zip(pair.ids, (-way, way), looks, strict=True)
        return [_Cell((cell_id,), pair.place + shift, int(look), never) for cell_id, shift, look in both]

    def _axis(self, cell: _Cell) -> NDArray[np.float64]:
        """Return the direction, y and x, along which a cell is drawn."""
        angle = self._angle(cell)
        return np.array([np.sin(angle), np.cos(angle)])

    def _angle(self, cell: _Cell) -> float:
        return float(np.random.default_rng(cell.looks).uniform(0, 2 * np.pi))  # as `draw_cell` begins

    def _move(self, t: int) -> None:
        for cell in self._cells:
            push = self.rng.normal(0, _STEP, 2) * np.sqrt(1 - _KEPT_SPEED**2)
            cell.speed = _KEPT_SPEED * cell.speed + push
            cell.place = cell.place + cell.speed
        self._part(t)

    def _part(self, t: int) -> None:
        """Push cells apart that lie on one another, and back into the field."""
        places = np.array([cell.place for cell in self._cells]).reshape(-1, 2)
        between = places[:, None] - places[None]
        distance = np.hypot(*between.transpose(2, 0, 1)) + np.eye(len(places)) * self.size
        room = np.array([_ROOM.get(cell.stage(t), _ROOM_BEFORE) for cell in self._cells])
        missing = np.clip(room[:, None] + room[None] - distance, 0, None)
        pushes = (between / np.maximum(distance, 1e-6)[..., None] * missing[..., None]).sum(axis=1) / 4
        for cell, place in zip(self._cells, places + np.clip(pushes, -3, 3), strict=True):
            cell.place = np.clip(place, 0, self.size - 1)

    def _shot(self, t: int) -> tuple[NDArray[np.uint16], NDArray[np.int32]]:
        light = np.zeros((len(self.channels), self.size + 2 * TILE, self.size + 2 * TILE), dtype=np.float32)
        labels = np.zeros(light.shape[1:], dtype=np.int32)
        for cell in self._cells:
            y, x = np.round(cell.place).astype(int) + TILE // 2
            window = np.s_[y : y + TILE, x : x + TILE]
            drawn, ids = self._drawn(cell, t)
            light[:, *window] += self.seen(drawn, cell.stage(t))
            labels[window] = np.where(labels[window] == 0, ids, labels[window])
        inner = np.s_[TILE : TILE + self.size, TILE : TILE + self.size]
        return self.photographed(light, inner), labels[inner]

    def seen(self, drawn: DrawnCell, _stage: str) -> NDArray[np.float32]:
        """Return ``(channels, TILE, TILE)`` of what a cell adds to the field."""
        return np.stack((drawn.dna, drawn.tubulin))

    def photographed(self, light: NDArray[np.float32], inner: tuple[slice, slice]) -> NDArray[np.uint16]:
        """Return ``(channels, Y, X)``, what the camera makes of the field without its margin."""
        return photographed(light[:, *inner], self.rng, self.lamp)

    def _drawn(self, cell: _Cell, t: int) -> tuple[DrawnCell, NDArray[np.int32]]:
        """Return a cell as it looks in a frame, and its id on each pixel of the tile, 0 beside it."""
        self.brush.rng = np.random.default_rng(cell.looks)
        drawn = draw_cell(cell.stage(t), self.brush)
        self.stages |= {(t, cell_id): cell.stage(t) for cell_id in cell.ids}
        along, _ = self.brush.turned(self._angle(cell))
        ids = np.where(along < 0, cell.ids[0], cell.ids[-1])
        return drawn, np.where(drawn.mask, ids, 0).astype(np.int32)
