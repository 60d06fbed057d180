"""Nikon ND2, Leica LIF and what else is installed, through bioio's readers: scenes, one camera frame at a time."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.reading.content import (
    Content,
    checked_axes,
    hex_color,
    known_size,
    known_step,
    own_colors,
    own_names,
    unique,
)
from napari_cellstage.core.reading.pixels import Index, Pixels, stamp

for _library in ("bioio_nd2", "bioio_lif", "nd2", "liffile"):
    logging.getLogger(_library).addHandler(logging.NullHandler())

# Leica names the colour of a channel by the name of its table.
_TABLES = {"red": "#ff0000", "green": "#00ff00", "blue": "#0000ff", "gray": "#ffffff", "grey": "#ffffff"}
_TABLES |= {"cyan": "#00ffff", "magenta": "#ff00ff", "yellow": "#ffff00"}


class BioioSource:
    """The scenes of a file, by a reader of bioio.

    Parameters
    ----------
    path
        The file.
    reader
        bioio's reader of it.
    """

    def __init__(self, path: Path, reader: Any) -> None:
        self.path, self._reader = path, reader
        self._lock = threading.Lock()
        names = reader.scenes
        self.scenes = tuple(unique([str(name) for name in names])) if len(names) > 1 else ("",)

    def read(self, scene: int, axes: str | None) -> Content:
        """Return a scene."""
        self._reader.set_scene(scene)
        array = self._array()
        dims = "".join(str(dim) for dim in array.dims)
        kept = tuple(slice(None) if dim in "TCZYXS" else 0 for dim in dims)
        self._check_axes({dim: n for dim, n in zip(dims, array.shape, strict=True) if dim not in "TCZYXS" and n > 1})
        pixels = self._pixels(array.data[kept], scene)
        letters = "".join(dim for dim in dims if dim in "TCZYXS")
        known = checked_axes(axes, pixels.ndim, self.path.name, pixels.shape) if axes else letters
        names = None if "S" in letters else own_names(self._reader.channel_names)
        colors = self._colors(scene) if "S" not in letters else ()
        return Content((pixels,), known, names, self._size(scene), colors, known_step(self._step(array)))

    def _array(self) -> Any:
        """Return the scene, tiles of a mosaic put together."""
        whole = self._reader.xarray_dask_data
        mosaic = "M" in whole.dims and whole.sizes["M"] > 1
        return self._reader.mosaic_xarray_dask_data if mosaic else whole

    def _pixels(self, array: Any, scene: int) -> Pixels:
        token = f"{self.path.absolute()}-{stamp(self.path)}-{scene}"
        return Pixels(
            self.path.name, token, array.shape, array.dtype, partial(_read, array, self._lock), array.chunksize
        )

    def _check_axes(self, odd: dict[str, int]) -> None:
        if odd:
            found = ", ".join(f"{dim} ({n})" for dim, n in odd.items())
            raise ImageError(
                f"'{self.path.name}' has axes that are none of time, channel and space: {found}. "
                "Save each of them as a file of its own, or the whole as OME-TIFF."
            )

    def _size(self, _scene: int) -> tuple[float, float, float] | None:
        return known_size(self._reader.physical_pixel_sizes)

    def _colors(self, _scene: int) -> tuple[str, ...]:
        return ()

    def _step(self, _array: Any) -> float | None:
        interval = self._reader.time_interval
        return interval.total_seconds() if isinstance(interval, timedelta) else interval


class Nd2Source(BioioSource):
    """The positions of an ND2 file."""

    def __init__(self, path: Path) -> None:
        from bioio_nd2 import Reader

        super().__init__(path, Reader(path))

    def _size(self, scene: int) -> tuple[float, float, float] | None:
        """Return the size of a pixel; the library says 1 where the microscope was not calibrated."""
        calibrated = all(channel.volume.axesCalibrated[0] for channel in self._channels())
        return super()._size(scene) if calibrated else None

    def _colors(self, _scene: int) -> tuple[str, ...]:
        colors = [channel.channel.color for channel in self._channels()]
        return own_colors([hex_color(f"{color.r:02x}{color.g:02x}{color.b:02x}") for color in colors])

    def _channels(self) -> list[Any]:
        import nd2

        with nd2.ND2File(self.path) as file:
            return list(getattr(file.metadata, "channels", None) or ())


class LifSource(BioioSource):
    """The images of a LIF file."""

    def __init__(self, path: Path) -> None:
        from bioio_lif import Reader

        super().__init__(path, Reader(path))

    def _colors(self, scene: int) -> tuple[str, ...]:
        import liffile

        with liffile.LifFile(self.path) as file:
            channels = file.images[scene].xml_element.iterfind("./Data/Image//ChannelDescription")
            return own_colors([_TABLES.get(channel.get("LUTName", "").lower(), "") for channel in channels])

    def _step(self, array: Any) -> float | None:
        """Return the seconds between the first two times: the reader has them as coordinates only."""
        times = array.coords.get("T")
        return float(times[1] - times[0]) if times is not None and times.size > 1 else None


class PluginSource(BioioSource):
    """The scenes of a file that an installed reader of bioio's knows."""

    def __init__(self, path: Path) -> None:
        from napari_cellstage.core.reading.plugins import plugin_reader

        reader = plugin_reader(path)
        if reader is None:
            raise ImageError(f"No reader for '{path.name}' is installed any more. Install it again, and restart.")
        super().__init__(path, reader(path))


def _read(array: Any, lock: threading.Lock, index: Index) -> NDArray[Any]:
    """Read one part after the other: the reader of ND2 opens its file for one thread and closes it for all."""
    with lock:
        return np.asarray(array[index].compute(scheduler="synchronous"))
