"""One image as a lazy stack with axes T, C, Z, Y, X; see `images` for where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError

if TYPE_CHECKING:
    import dask.array as da

    from napari_cellstage.core.predicted import PredictedStain
    from napari_cellstage.core.reading.planes import Planes


@dataclass(frozen=True)
class ImageStack:
    """One image, read as its pixels are asked for.

    Parameters
    ----------
    name
        As shown; the file name where there is a file.
    pixels
        ``(T, C, Z, Y, X)``, any real dtype, read where they are indexed. RGB pictures are three channels.
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
    stains
        One a channel: what is known of it where it is a predicted one, None where it is the file's own; empty where
        no channel is predicted. See `stain_channels.with_stains`.
    """

    name: str
    pixels: Planes
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
    pyramid: tuple[Planes, ...] = ()
    tile: int = 0
    notes: tuple[str, ...] = ()
    stains: tuple[PredictedStain | None, ...] = ()

    @property
    def data(self) -> da.Array:
        """The pixels as a dask array, for scripts; nothing else here needs dask, which takes seconds to load."""
        return self.pixels.dask

    @property
    def levels(self) -> tuple[Planes, ...]:
        """The image at full resolution, and the coarser levels after it."""
        return (self.pixels, *self.pyramid)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """T, C, Z, Y, X."""
        return self.pixels.shape

    @property
    def own_shape(self) -> tuple[int, int, int, int, int]:
        """T, C, Z, Y, X of what the file holds, without predicted channels."""
        frames, count, *volume = self.shape
        return (frames, count - sum(one is not None for one in self.stains), *volume)  # type: ignore[return-value]

    def stain(self, channel: int) -> PredictedStain | None:
        """Return what is known of a predicted channel; None when it is one of the file's own."""
        return self.stains[channel] if self.stains else None

    def identity(self, channels: tuple[int, ...]) -> str:
        """Return what changes with the pixels of some channels: the fingerprint, and which predictions they are."""
        predicted = self.pixels.identity(channels)
        return f"{self.fingerprint}+{predicted}" if predicted and self.fingerprint else self.fingerprint

    def volume(self, t: int, channel: int) -> NDArray[np.generic]:
        """Return ``(Z, Y, X)`` of one time point and channel, read now.

        Raises
        ------
        ImageError
            If there is no such time point or channel, or its pixels can't be read.
        """
        self._check("time point", t, self.shape[0])
        self._check("channel", channel, self.shape[1])
        return self.pixels[t, channel]

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
        return self.pixels.plane(t, z, channels, rows, columns)

    def _check(self, what: str, index: int, count: int) -> None:
        if not 0 <= index < count:
            raise ImageError(
                f"'{self.name}' has no {what} {index}: it has {count}, counted from 0. "
                f"Choose one from 0 to {count - 1}."
            )
