"""Images of the same place as one image: files that hold one channel each, put together without reading them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.reading.content import unique
from napari_cellstage.core.reading.joined import JoinedPlanes, Part

_PLAIN = re.compile(r"channel \d+")  # how channels are called where a file says nothing


def joined(stacks: Sequence[ImageStack], names: Sequence[str] = ()) -> ImageStack:
    """Put the channels of images one after the other; one image is returned as it is.

    Parameters
    ----------
    stacks
        Images with the same T, Z, Y, X.
    names
        What each image shows, for those of one channel that has no name; else the names of their files count.

    Raises
    ------
    ImageError
        If there is no image, or they differ in size.
    """
    if not stacks:
        raise ImageError("No image was given. Choose at least one.")
    called = tuple(names) or tuple(stem_of(one.name) for one in stacks)
    channels = unique([name for one, call in zip(stacks, called, strict=True) for name in names_of(one, call)])
    first = stacks[0]
    if len(stacks) == 1:
        return replace(first, channel_names=tuple(channels))
    for other in stacks[1:]:
        if _volume(other) != _volume(first):
            raise ImageError(
                f"'{other.name}' has {size_text(other)}, '{first.name}' has {size_text(first)}. Images that are put "
                "together must show the same place: crop or resample one of them."
            )
    parts = [Part(one.pixels, channel, one.fingerprint) for one in stacks for channel in range(one.shape[1])]
    return ImageStack(
        name=first.name,
        pixels=JoinedPlanes(first.pixels, parts),
        channel_names=tuple(channels),
        pixel_size_um=next((one.pixel_size_um for one in stacks if one.pixel_size_um), None),
        path=first.path,
        fingerprint=blake2b("".join(one.fingerprint for one in stacks).encode(), digest_size=16).hexdigest(),
        time_step_s=first.time_step_s,
    )


def names_of(stack: ImageStack, call: str) -> tuple[str, ...]:
    """Return the names of an image's channels; the only one is called `call` where the file gives it no name."""
    only = len(stack.channel_names) == 1 and _PLAIN.fullmatch(stack.channel_names[0])
    return (call,) if only and call else stack.channel_names


def source_of(stack: ImageStack, channel: int) -> tuple[str, int]:
    """Return of which image, by its fingerprint, a channel comes, and its number there."""
    if isinstance(stack.pixels, JoinedPlanes):
        part = stack.pixels.parts[channel]
        return part.identity or stack.fingerprint, part.channel
    return stack.fingerprint, channel


def stem_of(name: str) -> str:
    """Return the name of a file without folders and endings."""
    last = name.rpartition("/")[2]
    return re.sub(r"(\.ome)?\.[A-Za-z]\w{0,5}$", "", last, flags=re.IGNORECASE) or last


def size_text(stack: ImageStack) -> str:
    """Return the size of an image as people say it: ``640 x 480 pixels, 13 planes``, width first."""
    frames, _channels, depth, height, width = stack.shape
    more = [f"{count} {what}" for count, what in ((depth, "planes"), (frames, "time points")) if count > 1]
    return ", ".join([f"{width} x {height} pixels", *more])


def _volume(stack: ImageStack) -> tuple[int, ...]:
    return (stack.shape[0], *stack.shape[2:])
