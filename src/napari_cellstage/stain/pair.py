"""What a stain is learned from: transmitted light and fluorescence of the same place, read as they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.stain.pair_reading import floats, moved

Output = Literal["stack", "plane", "maximum"]  # what is predicted of the stain of a z-stack
OUTPUTS: tuple[Output, ...] = get_args(Output)
WHOLE = slice(None)


@dataclass(frozen=True, eq=False)
class StainPair:
    """One time point of one image with its stains.

    Parameters
    ----------
    name
        Of the image, and of the time point where there are several.
    group
        The image, well or movie it is of: a split never cuts it.
    inputs, input_channels
        Image and channels with transmitted light.
    targets, target_channels
        Image and channels with the stains; often the same image.
    t
        Time point, of both.
    output
        What is predicted: the stain of each plane, of one plane, or its maximum over the planes.
    plane
        With output ``"plane"``: which plane of the stains it is; None where they have one only.
    shift
        Whole pixels (dy, dx) by which the stains are moved to lie on the input.
    """

    name: str
    group: str
    inputs: ImageStack
    input_channels: tuple[int, ...]
    targets: ImageStack
    target_channels: tuple[int, ...]
    t: int = 0
    output: Output = "stack"
    plane: int | None = None
    shift: tuple[int, int] = (0, 0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Z, Y, X of the input."""
        return self.inputs.shape[2:]

    @property
    def depth_out(self) -> int:
        """Planes of what is predicted."""
        return self.targets.shape[2] if self.output == "stack" else 1

    def read_input(self, z: slice = WHOLE, y: slice = WHOLE, x: slice = WHOLE) -> NDArray[np.float32]:
        """Read ``(C, Z, h, w)`` float32 of a part within the image; NaN where a pixel is not finite.

        Raises
        ------
        ImageError
            If the pixels can't be read.
        """
        return floats(self.inputs, self.t, self.input_channels, z, y, x)

    def read_target(self, z: slice = WHOLE, y: slice = WHOLE, x: slice = WHOLE) -> NDArray[np.float32]:
        """Read ``(S, Zout, h, w)`` float32 of a part; NaN where a pixel is not finite, or the shift leaves nothing.

        Raises
        ------
        ImageError
            If the pixels can't be read.
        """
        part = moved(self.targets, self.t, self.target_channels, self._planes(z), y, x, self.shift)
        if self.output != "maximum":
            return part
        with np.errstate(invalid="ignore"):  # a place that is NaN in some planes has a maximum in the others
            return np.fmax.reduce(part, axis=1, keepdims=True)[:, z]

    def _planes(self, z: slice) -> slice:
        """Return which planes of the stains are read for some planes of what is predicted."""
        if self.output == "stack":
            return z
        if self.output == "maximum":
            return WHOLE
        plane = self.plane or 0
        return slice(plane, plane + len(range(1)[z]))


@dataclass(frozen=True, eq=False)
class StainSet:
    """Pairs to train on, or to score with.

    Parameters
    ----------
    pairs
        All with the same inputs, stains and output.
    input_names, stain_names
        Of the channels, in the order in which a pair reads them.
    pixel_size_um
        z, y, x of most images, or None where no image says it.
    notes
        Sentences to show: what was left out, what differs, what was corrected.
    """

    pairs: tuple[StainPair, ...]
    input_names: tuple[str, ...]
    stain_names: tuple[str, ...]
    pixel_size_um: tuple[float, float, float] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def output(self) -> Output:
        """What is predicted."""
        return self.pairs[0].output

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of each pair."""
        return tuple(pair.group for pair in self.pairs)

    def take(self, places: Iterable[int]) -> StainSet:
        """Return these pairs, in this order."""
        return replace(self, pairs=tuple(self.pairs[place] for place in places))

    def noting(self, *notes: str) -> StainSet:
        """Return the same with more notes; none is said twice."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))
