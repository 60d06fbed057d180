"""Pairs of images that are open: channels of each, or of several that show the same place."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.group_guesses import groups_by
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.reading.content import unique
from napari_cellstage.stain.channels import Wanted, as_items
from napari_cellstage.stain.joining import joined
from napari_cellstage.stain.pair import StainSet
from napari_cellstage.stain.pair_making import Ask, Couple, OutputOrAuto, paired

Images = ImageStack | Sequence[ImageStack]


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
    """Pair channels of the same images, every time point by itself.

    Parameters
    ----------
    stacks
        Images that hold transmitted light and stains. Those that lack a channel are left out, and noted.
    inputs, targets
        Channels, see `channels_named`.
    output
        What is predicted of a z-stack's stain. ``"auto"``: a stack where the stain is as deep as the input, else the
        one plane it has.
    plane
        Which plane of the stain is predicted, from 0; None: its middle one.
    group_from
        Regular expression that finds in the name of an image which well or movie it is of; see `groups_by`.
    groups
        The same, given: one an image. None of both: each image is a group.

    Raises
    ------
    ImageError
        If no image can be used; the text says why.
    """
    names = unique([stack.name for stack in stacks])
    if groups is not None and len(groups) != len(names):
        raise ImageError(f"There are {len(groups)} groups for {len(names)} images. Give one an image.")
    known = groups if groups is not None else groups_by(names, group_from) if group_from else names
    couples = [Couple(name, group, one, one) for name, group, one in zip(names, known, stacks, strict=True)]
    return paired(couples, Ask(inputs, targets, output, plane))


def pairs_of_stacks(
    input_stack: Images,
    target_stack: Images,
    inputs: Wanted = (),
    targets: Wanted = (),
    *,
    output: OutputOrAuto = "auto",
    plane: int | None = None,
    name: str = "",
    group: str = "",
) -> StainSet:
    """Pair images that show the same place: transmitted light, and one image or several with its stains.

    Parameters
    ----------
    input_stack, target_stack
        One image, or several whose channels are taken together. A stain in a file of its own is called as the file.
    inputs, targets
        Channels of these, see `channels_named`; all there are where none is named.
    output, plane
        As in `pairs_of_images`.
    name, group
        Of the pair; else the name of the input.

    Raises
    ------
    ImageError
        If they differ in size, or lack a channel; the text says both sizes.
    """
    light, stains = (joined([one] if isinstance(one, ImageStack) else one) for one in (input_stack, target_stack))
    called = name or light.name
    ask = Ask(as_items(inputs) or range(light.shape[1]), as_items(targets) or range(stains.shape[1]), output, plane)
    return paired([Couple(called, group or called, light, stains)], ask)
