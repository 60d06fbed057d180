"""Intensities to what a network sees and predicts, and back to the stain's own units.

The amount of stain may be the answer, so its scale is fixed for the whole data set and travels with the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
_PIXELS = 1 << 21  # of one channel that are looked at
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
        inputs, stains = _sampled(data, regions)
        return cls(mode, _ranges(inputs), _ranges(stains))

    def to_input(self, values: NDArray[Any], own: Sequence[Range] | None = None) -> NDArray[np.float32]:
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

    def to_scaled(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return stains ``(S, ...)`` with 0 at the dark end and 1 at the bright one; nothing is cut off, NaN stays."""
        return _scaled(values, self.stains, "stains")

    def to_stain(self, scaled: NDArray[Any]) -> NDArray[np.float32]:
        """Return ``(S, ...)`` in the stains' own units."""
        low, span = _ends(self.stains, scaled, "stains")
        return np.asarray(scaled, np.float32) * span + low

    def to_stain_width(self, scaled: NDArray[Any]) -> NDArray[np.float32]:
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


def _sampled(data: StainSet, regions: Sequence[Region]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return ``(C, N)`` and ``(S, N)`` pixels spread over the parts."""
    raise NotImplementedError


def _ranges(values: NDArray[np.float32]) -> tuple[Range, ...]:
    return tuple(range_of(channel) for channel in values)


def _scaled(values: NDArray[Any], ranges: Sequence[Range], what: str) -> NDArray[np.float32]:
    low, span = _ends(ranges, values, what)
    return (np.asarray(values, np.float32) - low) / span


def _ends(ranges: Sequence[Range], values: NDArray[Any], what: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if len(values) != len(ranges):
        raise ModelError(f"There are {len(values)} {what}, the model was made for {len(ranges)}. Choose as many.")
    ends = np.array(ranges, np.float32).reshape(len(ranges), 2, *(1,) * (values.ndim - 1))
    return ends[:, 0], ends[:, 1] - ends[:, 0]
