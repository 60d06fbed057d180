"""Image layers for the channels of a stack, and where all layers of an image lie in the viewer."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellstage.core.images import ImageStack
from napari_cellstage.ui.overlay_layer import Placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

# The channel that shows the nuclei is gray, so that class colours stand out; the others are tinted, and hidden at
# first, for over a tinted picture no class colour can be told.
OTHER_COLORMAPS = ("green", "magenta", "cyan", "yellow", "red", "blue")
LOW_PERCENT, HIGH_PERCENT = 1.0, 99.8
SAMPLED = 512  # contrast limits come from about this many rows and columns


def axes_of(stack: ImageStack) -> tuple[int, ...]:
    """Return which of T, Z, Y, X (0 to 3) the layers of a stack have: T and Z only where there is more than one."""
    frames, _, planes, _, _ = stack.shape
    return (*((0,) if frames > 1 else ()), *((1,) if planes > 1 else ()), 2, 3)


def lies_over(layer: Image, stack: ImageStack) -> bool:
    """Return whether the last axes of a layer are those of the stack's cells, so that overlays fit upon it."""
    frames, _, planes, height, width = stack.shape
    wanted = tuple((frames, planes, height, width)[axis] for axis in axes_of(stack))
    pixels = layer.data[0] if layer.multiscale else layer.data
    shape = pixels.shape[:-1] if layer.rgb else pixels.shape
    return tuple(shape[-len(wanted) :]) == wanted


def placement_of(stack: ImageStack, own: Image | None) -> Placement:
    """Return the axes the layers of a stack have, and their place: of the user's own layer, or by pixel size."""
    axes = axes_of(stack)
    if own is not None:
        ndim = min(own.ndim, len(axes))
        scale, translate = np.ones(len(axes)), np.zeros(len(axes))
        scale[-ndim:], translate[-ndim:] = own.scale[-ndim:], own.translate[-ndim:]
        return Placement(axes, {"scale": scale, "translate": translate})
    size = (1.0, *stack.pixel_size_um) if stack.pixel_size_um else (1.0, 1.0, 1.0, 1.0)
    return Placement(axes, {"scale": [size[axis] for axis in axes]})


def add_channels(viewer: ViewerModel, stack: ImageStack, placement: Placement, front: int) -> list[Image]:
    """Add one image layer a channel (one in all for a colour picture); `front` is the channel of the nuclei."""
    if stack.rgb:
        return [viewer.add_image(_pixels(stack, placement, None), rgb=True, name=stack.name, **placement.transform)]
    made = [
        viewer.add_image(
            _pixels(stack, placement, channel),
            name=name if len(stack.channel_names) > 1 else stack.name,
            blending="additive",
            contrast_limits=_contrast(stack, channel),
            **placement.transform,
        )
        for channel, name in enumerate(stack.channel_names)
    ]
    put_in_front(made, front)
    return made


def put_in_front(channels: list[Image], front: int) -> None:
    """Show the channel of the nuclei in gray, and hide and tint the others; a colour picture stays as it is."""
    if any(layer.rgb for layer in channels):
        return
    colormaps = cycle(OTHER_COLORMAPS)
    for channel, layer in enumerate(channels):
        layer.colormap = "gray" if channel == front else next(colormaps)
        layer.visible = channel == front


def _pixels(stack: ImageStack, placement: Placement, channel: int | None) -> Any:
    """Return what napari slices: T and Z where there is more than one, Y, X, and RGB for `channel` None."""
    kept = tuple(slice(None) if axis in placement.axes else 0 for axis in range(4))
    pixels: Any = stack.data
    shown = (pixels.transpose((0, 2, 3, 4, 1)) if channel is None else pixels[:, channel])[kept]
    return np.asarray(shown) if placement.flat else shown


def _contrast(stack: ImageStack, channel: int) -> tuple[float, float] | None:
    """Return contrast limits from the middle plane: napari's smallest and largest value let a hot pixel rule."""
    frames, _, planes, height, width = stack.shape
    step_y, step_x = max(1, height // SAMPLED), max(1, width // SAMPLED)
    plane = np.asarray(stack.data[frames // 2, channel, planes // 2, ::step_y, ::step_x], dtype=np.float64)
    finite = plane[np.isfinite(plane)]
    if not finite.size:
        return (0.0, 1.0)
    low, high = np.percentile(finite, (LOW_PERCENT, HIGH_PERCENT))
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)
