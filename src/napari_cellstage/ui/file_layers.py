"""Images as plain napari layers: what File > Open shows without the dock, and what a project is without a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellstage.core.images import can_open, open_images

if TYPE_CHECKING:
    from napari_cellstage.core.images import ImageStack

LayerData = tuple[Any, dict[str, Any], str]
TINTS = ("gray", "green", "magenta", "cyan", "yellow", "red")
MANY_SCENES = 16


def get_image_reader(path: str | Sequence[str]) -> Callable[[Any], list[LayerData]] | None:
    """Return the reader of microscope files, or None when a path is none."""
    paths = [path] if isinstance(path, str) else list(path)
    return read_images if paths and all(can_open(one) for one in paths) else None


def read_images(path: str | Sequence[str]) -> list[LayerData]:
    """Open the scenes of files as layers; of a plate the first field, for hundreds of layers help nobody."""
    layers: list[LayerData] = []
    for one in [path] if isinstance(path, str) else path:
        stacks = open_images(Path(one))
        if len(stacks) > MANY_SCENES:
            _tell_many(stacks)
            stacks = stacks[:1]
        layers += [layer for stack in stacks for layer in image_layers(stack)]
    return layers


def image_layers(stack: ImageStack) -> list[LayerData]:
    """Return one image layer a channel, axes of length 1 left out; a colour picture is one layer."""
    from napari_cellstage.ui.channel_layers import placement_of, shown_pixels
    from napari_cellstage.ui.lazy_codes import in_levels

    placement = placement_of(stack, None)
    shared: dict[str, Any] = {"multiscale": in_levels(stack.shape), **placement.transform}
    if stack.rgb:
        return [(shown_pixels(stack, placement, None), {"name": stack.name, "rgb": True, **shared}, "image")]
    single = stack.shape[1] == 1
    tints = stack.channel_colors or cycle(TINTS)
    layers: list[LayerData] = []
    for channel, (name, tint) in enumerate(zip(stack.channel_names, tints, strict=False)):
        details = {
            "name": stack.name if single else f"{name} · {stack.name}",
            "colormap": tint,
            "blending": "additive",
            **shared,
        }
        layers.append((shown_pixels(stack, placement, channel), details, "image"))
    return layers


def _tell_many(stacks: Sequence[ImageStack]) -> None:
    from napari_cellstage.ui.notices import tell

    tell(
        f"{len(stacks)} images are in one file; '{stacks[0].name}' is shown. "
        "Open the file in the Cellstage dock to work on all of them."
    )
