"""Intensities to what a network sees and predicts, and back to the stain's own units.

The amount of stain may be the answer, so its scale is fixed for the whole data set and travels with the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.intensities import levels_of
from napari_cellstage.core.normalise import range_of
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.splits import Region

ScalingMode = Literal["dataset", "image"]
Range = tuple[float, float]
Floats = NDArray[np.float32]
_PIXELS = 1 << 21  # of one channel that are looked at, or a little more
_REGIONS = 512  # parts that are looked at; more would hardly change a range
_SIDE = 128
_FARTHEST = 5.0  # times the range that an input may be: a hot pixel must not rule its surroundings


@dataclass(frozen=True)
class Scaling:
    """Ranges of inputs and stains.

    Parameters
    ----------
    mode
        Whether inputs are scaled by the range of the data set, or each by that of its own image.
    inputs
        Dark and bright end of each input channel in the data set.
    stains
        Dark and bright end of each stain; always of the data set.
    """

    mode: ScalingMode
    inputs: tuple[Range, ...]
    stains: tuple[Range, ...]

    @classmethod
    def of(cls, data: StainSet, regions: Sequence[Region], mode: ScalingMode = "dataset") -> Scaling:
        """Measure the parts that are trained on: 0.1 and 99.9 % of a sample of their pixels."""
        inputs, stains = sampled(data, regions)
        return cls(mode, _ranges(inputs), _ranges(stains))

    def to_input(self, values: NDArray[Any], own: Sequence[Range] | None = None) -> Floats:
        """Return inputs as a network sees them: -1 at the dark end, 1 at the bright one, 0 where a pixel is NaN.

        Parameters
        ----------
        values
            ``(C, ...)`` raw intensities.
        own
            The range of each channel in the whole image, see `own_ranges`; needed with mode ``"image"``.

        Raises
        ------
        ModelError
            If the number of channels is another one, or the image's own range is missing.
        """
        if self.mode == "image" and own is None:
            raise ModelError("The model scales each image by its own range, which was not given. Give `own_ranges`.")
        ranges = tuple(own) if self.mode == "image" and own is not None else self.inputs
        scaled = 2 * _scaled(values, ranges, "input channels") - 1
        return np.nan_to_num(np.clip(scaled, -_FARTHEST, _FARTHEST), copy=False, nan=0.0)

    def to_scaled(self, values: NDArray[Any]) -> Floats:
        """Return stains ``(S, ...)`` with 0 at the dark end and 1 at the bright one; nothing is cut off, NaN stays."""
        return _scaled(values, self.stains, "stains")

    def to_stain(self, scaled: NDArray[Any]) -> Floats:
        """Return ``(S, ...)`` in the stains' own units."""
        low, span = _ends(self.stains, scaled, "stains")
        return np.asarray(scaled, np.float32) * span + low

    def to_stain_width(self, scaled: NDArray[Any]) -> Floats:
        """Return differences ``(S, ...)``, such as an uncertainty, in the stains' own units."""
        _low, span = _ends(self.stains, scaled, "stains")
        return np.asarray(scaled, np.float32) * span

    def with_stains(self, stains: Sequence[Range]) -> Scaling:
        """Return the same with further stains after those there are."""
        return replace(self, stains=(*self.stains, *stains))

    def to_dict(self) -> dict[str, Any]:
        """Return what goes into a model's card."""
        return {
            "mode": self.mode,
            "inputs": [list(one) for one in self.inputs],
            "stains": [list(s) for s in self.stains],
        }

    @classmethod
    def from_dict(cls, card: dict[str, Any]) -> Scaling:
        """Return what a card holds.

        Raises
        ------
        ModelError
            If it is no scaling.
        """
        try:
            ends = [tuple((float(low), float(high)) for low, high in card[key]) for key in ("inputs", "stains")]
            mode = card["mode"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"The model's card does not say how intensities are scaled ({error!r}). Copy the model again."
            ) from error
        if mode not in ("dataset", "image"):
            raise ModelError(f"The model's card names the scaling '{mode}', known are dataset and image. Update this.")
        return cls(mode, ends[0], ends[1])


def own_ranges(stack: ImageStack, channels: tuple[int, ...]) -> tuple[Range, ...]:
    """Return the dark and bright end of channels over a sample of the whole image; remembered.

    Raises
    ------
    ImageError
        If the image lacks a channel, or can't be read.
    """
    levels = levels_of((stack,), channels)
    return tuple(zip(levels.low, levels.high, strict=True))


def sampled(data: StainSet, regions: Sequence[Region]) -> tuple[Floats, Floats]:
    """Return ``(C, N)`` input and ``(S, M)`` stain pixels, spread over parts of pairs; NaN where not finite.

    Raises
    ------
    ImageError
        If pixels can't be read.
    """
    spread = np.unique(np.linspace(0, len(regions) - 1, min(len(regions), _REGIONS)).round().astype(int))
    inputs, stains = [], []
    for place in spread:
        region = regions[place]
        pair = data.pairs[region.pair]
        planes = _three(pair.shape[0])
        for rows, columns in windows_in(region, _PIXELS // (len(spread) * len(planes))):
            inputs += [pair.read_input(z, rows, columns) for z in planes]
            stains += [pair.read_target(z, rows, columns) for z in _three(pair.depth_out)]
    return _flat(inputs, len(data.input_names)), _flat(stains, len(data.stain_names))


def _flat(parts: list[Floats], channels: int) -> Floats:
    flat = [part.reshape(channels, -1) for part in parts]
    return np.concatenate(flat, axis=1) if flat else np.empty((channels, 0), np.float32)


def _three(depth: int) -> list[slice]:
    """Return planes a quarter, half and three quarters along, each once."""
    return [slice(z, z + 1) for z in sorted({depth // 4, depth // 2, min(depth * 3 // 4, depth - 1)})]


def windows_in(region: Region, pixels: int) -> list[tuple[slice, slice]]:
    """Return windows spread over a part that have about so many pixels together; all of it where it is small."""
    height, width = region.size
    if height * width <= pixels:
        return [region.slices]
    side = min(_SIDE, height, width)
    count = max(1, round(np.sqrt(pixels / side**2)))
    starts = [
        sorted({first + int((length - side) * (i + 0.5) / count) for i in range(count)})
        for first, length in ((region.top, height), (region.left, width))
    ]
    return [(slice(y, y + side), slice(x, x + side)) for y, x in product(*starts)]


def _ranges(values: Floats) -> tuple[Range, ...]:
    return tuple(range_of(channel) for channel in values)


def _scaled(values: NDArray[Any], ranges: Sequence[Range], what: str) -> Floats:
    low, span = _ends(ranges, values, what)
    return (np.asarray(values, np.float32) - low) / span


def _ends(ranges: Sequence[Range], values: NDArray[Any], what: str) -> tuple[Floats, Floats]:
    if len(values) != len(ranges):
        raise ModelError(f"There are {len(values)} {what}, the model was made for {len(ranges)}. Choose as many.")
    ends = np.array(ranges, np.float32).reshape(len(ranges), 2, *(1,) * (values.ndim - 1))
    return ends[:, 0], ends[:, 1] - ends[:, 0]
