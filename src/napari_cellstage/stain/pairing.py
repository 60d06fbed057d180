"""Pairs of channels of images that are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.stain.pair import Output, StainSet

Wanted = Sequence[str | int] | str | int
OutputOrAuto = Output | Literal["auto"]


def pairs_of_images(
    stacks: Sequence[ImageStack],
    inputs: Wanted,
    targets: Wanted,
    *,
    output: OutputOrAuto = "auto",
    plane: int | None = None,
    group_from: str | None = None,
    groups: Sequence[str] | None = None,
) -> StainSet:
    """Pair channels of the same images, every time point by itself."""
    raise NotImplementedError


def pairs_of_stacks(
    input_stack: ImageStack | Sequence[ImageStack],
    target_stack: ImageStack | Sequence[ImageStack],
    inputs: Wanted = (),
    targets: Wanted = (),
    *,
    output: OutputOrAuto = "auto",
    plane: int | None = None,
    name: str = "",
    group: str = "",
) -> StainSet:
    """Pair images that show the same place: transmitted light, and one image or several with its stains."""
    raise NotImplementedError
