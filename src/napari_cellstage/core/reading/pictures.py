"""PNG and JPEG pictures, upright as their camera says."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.reading.content import Content, checked_axes
from napari_cellstage.core.reading.pixels import Index, Pixels, stamp


class PictureSource:
    """A picture; it is decoded once now, which shows whether it is whole, and again when it is looked at.

    Parameters
    ----------
    path
        The file.
    """

    scenes = ("",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, scene: int, axes: str | None) -> Content:  # noqa: ARG002 - a picture has one scene
        """Return the picture."""
        decoded = _decoded(self.path, stamp(self.path))
        token = f"{self.path.absolute()}-{stamp(self.path)}"
        read = partial(_read, self.path)
        pixels = Pixels(self.path.name, token, decoded.shape, decoded.dtype, read, decoded.shape)
        known = checked_axes(axes, decoded.ndim, self.path.name, decoded.shape) if axes else "YXS"[: decoded.ndim]
        return Content((pixels,), known)


@lru_cache(maxsize=2)
def _decoded(path: Path, _stamp: tuple[int, int]) -> NDArray[Any]:
    """Return a picture ``(Y, X)`` or ``(Y, X, S)``, turned as phones note it; kept for the next part of it."""
    import imageio.v3 as imageio

    return np.asarray(imageio.imread(path, plugin="pillow", index=0, rotate=True))


def _read(path: Path, index: Index) -> NDArray[Any]:
    return _decoded(path, stamp(path))[index].copy()  # who reads may write into it
