"""Which channels of an image a model of stains looks at, and whether image and model fit each other at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.stain.channels import channels_named
from napari_cellstage.stain.resample import differs

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel

_GREEN = 1  # in which a colour camera is sharpest


def input_channels(
    model: StainModel, stack: ImageStack, wanted: Sequence[str | int] | None
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the image's channels in the order of the model's inputs, and sentences to show.

    Raises
    ------
    ModelError
        If there are too few or too many, or nobody can say which they are.
    ImageError
        If there is no such channel.
    """
    if wanted is not None:
        found = channels_named(stack, wanted)
        if len(found) != len(model.input_names):
            raise ModelError(
                f"{len(found)} input channels were given, but the model looks at {len(model.input_names)}: "
                f"{_named(model.input_names)}. Give as many, in this order."
            )
        return found, ()
    names = [name.casefold() for name in stack.channel_names]
    if all(names.count(name.casefold()) == 1 for name in model.input_names):
        return tuple(names.index(name.casefold()) for name in model.input_names), ()
    return _guessed(model, stack)


def check_planes(model: StainModel, stack: ImageStack) -> None:
    """Raise `ModelError` when the image is flat and the model looks at several planes, or merges more or fewer."""
    wanted, there = model.plan.exact_depth, stack.shape[2]
    if wanted is not None and wanted != there:
        raise ModelError(
            f"The model predicts from stacks of {wanted} planes, but '{stack.name}' has {there}. Give an image with "
            f"{wanted} planes, or train a model for {there}."
        )
    if there == 1 and model.plan.planes > 1:
        raise ModelError(
            f"The model looks at {model.plan.planes} planes at once, but '{stack.name}' has only one. Give a stack, or "
            "use a model that was trained with dimensions = '2d'."
        )


def plane_notes(model: StainModel, stack: ImageStack) -> tuple[str, ...]:
    """Return what is to be said of stacks with fewer planes than the model looks at."""
    wanted, there = model.plan.planes, stack.shape[2]
    if there >= wanted:
        return ()
    return (
        f"'{stack.name}' has {there} planes, but the model looks at {wanted} at once: planes above and below are "
        "made up by mirroring. Look closely before you trust the stain.",
    )


def size_notes(model: StainModel, stack: ImageStack) -> tuple[str, ...]:
    """Return what is to be said of pixel sizes: another one, or an unknown one."""
    own, trained = stack.pixel_size_um, model.pixel_size_um
    if own is None or trained is None:
        if own is None and trained is None:
            return ()
        who = f"'{stack.name}' does not say" if own is None else "The model does not know"
        return (
            f"{who} how large a pixel is, so nothing is resampled. If images and training data differ in "
            "magnification, the stain can't be trusted.",
        )
    notes = []
    if differs(own, trained):
        notes.append(
            f"Pixels of '{stack.name}' are {_size(own)} µm, those of the training data {_size(trained)} µm: the image "
            "is resampled for the model, and the stain brought back to its pixels."
        )
    if stack.shape[2] > 1 and model.planes > 1 and differs((1.0, own[0], 1.0), (1.0, trained[0], 1.0)):
        notes.append(
            f"Planes of '{stack.name}' are {own[0]:g} µm apart, those of the training data {trained[0]:g} µm. Planes "
            "are not resampled, so look closely before you trust the stain."
        )
    return tuple(notes)


def _guessed(model: StainModel, stack: ImageStack) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return channels where the names do not say which: as many as there are, or green of a colour picture."""
    count, there = len(model.input_names), stack.channel_names
    if count == len(there):
        taken = tuple(range(count))
    elif count == 1 and stack.rgb:
        taken = (_GREEN,)
    else:
        raise ModelError(
            f"The model looks at {_named(model.input_names)}, but '{stack.name}' has the channels {_named(there)}. "
            f"Say which {'is it' if count == 1 else 'they are'}."
        )
    names = _named([there[place] for place in taken])
    return taken, (f"The model was trained on {_named(model.input_names)}; of '{stack.name}' it looks at {names}.",)


def _named(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _size(size: tuple[float, float, float]) -> str:
    return f"{size[1]:.3g}" if size[1] == size[2] else f"{size[1]:.3g} x {size[2]:.3g}"
