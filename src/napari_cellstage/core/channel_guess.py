"""Which channel shows the nuclei where no name says so: told by how its bright parts look."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.channel_names import named_channel
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.sampling import sample_windows
from napari_cellstage.core.stain_channels import without_stains

_PLAIN = re.compile(r"(channel|ch|c)?[ _:-]*\d*|red|green|blue", re.IGNORECASE)  # names that say nothing
_WHOLE = 1024  # pixels a side up to which a plane is looked at as a whole
_SHARES = 16  # of what `sampling` would read of a large one: four windows are enough to compare channels
_TILES = 30
_TRIES = 3  # images that tell nothing, such as colour pictures, after which no more of their kind are read
_SPECK = 20  # pixels; smaller spots are noise
_CLEARLY = 1.2  # times the first channel's score that another one needs: a toss-up is no reason to leave the first


def looks_nuclear(stack: ImageStack) -> int | None:
    """Return the channel whose bright parts look most like nuclei, read from the middle of the image.

    It is the one named after a stain of nuclei where there is one; the first where no other is clearly better.

    Returns
    -------
    int or None
        None where the image has one channel, its pixels can't be read, or it is a colour picture on bright ground, such
        as haematoxylin and eosin, in which nuclei are dark: then there is nothing to tell.
    """
    stack = without_stains(stack)  # a predicted one is never found in unless somebody says so
    named = named_channel(stack.channel_names)
    if named is not None or stack.shape[1] < 2:
        return named
    try:
        if stack.rgb and _on_bright_ground(stack):
            return None
        scores = [_score(stack, channel) for channel in range(stack.shape[1])]
    except ImageError:
        return None  # whoever needs the pixels will say so
    best = int(np.argmax(scores))
    return best if scores[best] > _CLEARLY * scores[0] else 0


def guessed_channels(stacks: Iterable[ImageStack]) -> dict[int, int]:
    """Return for each number of channels, of images whose names don't say it, which one shows nuclei.

    The first image with that many channels counts: others of a project are made with the same stains.
    """
    made: dict[int, int] = {}
    tried: Counter[int] = Counter()
    for stack in stacks:
        count = stack.shape[1]
        if count in made or tried[count] == _TRIES or named_channel(stack.channel_names) is not None:
            continue
        tried[count] += 1
        if (channel := looks_nuclear(stack)) is not None:
            made[count] = channel
    return made


def channel_sentence(stack: ImageStack, channel: int) -> str:
    """Return what to tell about a channel that was guessed; nothing where a name or a single channel decides."""
    if stack.shape[1] < 2 or named_channel(stack.channel_names) is not None:
        return ""
    name = stack.channel_names[channel]
    which = f"channel {channel}" + ("" if _PLAIN.fullmatch(name) else f" ('{name}')")
    return (
        f"{stack.name}: no channel is named after a stain of nuclei; cells are found in {which}, which looks most like "
        "it. Give --channel for another."
    )


def _score(stack: ImageStack, channel: int) -> float:
    frames, _, depth, _, _ = stack.shape
    t, z = frames // 2, depth // 2
    return float(np.mean([nuclear_score(stack.region(t, z, (channel,), *one)[0]) for one in _windows(stack)]))


def _on_bright_ground(stack: ImageStack) -> bool:
    """Tell whether most of a colour picture is nearer to its brightest than to its darkest."""
    rows, columns = _windows(stack)[0]
    light = stack.region(stack.shape[0] // 2, stack.shape[2] // 2, (0, 1, 2), rows, columns).astype(np.float32)
    return float(np.median(light)) > float(light.min() + light.max()) / 2


def _windows(stack: ImageStack) -> list[tuple[slice, slice]]:
    """Return which parts of a plane are looked at: single tiles of a contact sheet, each has light of its own."""
    (height, width), side = stack.shape[-2:], stack.tile
    if side:
        places = list(product(range(0, height, side), range(0, width, side)))
        chosen = places[:: max(1, len(places) // _TILES)]
        return [(slice(y, y + side), slice(x, x + side)) for y, x in chosen]
    if height * width <= _WHOLE**2:
        return [(slice(0, height), slice(0, width))]
    return sample_windows(_SHARES, height, width)


def nuclear_score(plane: NDArray[np.generic]) -> float:
    """Return how much a plane looks like nuclei: bright parts that are compact, times how far they stand out.

    Nuclei are filled and convex. Fibres and membranes leave hollows within their hull, noise falls apart into specks.

    Parameters
    ----------
    plane
        ``(Y, X)``, any real dtype.

    Returns
    -------
    float
        0 for a plane without contrast; about 2 for nuclei, below 1 for fibres.
    """
    from skimage.filters import gaussian, threshold_otsu

    smooth = gaussian(np.nan_to_num(plane.astype(np.float32)), 1)  # type: ignore[no-untyped-call]
    low, high = np.percentile(smooth, (1, 99.8))
    if high <= low:
        return 0.0
    smooth = np.clip((smooth - low) / (high - low), 0, 1)
    bright = smooth > threshold_otsu(smooth)  # type: ignore[no-untyped-call]
    if bright.all() or not bright.any():
        return 0.0
    inside, outside = smooth[bright], smooth[~bright]
    contrast = (inside.mean() - outside.mean()) / max(float(inside.std() + outside.std()), 1e-3)
    return _compactness(bright) * float(contrast)


def _compactness(bright: NDArray[np.bool_]) -> float:
    """Return which share of their convex hulls bright parts fill, large parts counting more; specks count nothing."""
    from skimage.measure import label, regionprops

    parts = regionprops(label(bright))  # type: ignore[no-untyped-call]
    filled = sum(part.area * part.solidity for part in parts if part.area >= _SPECK)
    return float(filled / bright.sum())
