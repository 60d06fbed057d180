"""Parts of the planes of a CZI file, read when they are asked for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.reading.czi_facts import Rectangle
from napari_cellstage.core.reading.pixels import Held, Index, held


def open_czi(path: Path) -> Held[Any]:
    """Open a CZI to read it now and later."""
    from pylibCZIrw import czi

    reader = czi.CziReader(str(path))
    made: Held[Any] = Held(reader, reader.close)
    made.parts["lock"] = threading.Lock()
    return made


@dataclass(frozen=True)
class CziPlanes:
    """One scene at one level.

    Parameters
    ----------
    path
        The file.
    scene
        Number of the scene in the file, None where it has none.
    rectangle
        Where the scene lies in the file's plane.
    level
        0 full resolution, 1 half of it, and so on.
    firsts
        Where each axis but X, Y and S begins.
    shape, dtype
        T, C, Z, Y, X (and S) at that level.
    """

    path: Path
    scene: int | None
    rectangle: Rectangle
    level: int
    firsts: dict[str, int]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __call__(self, index: Index) -> NDArray[Any]:
        """Read what an index asks for, plane by plane."""
        wanted = [_range(n, one) for n, one in zip(self.shape, index, strict=True)]
        made = np.empty([len(one) for one in wanted], dtype=self.dtype)
        for place in product(*(range(len(one)) for one in wanted[:3])):
            made[place] = self._plane([wanted[axis][at] for axis, at in enumerate(place)], wanted[3:])
        return made[tuple(0 if isinstance(one, int | np.integer) else slice(None) for one in index)]

    def _plane(self, at: list[int], wanted: list[range]) -> NDArray[Any]:
        rows, columns = wanted[:2]
        plane = {**self.firsts, **{axis: self.firsts.get(axis, 0) + n for axis, n in zip("TCZ", at, strict=True)}}
        top, left, bottom, right = min(rows), min(columns), max(rows) + 1, max(columns) + 1
        read = self._read(plane, top, left, bottom - top, right - left)
        part = read[np.ix_([y - top for y in rows], [x - left for x in columns])]
        return part[..., list(wanted[2])] if len(wanted) > 2 else part[..., 0]

    def _read(self, plane: dict[str, int], top: int, left: int, height: int, width: int) -> NDArray[Any]:
        """Read ``(height, width, samples)``, colours as red, green, blue."""
        by = 1 << self.level
        x, y = self.rectangle[0] + left * by, self.rectangle[1] + top * by
        file = held(open_czi, self.path)
        with file.parts["lock"]:
            read = file.file.read((x, y, width * by, height * by), plane, self.scene, 1 / by if by > 1 else None)
        made = np.zeros((height, width, read.shape[2]), dtype=read.dtype)
        made[: read.shape[0], : read.shape[1]] = read[:height, :width]
        return made[..., ::-1]


def _range(length: int, index: int | slice) -> range:
    return range(length)[index] if isinstance(index, slice) else range(int(index), int(index) + 1)
