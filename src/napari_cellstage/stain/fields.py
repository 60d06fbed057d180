"""`Field`: the part of an image that stains are predicted for, read as a network sees it, mirrored at the edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.sampling import sample_windows
from napari_cellstage.stain.windows import mirrored

Floats = NDArray[np.float32]
Read = Callable[[slice, slice, slice], Floats]
_SAMPLE_PLANES = 5


@dataclass(frozen=True, eq=False)
class Field:
    """One time point of an image, or a part of it.

    Parameters
    ----------
    read
        Gives ``(C, Z, h, w)`` raw float32 of planes, rows and columns within the image, NaN where not finite.
    scale
        Makes of raw intensities ``(C, ...)`` what a network sees.
    shape
        Z, Y, X of the image.
    corner, size
        Row and column of the part's first pixel, and its height and width. What lies around it is looked at too.
    """

    read: Read
    scale: Callable[[Floats], Floats]
    shape: tuple[int, int, int]
    corner: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (0, 0)
    _medians: list[Floats] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        if self.size == (0, 0):
            object.__setattr__(self, "size", self.shape[1:])

    def rows(self, planes: NDArray[np.intp], rows: tuple[int, int], columns: tuple[int, int]) -> Floats:
        """Return ``(C, n, h, w)`` as a network sees it, of some planes, and rows and columns of the part.

        Rows and columns may lie outside the part, and outside the image, which is mirrored there.
        """
        return self.seen(self.raw(planes, rows, columns))

    def raw(self, planes: NDArray[np.intp], rows: tuple[int, int], columns: tuple[int, int]) -> Floats:
        """Return the same as it is in the image, NaN where a pixel is not finite."""
        top, left = self.corner
        down = mirrored(rows[0] + top, rows[1] + top, self.shape[1])
        across = mirrored(columns[0] + left, columns[1] + left, self.shape[2])
        spans = [slice(int(p.min()), int(p.max()) + 1) for p in (planes, down, across)]
        values = self.read(*spans)
        for axis, (places, span) in enumerate(zip((planes, down, across), spans, strict=True), start=1):
            if len(places) != values.shape[axis] or (np.diff(places) != 1).any():
                values = np.take(values, places - span.start, axis=axis)
        return values

    def seen(self, raw: Floats) -> Floats:
        """Return raw intensities as a network sees them; places that are not finite as the image's median."""
        return self.scale(self.mended(raw))

    def mended(self, raw: Floats) -> Floats:
        """Return raw intensities with the channel's median in the image where a pixel is not finite."""
        bad = ~np.isfinite(raw)
        if not bad.any():
            return raw
        return np.where(bad, self.medians()[:, None, None, None], raw)

    def medians(self) -> Floats:
        """Return ``(C,)`` medians of a sample of the image; 0 for a channel without any finite pixel. Remembered."""
        if not self._medians:
            self._medians.append(self._measured())
        return self._medians[0]

    def _measured(self) -> Floats:
        depth, height, width = self.shape
        planes = sorted({round(p) for p in np.linspace(0, depth - 1, min(depth, _SAMPLE_PLANES))})
        parts = [
            self.read(slice(z, z + 1), *window)[..., ::4, ::4]
            for z in planes
            for window in sample_windows(len(planes), height, width)
        ]
        values = np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
        known = [channel[np.isfinite(channel)] for channel in values]
        return np.array([np.median(one) if len(one) else 0.0 for one in known], dtype=np.float32)
