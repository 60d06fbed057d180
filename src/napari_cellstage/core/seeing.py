"""Which channels of each image a network sees, where predicted ones are among them: by name, as each has its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.predicted import is_predicted
from napari_cellstage.core.snapshot import Images, ImageSnapshot, Reader, WorkSnapshot
from napari_cellstage.core.stain_channels import in_order_of


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
        names = stack.channel_names
        return in_order_of(stack, [one if isinstance(one, int) else names.index(one) for one in self.wanted])

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
    images = work.images
    if isinstance(images, Images):
        return replace(work, images=images_seeing(images, seen), channels=seen.channels)
    return replace(work, images=tuple(_seen(one, seen) for one in images), channels=seen.channels)


def images_seeing(images: Images, seen: Seen) -> Images:
    """Return images that are read with these channels first."""
    return replace(images, readers=readers_seeing(images.readers, seen))


def readers_seeing(readers: Mapping[int, Reader], seen: Seen) -> dict[int, Reader]:
    """Return the same for what reads them."""
    return {image_id: partial(_read, reader, seen) for image_id, reader in readers.items()}


def predicted_among(names: Sequence[str]) -> tuple[str, ...]:
    """Return the channels among these that are predicted."""
    return tuple(name for name in names if is_predicted(name))


def _read(reader: Reader, seen: Seen) -> ImageSnapshot | None:
    found = reader()
    return None if found is None else _seen(found, seen)


def _seen(image: ImageSnapshot, seen: Seen) -> ImageSnapshot:
    return replace(image, stack=seen.of(image.stack))
