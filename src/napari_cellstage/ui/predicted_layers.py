"""Layers of predicted stains, each in its own colour, and on demand maps of how far they can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_cellstage.core.errors import CellStageError, ImageError
from napari_cellstage.ui.channel_layers import SCREEN, WHITE, contrast_of, shown_pixels
from napari_cellstage.ui.lazy_codes import in_levels
from napari_cellstage.ui.lazy_planes import LazyPlanes
from napari_cellstage.ui.overlay_layer import Placement

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer

    from napari_cellstage.core.images import ImageStack
    from napari_cellstage.core.stain_channels import StainChannel

MapKind = Literal["uncertainty", "unlike"]
MAPS: dict[str, tuple[str, str]] = {
    "uncertainty": ("uncertainty", "inferno"),
    "unlike": ("unlike training images", "magma"),
}
# The coarse map is over 1 where the image is unlike the training images: black is alike, white three times as far.
UNLIKE_LIMITS = (0.0, 3.0)


class PredictedLayers:
    """The layers of the predicted stains of one image in a viewer.

    Parameters
    ----------
    viewer
        Where they are shown.
    on_error
        Called when the pixels of one can't be read: the others are shown.
    """

    def __init__(self, viewer: ViewerModel, on_error: Callable[[CellStageError], None]) -> None:
        self._viewer, self._on_error = viewer, on_error
        self._of: dict[str, Image] = {}
        self._maps: dict[tuple[str, MapKind], Image] = {}
        self._shown: tuple[ImageStack, Placement] | None = None
        self._front = ""

    @property
    def layers(self) -> tuple[Image, ...]:
        """One a stain, in the order of the image's channels."""
        return tuple(self._of.values())

    @property
    def all(self) -> tuple[Image, ...]:
        """These, and the maps that were asked for."""
        return (*self.layers, *self._maps.values())

    def show(self, stack: ImageStack, placement: Placement, under: Sequence[Layer], visible: bool) -> bool:
        """Show the stains of an image; those of before are taken over where they have the same names.

        Returned is whether there are layers that were not there before.

        Parameters
        ----------
        stack, placement
            The image, and where its layers are.
        under
            Layers above which they lie.
        visible
            Whether those that were not there before are seen at once.
        """
        wanted = {one.name: channel for channel, one in enumerate(stack.stains) if one is not None}
        fits = self._shown is not None and _alike(self._shown, (stack, placement))
        self._remove([name for name in self._of if name not in wanted or not fits])
        self._remove_maps()
        self._shown = stack, placement
        before = set(self._of)
        for name, channel in wanted.items():
            try:
                self._show_one(name, channel, visible)
            except ImageError as error:
                self._remove([name])
                self._on_error(error)
        self._of = {name: self._of[name] for name in wanted if name in self._of}
        self._put_above(under)
        return bool(self._of.keys() - before)

    def put_in_front(self, channel: int) -> None:
        """Show the stain of this channel in gray, as the one that shows the nuclei; the one of before in its colour.

        The others are hidden when another channel comes to the front, as those of the file are.
        """
        told = self._shown[0].stain(channel) if self._shown is not None else None
        front, before = "" if told is None else told.name, self._front
        if before in self._of and before != front:
            self._of[before].colormap = self._colour(before)
        if front != before:
            for name, layer in self._of.items():
                layer.visible = name == front
        if front in self._of:
            self._of[front].colormap = "gray"
        self._front = front

    def show_map(self, channel: StainChannel, kind: MapKind, on: bool = True) -> Image | None:
        """Add a map of a stain's trust as a layer, or take it away; None where there is none then.

        Parameters
        ----------
        channel
            What `session.stain_channel` returns.
        kind
            ``"uncertainty"``: width of the interval that holds 80 % of the true values; ``"unlike"``: where the image
            is unlike the training images, over 1.
        """
        key = (channel.stain.name, kind)
        if not on or key in self._maps or self._shown is None:
            if not on and key in self._maps:
                self._take_away(self._maps.pop(key))
            return self._maps.get(key)
        active = self._viewer.layers.selection.active
        self._maps[key] = self._add_map(channel, kind, *self._shown)
        self._viewer.layers.selection.active = active
        return self._maps[key]

    def clear(self) -> None:
        """Remove the layers."""
        self._remove(list(self._of))
        self._remove_maps()
        self._shown = None

    def _colour(self, name: str) -> str:
        stains = self._shown[0].stains if self._shown is not None else ()
        return next((one.colour for one in stains if one is not None and one.name == name), "") or WHITE

    def _show_one(self, name: str, channel: int, visible: bool) -> None:
        stack, placement = self._shown  # type: ignore[misc]
        pixels, limits = shown_pixels(stack, placement, channel), contrast_of(stack, channel)
        layer, told = self._of.get(name), stack.stain(channel)
        note = told.note if told else ""
        if layer is None or layer not in self._viewer.layers:
            self._of[name] = self._viewer.add_image(
                pixels,
                name=name,
                colormap=self._colour(name),
                blending="additive",
                visible=visible,
                contrast_limits=limits,
                multiscale=in_levels(stack.shape),
                metadata={"predicted": note},
                **placement.transform,
            )
            return
        layer.data = pixels
        placement.put(layer)
        layer.metadata = {**layer.metadata, "predicted": note}
        if limits is not None:
            layer.contrast_limits = limits

    def _add_map(self, channel: StainChannel, kind: MapKind, stack: ImageStack, placement: Placement) -> Image:
        words, colormap = MAPS[kind]
        shared = {"name": f"{channel.stain.name}: {words}", "colormap": colormap, "blending": "additive"}
        if kind == "unlike":
            pixels, transform = _coarse(channel, stack, placement)
            return self._viewer.add_image(pixels, contrast_limits=UNLIKE_LIMITS, opacity=0.6, **shared, **transform)
        large = in_levels(stack.shape)
        levels = [
            _uncertainty(channel, shape, placement) for shape in (_halved(stack.shape) if large else [stack.shape])
        ]
        return self._viewer.add_image(levels if large else levels[0], multiscale=large, **shared, **placement.transform)

    def _put_above(self, under: Sequence[Layer]) -> None:
        """Move the layers to lie upon the channels of the file and under the cells."""
        layers = self._viewer.layers
        top = max((layers.index(one) for one in under if one in layers), default=-1)
        for one in self._of.values():
            place = layers.index(one)
            if place > top + 1:
                layers.move(place, top + 1)
            top = max(top, layers.index(one))

    def _remove(self, names: Sequence[str]) -> None:
        for name in names:
            if (layer := self._of.pop(name, None)) is not None:
                self._take_away(layer)
            if name == self._front:
                self._front = ""  # one that comes in its place is brought to the front anew

    def _remove_maps(self) -> None:
        for layer in self._maps.values():
            self._take_away(layer)
        self._maps = {}

    def _take_away(self, layer: Image) -> None:
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


