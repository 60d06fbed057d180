"""A folder of numbered TIFFs read as one image."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.reading.content import Content, checked_axes
from napari_cellstage.core.reading.pixels import Index, Pixels, stamp
from napari_cellstage.core.reading.series_names import letters, members
from napari_cellstage.core.reading.tiff import TiffSource


class SeriesSource:
    """The one image that files of a folder are the planes of.

    Parameters
    ----------
    folder
        Where they are.
    pattern
        Their names; see `series_names.Series`.
    """

    def __init__(self, folder: Path, pattern: str) -> None:
        self.path, self.pattern = folder, pattern
        self._files = members(folder, pattern) if folder.is_dir() else {}
        if not self._files:
            raise ImageError(
                f"There are no files named like '{pattern}' in '{folder}'. Check whether they were moved or renamed, "
                "or whether their disk is connected."
            )

    @property
    def scenes(self) -> tuple[str, ...]:
        """The pattern."""
        return (self.pattern,)

    def read(self, scene: int, axes: str | None) -> Content:  # noqa: ARG002 - a series has one scene
        """Return the image; files that are missing are black, and told in its notes."""
        first = TiffSource(next(iter(self._files.values()))).read(0, None)
        page, known = first.levels[0], letters(self.pattern)
        self._check(known, first.axes)
        places, sizes = _grid(list(self._files))
        by_place = {tuple(place[n] for place, n in zip(places, key, strict=True)): f for key, f in self._files.items()}
        planes = SeriesPlanes(by_place, page.shape, page.dtype, len(sizes))
        shape = (*sizes, *page.shape)
        token = f"{self.path.absolute()}-{self.pattern}-{[stamp(file) for file in self._files.values()]}"
        chunks = (*(1 for _ in sizes), *page.chunks)
        pixels = Pixels(self.path.name, token, shape, page.dtype, planes, chunks)
        guessed = known.replace("N", "T" if "T" not in first.axes else "Z") + first.axes
        given = checked_axes(axes, len(shape), self.pattern, shape) if axes else ""
        return Content(
            (pixels,),
            given or guessed,
            first.channel_names if "C" in first.axes else None,
            first.pixel_size_um,
            first.channel_colors if "C" in first.axes else (),
            first.time_step_s,
            not given and ("N" in known or first.guessed),
            self._notes(int(np.prod(sizes))),
        )

    def _check(self, known: str, page: str) -> None:
        if twice := set(known) & set(page):
            raise ImageError(
                f"The files '{self.pattern}' are numbered along {', '.join(twice)}, and each of them has that axis "
                "itself. Open them as separate images."
            )

    def _notes(self, wanted: int) -> tuple[str, ...]:
        missing = wanted - len(self._files)
        if not missing:
            return ()
        return (f"{missing} of the {wanted} files '{self.pattern}' are missing; their planes are shown black.",)


@dataclass(frozen=True)
class SeriesPlanes:
    """The planes of a series.

    Parameters
    ----------
    files
        By place along the axes of the series.
    page, dtype
        Of one file.
    axes
        How many axes the series adds to those of a file.
    """

    files: dict[tuple[int, ...], Path]
    page: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: int

    def __call__(self, index: Index) -> NDArray[Any]:
        """Read what an index asks for, file by file."""
        outer, inner = index[: self.axes], index[self.axes :]
        wanted = [_numbers(one, axis, self.files) for axis, one in enumerate(outer)]
        parts = [self._part(place, inner) for place in product(*wanted)]
        made = np.stack(parts).reshape([len(one) for one in wanted] + list(parts[0].shape))
        return made[tuple(slice(None) if isinstance(one, slice) else 0 for one in outer)]

    def _part(self, place: tuple[int, ...], inner: Index) -> NDArray[Any]:
        file = self.files.get(place)
        if file is None:
            return np.zeros(self.page, dtype=self.dtype)[inner]
        page = TiffSource(file).read(0, None).levels[0]
        if page.shape != self.page or page.dtype != self.dtype:
            raise ImageError(
                f"'{file.name}' has the shape {page.shape} and {page.dtype} values, the first file of its series "
                f"{self.page} and {self.dtype}. Take it out of the folder, or open the files as separate images."
            )
        return page[inner]


def _grid(keys: list[tuple[int, ...]]) -> tuple[list[dict[int, int]], list[int]]:
    """Return along each axis which place a number has, and how many there are."""
    places = [{n: at for at, n in enumerate(sorted(set(column)))} for column in zip(*keys, strict=True)]
    return places, [len(place) for place in places]


def _numbers(index: int | slice, axis: int, files: dict[tuple[int, ...], Path]) -> list[int]:
    if not isinstance(index, slice):
        return [int(index)]
    return list(range(1 + max(place[axis] for place in files))[index])
