"""TIFF of every kind, through tifffile: plain, ImageJ, OME, tiled and pyramidal, several images in one file.

bioio's readers for TIFF make one chunk of a plane, however large: for a square of 2048 pixels of a tiled plane of
20,000 they take 1.8 GB and 20 s, tifffile itself, which they are made of, 50 MB and 0.1 s.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_cellstage.core.reading.axes import guess_axes, open_axes
from napari_cellstage.core.reading.content import Content, checked_axes, known_size, known_step, unique, unreadable
from napari_cellstage.core.reading.ome_xml import OmeImage, ome_images
from napari_cellstage.core.reading.pixels import Held, Index, Pixels, held, read_at_once, stamp
from napari_cellstage.core.reading.tiff_facts import check_complete, says_pixel_size, sizes_of_tags

# With no handler at all, Python prints its warnings to the terminal; damaged files are reported by us.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


_WHOLE_BYTES = 1 << 20


class TiffSource:
    """The images of a TIFF file: OME's images, else the first series of pages.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = held(open_tiff, path).file
        if not self._file.series:
            raise unreadable(path, "there is no picture in it")
        self._series = _own_series(self._file)
        self._ome = ome_images(self._file.ome_metadata) if self._file.is_ome and self._file.ome_metadata else []

    @property
    def scenes(self) -> tuple[str, ...]:
        """Names of OME's images."""
        if len(self._series) == 1:
            return ("",)
        names = [self._file.series[number].name or f"image {number + 1}" for number in self._series]
        return tuple(unique(names))

    def read(self, scene: int, axes: str | None) -> Content:
        """Return an image of the file."""
        number = self._series[scene]
        series = self._file.series[number]
        check_complete(self.path, self._file, series)
        letters = checked_axes(axes, len(series.shape), self.path.name, series.shape) if axes else series.axes
        known = letters if axes else guess_axes(letters, series.shape, self.path.name)
        levels = tuple(self._level(number, level) for level in _true_levels(series))
        about = self._ome[number] if number < len(self._ome) and not axes else None
        return self._content(levels, known, bool(open_axes(letters)), about, series)

    def _content(
        self,
        levels: tuple[Pixels, ...],
        axes: str,
        guessed: bool,
        about: OmeImage | None,
        series: tifffile.TiffPageSeries,
    ) -> Content:
        if about is not None:
            names = None if "S" in axes else about.channel_names
            size, colors, step = about.pixel_size_um, about.channel_colors, about.time_step_s
            return Content(levels, axes, names, size, colors, step, guessed, _missing(self.path, series))
        size = known_size(sizes_of_tags(self._file)) if says_pixel_size(self._file) else None
        step = known_step((self._file.imagej_metadata or {}).get("finterval")) if self._file.is_imagej else None
        return Content(levels, axes, None, size, (), step, guessed)

    def _level(self, number: int, level: int) -> Pixels:
        series = self._file.series[number].levels[level]
        shape, token = tuple(series.shape), f"{self.path.absolute()}-{stamp(self.path)}-{number}-{level}"
        if level == 0 and series.dataoffset is not None and _begins_in(self._file, series):
            dtype = series.dtype.newbyteorder(self._file.byteorder)
            read = partial(_read_mapped, self.path, dtype, series.dataoffset, shape)
            return Pixels(self.path.name, token, shape, series.dtype, read, read_at_once(shape, series.axes))
        read = partial(_read_decoded, self.path, number, level)
        return Pixels(self.path.name, token, shape, series.dtype, read, _tiles(series))


def open_tiff(path: Path) -> Held[tifffile.TiffFile]:
    """Open a TIFF to read it now and later."""
    file = tifffile.TiffFile(path)
    file.filehandle.set_lock(True)
    return Held(file, file.close)


def _own_series(file: tifffile.TiffFile) -> list[int]:
    """Return which series to show.

    Of a plain TIFF that is the first: further ones are thumbnails and labels. Of files that belong together, each of
    which describes all of them, the images that begin in this very file, so that a folder of them has each once.
    """
    if not file.is_ome:
        return [0]
    own = [number for number, series in enumerate(file.series) if _begins_in(file, series)]
    return own or list(range(len(file.series)))


def _begins_in(file: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> bool:
    first: Any = series.keyframe
    return str(first.parent.filename) == str(file.filename)


def _true_levels(series: tifffile.TiffPageSeries) -> list[int]:
    """Return the levels that are the same image at half the size, a quarter, and so on; a thumbnail is none."""
    kept, height = [0], series.shape[series.axes.index("Y")]
    for number, level in enumerate(series.levels[1:], start=1):
        if level.axes != series.axes or level.shape[level.axes.index("Y")] >= height:
            continue
        height = level.shape[level.axes.index("Y")]
        kept.append(number)
    return kept


def _missing(path: Path, series: tifffile.TiffPageSeries) -> tuple[str, ...]:
    """Say how many planes lie in files that are not there; tifffile gives them as black."""
    gone = sum(page is None for page in series.pages) if len(series.pages) > 1 else 0
    if not gone:
        return ()
    return (
        f"{gone} of the {len(series.pages)} planes of '{path.name}' are in files that are missing; they are shown "
        "black. Put all files of the set into one folder.",
    )


def _tiles(series: tifffile.TiffPageSeries) -> tuple[int, ...]:
    page: Any = series.keyframe
    height, width = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    sides = {"Y": height, "X": width, "S": page.samplesperpixel}
    return tuple(max(1, min(n, sides.get(axis, 1))) for n, axis in zip(series.shape, series.axes, strict=True))


def _read_mapped(path: Path, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...], index: Index) -> NDArray[Any]:
    """Read the part that is asked for from a file without compression."""
    return np.array(np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)[index])


def _read_decoded(path: Path, number: int, level: int, index: Index) -> NDArray[Any]:
    """Read tiles or strips, and put the part that is asked for together; what is small is decoded once as a whole."""
    file = held(open_tiff, path)
    key = (number, level)
    if key not in file.parts:
        series = file.file.series[number]
        small = series.levels[level].nbytes <= _WHOLE_BYTES  # zarr takes longer than the decoding of a crop
        file.parts[key] = series.asarray(level=level) if small else _opened(series, level)
    return np.array(file.parts[key][index])


def _opened(series: tifffile.TiffPageSeries, level: int) -> Any:
    import zarr

    return zarr.open_array(series.aszarr(level=level), mode="r")
