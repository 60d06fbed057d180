"""Images and labels that are already open in napari, as what the session understands. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack, from_array, open_image

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Labels

# What the axes before Y and X may be, by their number; the first is the likeliest.
LEADING_AXES: dict[int, tuple[str, ...]] = {
    0: ("",),
    1: ("C", "Z", "T"),
    2: ("TC", "TZ", "CZ", "ZC", "CT", "ZT"),
    3: ("TCZ", "TZC", "CTZ", "CZT", "ZCT", "ZTC"),
}
AXIS_NAMES = {"T": "time", "C": "channel", "Z": "depth"}
MANY = 8  # more than this many planes are no channels


def image_layers(viewer: ViewerModel, ours: Sequence[object] = ()) -> list[Image]:
    """Return the image layers that are not `ours`, the ones that can be an image of the project."""
    return [one for one in viewer.layers if type(one).__name__ == "Image" and not _among(one, ours)]


def labels_layers(viewer: ViewerModel, ours: Sequence[object] = ()) -> list[Labels]:
    """Return the labels layers that are not `ours`."""
    return [one for one in viewer.layers if type(one).__name__ == "Labels" and not _among(one, ours)]


def axes_choices(layer: Image) -> tuple[str, ...]:
    """Return what the layer's axes can be, likeliest first, such as ``("CYX", "ZYX", "TYX")``."""
    return likely_axes(_pixels(layer).shape, layer.rgb, layer.name)


def likely_axes(shape: tuple[int, ...], rgb: bool, name: str) -> tuple[str, ...]:
    """Return what the axes of an array of this shape can be, likeliest first.

    Raises
    ------
    ImageError
        If it has too few or too many.
    """
    extra = len(shape) - 2 - int(rgb)
    if extra not in LEADING_AXES:
        raise ImageError(
            f"'{name}' has {len(shape)} dimensions; at most time, channel and depth besides y and x can be used. "
            "Make a layer of one part of it, and use that."
        )
    tail = "YXS" if rgb else "YX"
    choices = tuple(lead + tail for lead in LEADING_AXES[extra] if not (rgb and "C" in lead))
    return tuple(sorted(choices, key=lambda axes: _is_unlikely(axes, shape)))


def stack_from_layer(layer: Image, axes: str) -> ImageStack:
    """Make a stack of a layer: of its file where it was opened from one, else of its pixels.

    Parameters
    ----------
    layer
        An image layer of napari.
    axes
        One of `axes_choices`.

    Raises
    ------
    ImageError
        If the axes do not fit.
    """
    from_memory = from_array(_pixels(layer), axes, layer.name, pixel_size_um=_pixel_size(layer, axes))
    if (path := _file_of(layer)) is None:
        return from_memory
    try:
        # Without `axes`: tomorrow the project opens the file by itself, and must find the same there.
        from_file = open_image(path)
    except ImageError:  # a format that napari reads and we do not: the pixels are at hand anyway
        return from_memory
    same = from_file.shape == from_memory.shape and from_file.pixels.dtype == from_memory.pixels.dtype
    return from_file if same else from_memory


def stack_from_layers(layers: Sequence[Image], axes: str) -> ImageStack:
    """Make one stack of several layers of one shape, each a channel.

    Raises
    ------
    ImageError
        If the shapes differ, or a layer has channels of its own.
    """
    if len(layers) == 1:
        return stack_from_layer(layers[0], axes)
    for one in layers:
        if _pixels(one).shape != _pixels(layers[0]).shape:
            raise ImageError(
                f"'{one.name}' has shape {_pixels(one).shape}, but '{layers[0].name}' has {_pixels(layers[0]).shape}; "
                "channels of one image need the same shape. Choose layers of one image only."
            )
    if "C" in axes or "S" in axes:
        raise ImageError(
            f"'{layers[0].name}' has channels of its own (axes {axes}), so it can't be one channel of an image. "
            "Use one layer at a time, or say that the axis is time or depth."
        )
    import dask.array as da

    data = da.stack([da.asarray(_pixels(one)) for one in layers])  # type: ignore[no-untyped-call]
    stack = from_array(data, "C" + axes, layers[0].name, channel_names=tuple(one.name for one in layers))
    return replace(stack, pixel_size_um=_pixel_size(layers[0], axes))


def axes_text(axes: str) -> str:
    """Return axes in words: ``"channel, y, x"``."""
    return ", ".join(AXIS_NAMES.get(a, "colour" if a == "S" else a.lower()) for a in axes)


def _is_unlikely(axes: str, shape: tuple[int, ...]) -> bool:
    return "C" in axes and shape[axes.index("C")] > MANY


def _pixels(layer: Any) -> Any:
    return layer.data[0] if getattr(layer, "multiscale", False) else layer.data


def _file_of(layer: Image) -> Path | None:
    path = Path(layer.source.path) if layer.source.path else None
    return path if path is not None and path.is_file() else None


def _pixel_size(layer: Image, axes: str) -> tuple[float, float, float] | None:
    """Return z, y, x in micrometres where the layer's units are lengths."""
    letters = axes.replace("S", "")
    size = {"Z": 1.0}
    for letter, scale, unit in zip(letters, layer.scale, layer.units, strict=True):
        if letter in "ZYX":
            if str(unit.dimensionality) != "[length]":
                return None
            size[letter] = float((scale * unit).to("micrometer").magnitude)
    lengths = tuple(float(size[a]) for a in "ZYX")
    return None if np.any(np.asarray(lengths) <= 0) else (lengths[0], lengths[1], lengths[2])


def _among(one: object, others: Sequence[object]) -> bool:
    return any(one is other for other in others)
