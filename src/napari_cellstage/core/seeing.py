"""Which channels of each image a network sees, where predicted ones are among them: by name, as each has its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from napari_cellstage.core.errors import ImageError, ModelError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.predicted import is_predicted, predicted_among, stain_of
from napari_cellstage.core.snapshot import Images, ImageSnapshot, Reader, WorkSnapshot
from napari_cellstage.core.stain_channels import in_file_order, in_order_of

Change = Callable[[ImageStack], ImageStack]


@dataclass(frozen=True)
class Seen:
    """Channels that a network sees of every image.

    Parameters
    ----------
    wanted
        Channels of the file by number or name, and predicted ones by name, in the order the network gets them.
    """

    wanted: tuple[int | str, ...]

    @property
    def channels(self) -> tuple[int, ...]:
        """Where they are in what `of` returns."""
        return tuple(range(len(self.wanted)))

    def of(self, stack: ImageStack) -> ImageStack:
        """Return an image with these channels first.

        Raises
        ------
        ImageError
            If it lacks one.
        """
        if lacking := self.lacking(stack.channel_names, stack.own_shape[1]):
            raise ImageError(lacks(stack.name, lacking))
        ordered = in_file_order(stack)
        names = ordered.channel_names
        return in_order_of(ordered, [one if isinstance(one, int) else names.index(one) for one in self.wanted])

    def lacking(self, names: Sequence[str], own: int) -> str:
        """Return the first that an image with these channels lacks, of which so many are its file's; empty: none."""
        there = (one < own if isinstance(one, int) else one in names for one in self.wanted)
        return next((str(one) for one, known in zip(self.wanted, there, strict=True) if not known), "")


def lacks(name: str, channel: str) -> str:
    """Return the sentence for an image that lacks a channel."""
    what = "Predict that stain for it (step Stain)" if is_predicted(channel) else "Choose the file that has it"
    return f"'{name}' has no channel '{channel}', which the network is to see. {what}, or choose other channels."


def seeing(work: WorkSnapshot, seen: Seen) -> WorkSnapshot:
    """Return a snapshot whose images have these channels first, and are to be seen by them.

    Reading an image that lacks one raises `ImageError`.
    """
    return replace(work, images=_changed(work.images, seen.of), channels=seen.channels)


def as_seen_by(work: WorkSnapshot, channels: Sequence[int], names: Sequence[str]) -> WorkSnapshot:
    """Return a snapshot as a model is to see it, whatever channels are chosen now.

    Parameters
    ----------
    work
        With what was chosen now.
    channels, names
        What the model was trained on, by number and name; where predicted ones are among them the names count.
    """
    if predicted_among(names):
        return seeing(work, Seen(tuple(names)))
    return replace(work, images=_changed(work.images, in_file_order), channels=tuple(channels))


def check_stains(wanted: Sequence[str], stack: ImageStack, channels: Sequence[int]) -> None:
    """Raise `ModelError` when a model that looks at a predicted stain gets something else in its place.

    Parameters
    ----------
    wanted
        Names of the channels that it was trained on.
    stack, channels
        What it gets. A measured stain may stand for a predicted one; that the image lacks a channel is said by whoever
        reads it.
    """
    names = stack.channel_names
    for mine, channel in zip(wanted, channels, strict=False):
        yours = names[channel] if channel < len(names) else mine
        if is_predicted(mine) and stain_of(mine) != stain_of(yours):
            raise ModelError(
                f"The model looks at '{mine}', but '{yours}' was given in its place. Predict that stain for this image "
                "and choose it among the channels that the network sees, or train a new model."
            )


def _changed(images: Sequence[ImageSnapshot], change: Change) -> Sequence[ImageSnapshot]:
    if isinstance(images, Images):
        return replace(images, readers={i: partial(_read, one, change) for i, one in images.readers.items()})
    return tuple(replace(one, stack=change(one.stack)) for one in images)


def _read(reader: Reader, change: Change) -> ImageSnapshot | None:
    found = reader()
    return None if found is None else replace(found, stack=change(found.stack))
