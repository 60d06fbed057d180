"""Zeiss CZI through Zeiss' own library: any part of any plane, mosaics put together, coarser levels from the file.

bioio-czi reads whole mosaics, refuses files without a pixel size or without a channel, and is GPL: this needs
pylibCZIrw only, which comes with the extra ``czi``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.reading.content import Content, checked_axes, own_names, unique, unreadable
from napari_cellstage.core.reading.czi_facts import CziFacts, Rectangle, Tiles, facts_of, tiles_of
from napari_cellstage.core.reading.czi_planes import CziPlanes, open_czi
from napari_cellstage.core.reading.pixels import Held, Pixels, held, read_at_once, stamp

_TYPES = {"Gray8": "u1", "Gray16": "u2", "Gray32Float": "f4", "Bgr24": "u1", "Bgr48": "u2", "Bgr96Float": "f4"}
_SMALLEST = 512  # no coarser level than this


@dataclass(frozen=True)
class _Directory:
    """What a file holds: where its planes lie, what its pixels are, which tiles there are, what its XML says."""

    box: dict[str, tuple[int, int]]
    rectangles: dict[int, Rectangle]
    types: dict[int, str]
    tiles: dict[int, Tiles]
    facts: CziFacts


def _directory(file: Held[Any]) -> _Directory:
    """Read it once for all scenes, as a mosaic has a hundred thousand tiles; planes may be read meanwhile."""
    with file.parts["lock"]:
        if "directory" not in file.parts:
            reader = file.file
            file.parts["directory"] = _Directory(
                reader.total_bounding_box_no_pyramid,
                reader.scenes_bounding_rectangle_no_pyramid,
                reader.pixel_types,
                tiles_of(reader),
                facts_of(reader),
            )
        found: _Directory = file.parts["directory"]
        return found


class CziSource:
    """The scenes of a CZI file.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        _need_library(path)
        self.path = path
        try:
            directory = _directory(held(open_czi, path))
        except RuntimeError as error:  # what libCZI raises of everything, a file that was cut off above all
            raise unreadable(path, error) from error
        self._box, self._rectangles, self._types = directory.box, directory.rectangles, directory.types
        self._tiles, self._facts = directory.tiles, directory.facts
        if not self._types or self._types.get(0) not in _TYPES:
            kinds = ", ".join(self._types.values()) or "none"
            raise unreadable(path, f"its pixels are of a kind that can't be read ({kinds})")

    @property
    def scenes(self) -> tuple[str, ...]:
        """Names of the scenes, as the microscopist gave them, else their numbers."""
        if len(self._rectangles) <= 1:
            return ("",)
        return tuple(unique([self._facts.scenes.get(n) or f"scene {n + 1}" for n in sorted(self._rectangles)]))

    def read(self, scene: int, axes: str | None) -> Content:
        """Return a scene; tiles that are missing are black, and told in its notes."""
        number = sorted(self._rectangles)[scene] if self._rectangles else None
        rectangle = self._rectangle(number)
        tiles = self._tiles.get(number or 0, Tiles())
        letters = "TCZYXS" if self._types[0].startswith("Bgr") else "TCZYX"
        levels = tuple(self._level(number, rectangle, level) for level in range(_levels(rectangle, tiles.coarsest)))
        known = checked_axes(axes, len(letters), self.path.name, levels[0].shape) if axes else letters
        count = levels[0].shape[1]
        names, colors = self._facts.channel_names, self._facts.channel_colors
        return Content(
            levels,
            known,
            own_names(names) if len(names) == count and "S" not in letters else None,
            self._facts.pixel_size_um,
            colors if len(colors) == count and "S" not in letters else (),
            self._facts.time_step_s,
            notes=(*tiles.notes(self.path.name), *self._left_out()),
        )

    def _rectangle(self, number: int | None) -> Rectangle:
        if number is not None:
            found = self._rectangles[number]
            return (found[0], found[1], found[2], found[3])
        (left, right), (top, bottom) = self._box["X"], self._box["Y"]
        return (left, top, right - left, bottom - top)

    def _left_out(self) -> list[str]:
        """Say which of the directions that only Zeiss has are shown in part: views, phases, illuminations."""
        return [
            f"'{self.path.name}' has {stop - start} pictures along its axis {axis}, of which the first is shown. "
            "Process it in ZEN first to use all."
            for axis, (start, stop) in self._box.items()
            if axis not in "TCZYXS" and stop - start > 1
        ]

    def _level(self, number: int | None, rectangle: Rectangle, level: int) -> Pixels:
        sizes = [max(1, stop - start) for start, stop in (self._box.get(axis, (0, 1)) for axis in "TCZ")]
        shape = [*sizes, rectangle[3] >> level, rectangle[2] >> level]
        if self._types[0].startswith("Bgr"):
            shape.append(3)
        token = f"{self.path.absolute()}-{stamp(self.path)}-{number}-{level}"
        dtype = max((np.dtype(_TYPES.get(kind, "u1")) for kind in self._types.values()), key=lambda one: one.itemsize)
        firsts = {axis: start for axis, (start, _stop) in self._box.items() if axis not in "XYS"}
        read = CziPlanes(self.path, number, rectangle, level, firsts, tuple(shape), dtype)
        return Pixels(self.path.name, token, shape, dtype, read, read_at_once(shape, "TCZYXS"[: len(shape)]))


def _need_library(path: Path) -> None:
    try:
        import pylibCZIrw  # noqa: F401
    except ImportError as error:
        raise ImageError(
            f"'{path.name}' is a Zeiss CZI file, and the library that reads those is not installed. "
            'Install it with: pip install "napari-cellstage[czi]"'
        ) from error


def _levels(rectangle: Rectangle, coarsest: float) -> int:
    """Return how many levels to show: by 2 each, down to what the file holds, for others had to be computed."""
    count = 1
    while 2.0**-count >= coarsest * 0.99 and min(rectangle[2:]) >> count >= _SMALLEST:
        count += 1
    return count
