"""One image as a lazy stack with axes T, C, Z, Y, X; see `images` for where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError

if TYPE_CHECKING:
    import dask.array as da

    from napari_cellstage.core.reading.pixels import PlaneReader


@dataclass(frozen=True)
class ImageStack:
    """One image, read as its pixels are asked for.

    Parameters
    ----------
    name
        As shown; the file name where there is a file.
    data
        ``(T, C, Z, Y, X)``, any real dtype. RGB pictures are three channels.
    channel_names
        One a channel.
    pixel_size_um
        z, y, x in micrometres, or None where the file does not say (or says 0). A flat image without a size in z has
        1 there.
    path
        Where it was read from, or None for an image that exists in memory only.
    fingerprint
        Changes with the pixels: a hash of size, time of change and first bytes of the file, or of the array.
    rgb
        True when the three channels are red, green and blue of a colour picture.
    channel_colors
        ``"#rrggbb"`` a channel, as the file says; empty where it does not.
    time_step_s
        Seconds from one time point to the next, or None where the file does not say.
    scene
        Which scene, position or well of the file this is; empty where the file has one only.
    axes
        Axes of the file as the user gave them, empty where the file's own count.
    guessed_axes
        Axes that were guessed, as the file does not say what they are, such as ``"ZYX"``; empty where it does.
    pyramid
        The image at coarser levels, finest first, each ``(T, C, Z, Y, X)``; empty where there are none.
    notes
        Sentences to show the user after opening, such as how many tiles the file lacks.
    tile
        Side of the tiles of a contact sheet in pixels, 0 where the image is none.
    direct
        Reads parts of planes from the file without dask; None where there is no file, or it holds colour samples.
    """

    name: str
    data: da.Array
    channel_names: tuple[str, ...]
    pixel_size_um: tuple[float, float, float] | None = None
    path: Path | None = None
    fingerprint: str = ""
    rgb: bool = False
    channel_colors: tuple[str, ...] = ()
    time_step_s: float | None = None
    scene: str = ""
    axes: str = ""
    guessed_axes: str = ""
    pyramid: tuple[da.Array, ...] = ()
    tile: int = 0
    notes: tuple[str, ...] = ()
    direct: PlaneReader | None = field(default=None, repr=False, compare=False)

    @property
    def levels(self) -> tuple[da.Array, ...]:
        """The image at full resolution, and the coarser levels after it."""
        return (self.data, *self.pyramid)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """T, C, Z, Y, X."""
        return self.data.shape  # type: ignore[no-any-return]

    def volume(self, t: int, channel: int) -> NDArray[np.generic]:
        """Return ``(Z, Y, X)`` of one time point and channel, read now.

        Raises
        ------
        ImageError
            If there is no such time point or channel, or its pixels can't be read.
        """
        self._check("time point", t, self.shape[0])
        self._check("channel", channel, self.shape[1])
        return self.read(self.data[t, channel])

    def plane(self, t: int, z: int, channels: tuple[int, ...]) -> NDArray[np.generic]:
        """Return ``(C, Y, X)`` of one plane, its channels in the order asked for, read now.

        Raises
        ------
        ImageError
            If there is no such time point, plane or channel, or its pixels can't be read.
        """
        return self.region(t, z, channels, slice(None), slice(None))

    def region(self, t: int, z: int, channels: tuple[int, ...], rows: slice, columns: slice) -> NDArray[np.generic]:
        """Return ``(C, h, w)`` of a part of one plane, read now; only the chunks it lies in are read.

        Parameters
        ----------
        t, z
            Which plane.
        channels
            Which channels, in the order asked for.
        rows, columns
            Which part, within the image.

        Raises
        ------
        ImageError
            If there is no such time point, plane or channel, or its pixels can't be read.
        """
        self._check("time point", t, self.shape[0])
        self._check("plane", z, self.shape[2])
        for channel in channels:
            self._check("channel", channel, self.shape[1])
        if self.direct is not None and self.direct.array is self.data:
            return self.direct(t, z, channels, rows, columns)
        return self.read(self.data[t, :, z, rows, columns][list(channels)])

    def _check(self, what: str, index: int, count: int) -> None:
        if not 0 <= index < count:
            raise ImageError(
                f"'{self.name}' has no {what} {index}: it has {count}, counted from 0. "
                f"Choose one from 0 to {count - 1}."
            )

    def read(self, part: da.Array) -> NDArray[np.generic]:
        """Return a part of `data` or of a level, read now.

        Raises
        ------
        ImageError
            If its pixels can't be read.
        """
        from dask.threaded import get  # by name dask would load its client for clusters first, which takes 2 seconds

        try:
            return np.asarray(part.compute(scheduler=get))  # type: ignore[no-untyped-call]
        except ImageError:
            raise
        except Exception as error:  # a reader raises whatever its decoder does: struct, zlib, value, system errors
            raise ImageError(
                f"The pixels of '{self.name}' can't be read: {error or type(error).__name__}. "
                "The file may be damaged, or its disk gone. Copy it again from where it came."
            ) from error
