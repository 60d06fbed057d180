"""Axes that a file leaves open, told by the channels that are asked for: planes are channels if one wants the last."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import open_image
from napari_cellstage.core.reading.axes import axes_choices
from napari_cellstage.stain.channels import Wanted, channels_named


def with_channels(stack: ImageStack, wanted: Sequence[Wanted]) -> ImageStack:
    """Return an image whose axes were guessed with other ones, if only so it has the channels; else as it is.

    Raises
    ------
    ImageError
        If its file can't be opened again.
    """
    if not stack.guessed_axes or stack.path is None or _fits(stack, wanted):
        return stack
    for axes in axes_choices(stack.guessed_axes)[1:]:
        other = open_image(stack.path, axes, stack.scene)
        if _fits(other, wanted):
            return other
    return stack


def _fits(stack: ImageStack, wanted: Sequence[Wanted]) -> bool:
    try:
        return all(bool(channels_named(stack, one)) for one in wanted)
    except ImageError:
        return False
