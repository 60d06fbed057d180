"""Image layers for the channels of a file, and where all layers of an image lie in the viewer."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.reading.planes import Planes, Thinned
from napari_cellstage.core.sampling import sample_windows
from napari_cellstage.ui.lazy_codes import in_levels
from napari_cellstage.ui.lazy_planes import LazyPlanes, Read
from napari_cellstage.ui.overlay_layer import Placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

# The channel that shows the nuclei is gray, so that class colours stand out; the others are tinted, and hidden at
# first, for over a tinted picture no class colour can be told.
OTHER_COLORMAPS = ("green", "magenta", "cyan", "yellow", "red", "blue")
WHITE = "#ffffff"
LOW_PERCENT, HIGH_PERCENT = 1.0, 99.8
BRIGHT = 0.3  # of the range shown
SAMPLED = 512  # contrast limits come from about this many rows and columns
SCREEN = 2048
AXIS_WORDS = ("time", "z", "y", "x")  # beside napari's sliders


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
    labels = tuple(AXIS_WORDS[axis] for axis in axes)
    if own is not None:
        ndim = min(own.ndim, len(axes))
        scale, translate, own_units = np.ones(len(axes)), np.zeros(len(axes)), ["pixel"] * len(axes)
        scale[-ndim:], translate[-ndim:] = own.scale[-ndim:], own.translate[-ndim:]
        own_units[-ndim:] = [str(unit) for unit in own.units[-ndim:]]
        return Placement(axes, {"scale": scale, "translate": translate, "units": own_units, "axis_labels": labels})
    size = (stack.time_step_s or 1.0, *(stack.pixel_size_um or (1.0, 1.0, 1.0)))
    time = "second" if stack.time_step_s else "pixel"
    units = (time, *(["micrometer" if stack.pixel_size_um else "pixel"] * 3))
    sizes, names = [size[axis] for axis in axes], [units[axis] for axis in axes]
    return Placement(axes, {"scale": sizes, "units": names, "axis_labels": labels})


class ChannelLayers:
    """The image layers of one image in a viewer; those of the next image of the same kind take them over.

    napari takes a quarter of a second to remove a layer, and as long to add one; new pixels in it cost a tenth of that.

    Parameters
    ----------
    viewer
        Where they are shown.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.layers: list[Image] = []

    def fit(self, stack: ImageStack, placement: Placement) -> bool:
        """Return whether the layers that are there can show this image."""
        one = next(iter(self.layers), None)
        if one is None or not all(layer in self._viewer.layers for layer in self.layers):
            return False
        count = 1 if stack.rgb else stack.own_shape[1]
        alike = one.rgb == stack.rgb and one.multiscale == in_levels(stack.shape) and one.ndim == len(placement.axes)
        return alike and len(self.layers) == count

    def show(self, stack: ImageStack, placement: Placement, front: int) -> None:
        """Show an image, in the layers that are there if they fit.

        Raises
        ------
        ImageError
            If its pixels can't be read; then there is no layer.
        """
        before = list(self._viewer.layers)
        try:
            if self.fit(stack, placement):
                self._take_over(stack, placement)
            else:
                self.clear()
                self.layers = add_channels(self._viewer, stack, placement, front)
        except ImageError:
            self.clear()
            for layer in [one for one in self._viewer.layers if one not in before]:
                self._viewer.layers.remove(layer)
            raise

    def clear(self) -> None:
        """Remove the layers."""
        for layer in self.layers:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self.layers = []

    def _take_over(self, stack: ImageStack, placement: Placement) -> None:
        """Put other pixels into the layers; colours, and which are seen, stay as the user has them."""
        channels: list[int | None] = [None] if stack.rgb else list(range(stack.own_shape[1]))
        pixels = [shown_pixels(stack, placement, channel) for channel in channels]
        limits = [None if channel is None else contrast_of(stack, channel) for channel in channels]
        names = _names(stack)
        for layer, shown, contrast, name in zip(self.layers, pixels, limits, names, strict=True):
            layer.data = shown
            placement.put(layer)
            if contrast is not None:
                layer.contrast_limits = contrast
            layer.name = name


def _names(stack: ImageStack) -> tuple[str, ...]:
    """Return the names of the layers: of the channels, or of the image where there is one layer only."""
    own = stack.channel_names[: stack.own_shape[1]]
    return own if len(own) > 1 and not stack.rgb else (stack.name,)


def add_channels(viewer: ViewerModel, stack: ImageStack, placement: Placement, front: int) -> list[Image]:
    """Add one image layer a channel (one in all for a colour picture); `front` is the channel of the nuclei."""
    large = in_levels(stack.shape)
    shared = {"multiscale": large, **placement.transform}
    if stack.rgb:
        return [viewer.add_image(shown_pixels(stack, placement, None), rgb=True, name=stack.name, **shared)]
    made = [
        viewer.add_image(
            shown_pixels(stack, placement, channel),
            name=name,
            blending="additive",
            contrast_limits=contrast_of(stack, channel),
            **shared,
        )
        for channel, name in enumerate(_names(stack))
    ]
    put_in_front(made, front, stack.channel_colors[: len(made)])
    return made


