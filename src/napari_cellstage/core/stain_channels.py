"""Predicted stains as channels of their image: its file's channels first, with their own values, then the predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.boxes import Ranges
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.predicted import PredictedStain
from napari_cellstage.core.reading.joined import JoinedPlanes, Part
from napari_cellstage.core.reading.planes import Planes
from napari_cellstage.core.stain_files import StainFiles


@dataclass(frozen=True, eq=False)
class StainChannel:
    """A predicted stain with its pixels.

    Parameters
    ----------
    stain
        What is known of it.
    files
        Where its pixels are.
    """

    stain: PredictedStain
    files: StainFiles

    def fits(self, shape: Sequence[int]) -> bool:
        """Tell whether it is of an image of T, C, Z, Y, X: one plane of it may stand for all planes of a stack."""
        _, _, depth, *plane = self.files.kept.shape
        frames, _, planes, *wanted = shape
        return list(wanted) == plane and depth in (1, planes) and max(self.files.kept.times, default=-1) < frames

    def planes(self, kind: str, shape: Sequence[int]) -> StainPlanes:
        """Return ``"mean"`` or ``"uncertainty"`` as the one channel of a level of an image of shape T, C, Z, Y, X."""
        return StainPlanes(self, kind, shape)

    def unlike(self) -> NDArray[np.float32]:
        """Return the coarse map ``(T, 1, h, w)`` of the time points predicted: over 1 where unlike the training images.

        Raises
        ------
        ImageError
            If it can't be read.
        """
        return self.files.read("unlike", (slice(None), 0))

    @property
    def identity(self) -> str:
        """What no other prediction shares with it."""
        one = self.stain
        return f"{one.run}/{one.version}/{one.place}/{one.at}"


class StainPlanes(Planes):
    """One predicted stain in the shape of its image, at one of its levels.

    Time points that were not predicted are NaN. Where one plane was predicted of a stack, every plane shows it.

    Parameters
    ----------
    channel
        The stain.
    kind
        ``"mean"`` or ``"uncertainty"``.
    shape
        T, C, Z, Y, X of the level; its Z, Y and X may be less than those of the stain.
    """

    def __init__(self, channel: StainChannel, kind: str, shape: Sequence[int]) -> None:
        frames, _, depth, height, width = shape
        super().__init__((frames, 1, depth, height, width), np.dtype(np.float32), (1, 1, 1, height, width))
        self._files, self._place = channel.files, channel.stain.place
        kept = channel.files.kept
        self._frame_of = {t: i for i, t in enumerate(kept.times)}
        self._flat = kept.shape[2] == 1
        level = _level_for(kept.shape[3:], (height, width), channel.files.levels)
        self._kind, self._level, self._coarsest = kind, level, channel.files.levels - 1
        self._planes = _nearest(kept.shape[2], depth)
        stored = tuple(-(-n // 2**level) for n in kept.shape[3:])
        self._nearest = [_nearest(n, wanted) for n, wanted in zip(stored, (height, width), strict=True)]

    def read(self, ranges: Ranges) -> NDArray[np.float32]:
        """Return the pixels at places along the five axes."""
        made = np.full([len(one) for one in ranges], np.nan, dtype=np.float32)
        rows, columns = (near[np.asarray(one)] for near, one in zip(self._nearest, ranges[3:], strict=True))
        more = self._coarser(rows, columns)
        rows, columns, name = rows >> more, columns >> more, f"{self._kind}-{self._level + more}"
        part = tuple(slice(int(one.min()), int(one.max()) + 1) for one in (rows, columns))
        within = tuple(_within(one) for one in (rows, columns))
        for at, t in enumerate(ranges[0]):
            for deep, z in enumerate(ranges[2]):
                if t in self._frame_of and (deep == 0 or not self._flat):
                    index = (self._frame_of[t], self._place, int(self._planes[z]), *part)
                    made[at, :, deep] = self._files.read(name, index)[within[0]][:, within[1]]
                elif self._flat:
                    made[at, :, deep] = made[at, :, 0]
        return made

    def _coarser(self, *places: NDArray[np.int64]) -> int:
        """Return how many levels coarser one holds all these places: every fourth pixel is there two levels on."""
        together = int(np.bitwise_or.reduce(np.concatenate(places)))
        zeros = (together & -together).bit_length() - 1 if together else self._coarsest
        return min(zeros, self._coarsest - self._level)


def with_stains(stack: ImageStack, channels: Sequence[StainChannel]) -> ImageStack:
    """Return an image with predicted stains as further channels, read as their pixels are asked for.

    Parameters
    ----------
    stack
        As its file is.
    channels
        Stains of this image, in the order they get.

    Raises
    ------
    ImageError
        If one is of another shape.
    """
    for one in channels:
        if not one.fits(stack.shape):
            raise ImageError(
                f"'{one.stain.name}' was predicted for an image of another size than '{stack.name}': "
                f"{one.files.kept.shape[2:]}, not {stack.shape[2:]} (Z, Y, X). Predict it again."
            )
    if not channels:
        return stack
    count = stack.shape[1]
    stains = [one.stain for one in channels]
    return replace(
        stack,
        pixels=_joined(stack.pixels, channels),
        pyramid=tuple(_joined(level, channels) for level in stack.pyramid),
        channel_names=(*stack.channel_names, *(one.name for one in stains)),
        channel_colors=(*(stack.channel_colors or ("",) * count), *(one.colour for one in stains)),
        stains=((None,) * count + tuple(stains)),
    )


def without_stains(stack: ImageStack) -> ImageStack:
    """Return an image as its file is."""
    if not stack.stains or not isinstance(stack.pixels, JoinedPlanes):
        return stack
    ordered, count = in_file_order(stack), stack.own_shape[1]
    colors = ordered.channel_colors[:count]
    return replace(
        ordered,
        pixels=stack.pixels.own,
        pyramid=tuple(level.own for level in stack.pyramid if isinstance(level, JoinedPlanes)),
        channel_names=ordered.channel_names[:count],
        channel_colors=colors if any(colors) else (),
        stains=(),
    )


def in_order_of(stack: ImageStack, first: Sequence[int]) -> ImageStack:
    """Return an image with some channels first, in their order, and the others after them."""
    order = [*first, *(channel for channel in range(stack.shape[1]) if channel not in first)]
    if order == list(range(stack.shape[1])):
        return stack
    own = [channel for channel, one in enumerate(stack.stains) if one is None] if stack.stains else order
    return replace(
        stack,
        pixels=_ordered(stack.pixels, order, bool(stack.stains)),
        pyramid=tuple(_ordered(level, order, bool(stack.stains)) for level in stack.pyramid),
        channel_names=tuple(stack.channel_names[channel] for channel in order),
        channel_colors=tuple(stack.channel_colors[channel] for channel in order) if stack.channel_colors else (),
        stains=tuple(stack.stain(channel) for channel in order),
        rgb=stack.rgb and order[: len(own)] == own,
    )


def in_file_order(stack: ImageStack) -> ImageStack:
    """Return an image with the channels of its file in their order, and the predicted ones after them."""
    if not stack.stains or not isinstance(stack.pixels, JoinedPlanes):
        return stack
    parts = stack.pixels.parts
    own = sorted((c for c, one in enumerate(stack.stains) if one is None), key=lambda c: parts[c].channel)
    return in_order_of(stack, own)


def _joined(pixels: Planes, channels: Sequence[StainChannel]) -> JoinedPlanes:
    own = [Part(pixels, channel) for channel in range(pixels.shape[1])]
    return JoinedPlanes(pixels, [*own, *(Part(one.planes("mean", pixels.shape), 0, one.identity) for one in channels)])


def _ordered(pixels: Planes, order: Sequence[int], put_together: bool) -> JoinedPlanes:
    """Return channels in an order; of planes that were not put together here, whatever they are, each as it is."""
    if put_together and isinstance(pixels, JoinedPlanes):
        return JoinedPlanes(pixels.own, [pixels.parts[c] for c in order])
    return JoinedPlanes(pixels, [Part(pixels, c) for c in order])


def _level_for(whole: Sequence[int], wanted: Sequence[int], levels: int) -> int:
    """Return the coarsest stored level that is at least as fine as what is wanted."""
    fine = [level for level in range(levels) if all(-(-n // 2**level) >= m for n, m in zip(whole, wanted, strict=True))]
    return fine[-1] if fine else 0


def _within(places: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """Return places counted from the first of them; all of them, where they follow each other."""
    return slice(None) if (np.diff(places) == 1).all() else places - places.min()


def _nearest(stored: int, wanted: int) -> NDArray[np.int64]:
    """Return which of so many stored pixels lies under each of the wanted ones."""
    middle = (np.arange(wanted) + 0.5) * stored / wanted
    return np.minimum(middle.astype(np.int64), stored - 1)