def _alike(before: tuple[ImageStack, Placement], now: tuple[ImageStack, Placement]) -> bool:
    """Tell whether layers of one image can take over another."""
    (old, there), (new, here) = before, now
    return in_levels(old.shape) == in_levels(new.shape) and len(there.axes) == len(here.axes)


def _uncertainty(channel: StainChannel, shape: Sequence[int], placement: Placement) -> LazyPlanes:
    planes = channel.planes("uncertainty", shape)
    volume = (planes.shape[0], *planes.shape[2:])
    return LazyPlanes(volume, placement.axes, lambda: planes.dtype, partial(_read, planes))


def _halved(shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the shapes of the resolutions of a large image; the last fits a screen."""
    shapes = [tuple(shape)]
    while max(shapes[-1][-2:]) > SCREEN:
        shapes.append((*shapes[-1][:3], *(-(-n // 2) for n in shapes[-1][-2:])))
    return shapes


def _read(planes: Any, t: int, z: int, rows: slice, columns: slice) -> Any:
    return planes[t, 0, z, rows, columns]


def _coarse(channel: StainChannel, stack: ImageStack, placement: Placement) -> tuple[LazyPlanes, dict[str, Any]]:
    """Return the map of what is unlike as napari slices it, and its place: its pixels cover many of the image."""
    step, values = channel.files.step, channel.unlike()
    frames, planes = stack.shape[0], stack.shape[2]
    frame_of = {t: i for i, t in enumerate(channel.files.kept.times)}

    def read(t: int, _z: int, rows: slice, columns: slice) -> Any:
        if t not in frame_of:
            return np.full(values.shape[2:], np.nan, dtype=np.float32)[rows, columns]
        return values[frame_of[t], 0][rows, columns]

    transform = dict(placement.transform)
    fine = np.asarray(transform.get("scale", np.ones(len(placement.axes))), dtype=float)
    moved = np.asarray(transform.get("translate", np.zeros(len(placement.axes))), dtype=float)
    scale, translate = fine.copy(), moved.copy()
    scale[-2:] = fine[-2:] * step
    translate[-2:] = moved[-2:] + fine[-2:] * (np.asarray(step) - 1) / 2
    shape = (frames, planes, *values.shape[-2:])
    made = LazyPlanes(shape, placement.axes, lambda: np.dtype(np.float32), read)
    return made, transform | {"scale": scale, "translate": translate}