def put_in_front(channels: list[Image], front: int, colors: tuple[str, ...] = ()) -> None:
    """Show the channel of the nuclei in gray, and hide and tint the others; a colour picture stays as it is.

    The others have the colours that the file names, or some that can be told apart: white says nothing.
    """
    if any(layer.rgb for layer in channels):
        return
    colormaps = cycle(OTHER_COLORMAPS)
    for channel, layer in enumerate(channels):
        named = colors[channel] if len(colors) == len(channels) else ""
        tint = named if named not in ("", WHITE) else next(colormaps)
        layer.colormap = "gray" if channel == front else tint
        layer.visible = channel == front


def shown_pixels(stack: ImageStack, placement: Placement, channel: int | None) -> Any:
    """Return what napari slices: T and Z where there is more than one, Y, X, and RGB for `channel` None.

    An array in memory for one small plane; resolutions for a large image, those of the file or every second pixel.
    """
    wanted = range(stack.own_shape[1]) if channel is None else channel
    if not in_levels(stack.shape):
        shown = _axes_kept(stack.pixels, placement, wanted)
        return np.asarray(shown) if placement.flat else shown
    first, *coarser = _levels(stack)
    return [_axes_kept(first, placement, wanted), *(_axes_kept(one, placement, wanted, True) for one in coarser)]


def _axes_kept(pixels: Planes, placement: Placement, wanted: int | range, coarse: bool = False) -> LazyPlanes:
    """Return an array of one level that is read where napari looks: of a channel, or of several as colours."""
    colours = len(wanted) if isinstance(wanted, range) else 0
    channels = slice(wanted.start, wanted.stop) if isinstance(wanted, range) else wanted

    def read(t: int, z: int, rows: slice, columns: slice) -> Any:
        part = pixels[t, channels, z, rows, columns]
        return np.moveaxis(part, 0, -1) if colours else part

    frames, _, *volume = pixels.shape
    small = coarse and max(volume[1:]) <= SCREEN
    shape, dtype = (frames, *volume), pixels.dtype_of(wanted if isinstance(wanted, range) else (wanted,))
    return LazyPlanes(shape, placement.axes, lambda: dtype, _remembered(read) if small else read, colours)


def _remembered(read: Read) -> Read:
    """Return a reader that keeps the last planes: napari reads the coarsest level again with every step aside.

    Where it has to be computed from all pixels, that takes seconds.
    """

    @lru_cache(maxsize=4)
    def plane(t: int, z: int) -> Any:
        return read(t, z, slice(None), slice(None))

    return lambda t, z, rows, columns: plane(t, z)[rows, columns]


def _levels(stack: ImageStack) -> list[Planes]:
    """Return the resolutions of a large image; the last fits a screen."""
    levels = list(stack.levels)
    while max(levels[-1].shape[-2:]) > SCREEN:
        levels.append(Thinned(levels[-1]))
    return levels


def contrast_of(stack: ImageStack, channel: int) -> tuple[float, float] | None:
    """Return contrast limits from the middle plane: napari's smallest and largest value let a hot pixel rule."""
    sample = _sample(stack, channel)
    finite = sample[np.isfinite(sample)]
    if not finite.size and stack.stain(channel) is not None:  # not every time point may have been predicted
        first = np.asarray(stack.levels[-1][:, channel, 0, ::8, ::8], dtype=np.float64)
        finite = first[np.isfinite(first)]
    if not finite.size:
        return (0.0, 1.0)
    low, high = np.percentile(finite, (LOW_PERCENT, HIGH_PERCENT))
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def is_bright(stack: ImageStack, channel: int) -> bool:
    """Tell whether most of a channel is far from black as it is shown, as transmitted light is; no when unreadable."""
    try:
        sample, limits = _sample(stack, channel), contrast_of(stack, channel)
    except ImageError:
        return False
    finite = sample[np.isfinite(sample)]
    if limits is None or not finite.size:
        return False
    return float(np.median(finite)) > limits[0] + BRIGHT * (limits[1] - limits[0])


def _sample(stack: ImageStack, channel: int) -> Any:
    """Return pixels from all over the middle plane; of a large image without resolutions, from windows of it."""
    frames, _, planes, height, width = stack.shape
    t, z = frames // 2, planes // 2
    if in_levels(stack.shape) and not stack.pyramid:
        windows = [stack.region(t, z, (channel,), *window) for window in sample_windows(planes, height, width)[::4]]
        return np.concatenate([window.ravel()[::16] for window in windows]).astype(np.float64)
    coarsest = stack.levels[-1]
    step_y, step_x = (max(1, length // SAMPLED) for length in coarsest.shape[-2:])
    return coarsest[t, channel, z, ::step_y, ::step_x].astype(np.float64)
