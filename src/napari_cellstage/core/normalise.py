"""Intensities to float32, by values of the data set, the plate, the image, or given; only when chosen by each crop.

Absolute intensity can be the answer (G1, S and G2 differ by the amount of DNA), so the values are fixed by
default and travel with the model. What is scaled by its image or plate is so already when it is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError

Mode = Literal["dataset", "image", "plate", "fixed", "crop"]
MODES: tuple[Mode, ...] = ("dataset", "image", "plate", "fixed", "crop")
LOW_PERCENT, HIGH_PERCENT = 0.1, 99.9


@dataclass(frozen=True)
class Normalisation:
    """How raw intensities become network input.

    Parameters
    ----------
    mode
        ``"dataset"`` and ``"fixed"`` map ``low..high`` of each channel to 0..1; ``"crop"`` does so with each crop's
        own range. ``"image"`` and ``"plate"``: the crops come with 0..1 as the range of their image or plate.
    low, high
        One value a channel, in the units of the crops. Not used in mode ``"crop"``.
    """

    mode: Mode = "dataset"
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @classmethod
    def of(cls, crops: NDArray[np.generic], mode: Mode = "dataset") -> Normalisation:
        """Take the values from crops of the data set; for ``"fixed"`` they are given instead.

        Parameters
        ----------
        crops
            ``(N, C, H, W)``, any real dtype; values that are not finite are left out.
        """
        if mode == "crop":
            return cls(mode="crop")
        if mode in ("image", "plate"):
            return cls(mode, (0.0,) * crops.shape[1], (1.0,) * crops.shape[1])
        ends = [range_of(channel) for channel in np.moveaxis(crops, 1, 0)]
        return cls("dataset", tuple(low for low, _ in ends), tuple(high for _, high in ends))

    @property
    def by_image(self) -> bool:
        """Whether crops have to be scaled by their image or plate before."""
        return self.mode in ("image", "plate")

    def apply(self, crops: NDArray[np.generic]) -> NDArray[np.float32]:
        """Normalise crops.

        Parameters
        ----------
        crops
            ``(N, C, H, W)``, any real dtype.

        Returns
        -------
        ndarray
            ``(N, C, H, W)`` float32, 0 at `low` and 1 at `high`; clipped to -1..4, so that bright cells stay apart
            and a hot pixel does not rule; NaN and infinity become 0.

        Raises
        ------
        ImageError
            If the channel count is not the one the values were taken from.
        """
        values = np.asarray(crops, dtype=np.float32)
        values = np.where(np.isfinite(values), values, np.float32(np.nan))
        if self.mode == "crop":
            # fmin and fmax skip NaN as nanmin does, but do not warn of a crop that holds nothing else.
            low = np.fmin.reduce(values, axis=(2, 3), keepdims=True)
            high = np.fmax.reduce(values, axis=(2, 3), keepdims=True)
        else:
            if values.shape[1] != len(self.low):
                raise ImageError(
                    f"The image has {values.shape[1]} channels, the model was made for {len(self.low)}. "
                    "Choose the same number of channels for the network, or train a new model."
                )
            low = np.asarray(self.low, dtype=np.float32)[None, :, None, None]
            high = np.asarray(self.high, dtype=np.float32)[None, :, None, None]
        span = np.where(high > low, high - low, 1).astype(np.float32)
        scaled = np.nan_to_num((values - low) / span, nan=0.0)
        return np.asarray(np.clip(scaled, -1, 4), dtype=np.float32)


def range_of(values: NDArray[Any]) -> tuple[float, float]:
    """Return the dark and the bright end of what is in an array; the second is above the first."""
    values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    values = values.astype(np.uint8) if values.dtype == bool else values  # numpy has no percentile of bools
    low, high = np.percentile(values, (LOW_PERCENT, HIGH_PERCENT)).tolist() if values.size else (0.0, 1.0)
    return float(low), float(high) if high > low else float(low) + 1.0
