"""Images from files and arrays, as lazy stacks with axes T, C, Z, Y, X."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray


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
        z, y, x in micrometres, or None where the file does not say (or says 0).
    path
        Where it was read from, or None for an image that exists in memory only.
    fingerprint
        Changes with the pixels: a hash of size, time of change and first bytes of the file, or of the array.
    rgb
        True when the three channels are red, green and blue of a colour picture.
    """

    name: str
    data: da.Array
    channel_names: tuple[str, ...]
    pixel_size_um: tuple[float, float, float] | None = None
    path: Path | None = None
    fingerprint: str = ""
    rgb: bool = False

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """T, C, Z, Y, X."""
        return self.data.shape  # type: ignore[no-any-return]

    def volume(self, t: int, channel: int) -> NDArray[np.generic]:
        """Return ``(Z, Y, X)`` of one time point and channel, read now."""
        raise NotImplementedError

    def plane(self, t: int, z: int, channels: tuple[int, ...]) -> NDArray[np.generic]:
        """Return ``(C, Y, X)`` of one plane, read now."""
        raise NotImplementedError


def open_image(path: Path | str) -> ImageStack:
    """Open TIFF, OME-TIFF, PNG or JPEG without reading its pixels; raise `ImageError` when that can't be done."""
    raise NotImplementedError


def from_array(array: Any, axes: str, name: str, **details: Any) -> ImageStack:
    """Wrap a numpy or dask array with axes such as ``"YX"``, ``"CYX"``, ``"TCZYX"`` or ``"YXS"`` (S: RGB samples)."""
    raise NotImplementedError
