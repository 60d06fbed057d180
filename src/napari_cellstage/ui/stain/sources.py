"""What is learned from: images of the project, layers that are open, or folders; as pairs, opened in the worker."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.core.predicted import is_predicted

if TYPE_CHECKING:
    from napari_cellstage.core.image_stack import ImageStack
    from napari_cellstage.core.stain_snapshot import StainSnapshot
    from napari_cellstage.stain.pair import StainSet
    from napari_cellstage.ui.workers import ShouldStop

_NAMELESS = re.compile(r"channel \d+")
Output = Literal["auto", "stack", "plane", "maximum"]


@dataclass(frozen=True)
class Wanted:
    """What is predicted from what.

    Parameters
    ----------
    inputs, stains
        Names of channels; of layers, their names.
    output
        What is predicted of a z-stack: its stain in each plane, in one plane, or its maximum; ``"auto"``: as the
        stain is.
    plane
        Which plane, with output ``"plane"``; None: the only one.
    """

    inputs: tuple[str, ...]
    stains: tuple[str, ...]
    output: Output = "auto"
    plane: int | None = None


class Source(Protocol):
    """Where pairs come from."""

    @property
    def wanted(self) -> Wanted:
        """What is predicted from what."""

    def pairs(self, should_stop: ShouldStop) -> StainSet:
        """Open the pairs; called in the worker.

        Raises
        ------
        CellStageError
            If there are none; `TrainingStopped` after a stop.
        """


@dataclass(frozen=True)
class ProjectSource:
    """Images of the project, as they were at the moment of the snapshot."""

    wanted: Wanted
    snapshot: StainSnapshot

    def pairs(self, should_stop: ShouldStop) -> StainSet:
        """Open the images and pair their channels; those that can't be opened are left out, and named."""
        from napari_cellstage.stain.pairs import pairs_of_images

        opened, lost = [], []
        for image in self.snapshot.images:
            if should_stop():
                raise TrainingStopped("Stopped before the images were open. Nothing has changed.")
            stack = image.opened()
            if stack is None:
                lost.append(image.name)
            else:
                opened.append((stack, image.group))
        if not opened:
            raise TrainingError("None of the chosen images can be opened. Show where their files are in the step Data.")
        data = pairs_of_images(
            [stack for stack, _ in opened],
            self.wanted.inputs,
            self.wanted.stains,
            output=self.wanted.output,
            plane=self.wanted.plane,
            groups=[group for _, group in opened],
        )
        return data.noting(*(f"'{name}' is left out: its file can't be opened." for name in lost))


@dataclass(frozen=True)
class LayerSource:
    """Layers that are open in napari; their names are those of the channels.

    Parameters
    ----------
    wanted
        Names of layers.
    stacks
        Each layer as an image, by its name.
    """

    wanted: Wanted
    stacks: dict[str, ImageStack]

    def pairs(self, should_stop: ShouldStop) -> StainSet:  # noqa: ARG002 - nothing to wait for
        """Pair the layers."""
        from napari_cellstage.stain.pairs import pairs_of_stacks

        inputs, stains = ([self._named(name) for name in names] for names in (self.wanted.inputs, self.wanted.stains))
        data = pairs_of_stacks(inputs, stains, output=self.wanted.output, plane=self.wanted.plane)
        return replace(data, input_names=self.wanted.inputs, stain_names=self.wanted.stains)

    def _named(self, name: str) -> ImageStack:
        stack = self.stacks[name]
        if stack.shape[1] != 1:
            raise TrainingError(
                f"Layer '{name}' has {stack.shape[1]} channels; a layer that is learned from has one. Split it into "
                "its channels (right click on the layer: Split RGB, Split stack), and choose those."
            )
        return replace(stack, channel_names=(name,))


@dataclass(frozen=True)
class FolderSource:
    """A folder of images with all channels in each, or two folders whose files are matched by name.

    Parameters
    ----------
    wanted
        Channels as `called` names them.
    images, stains
        The folders.
    """

    wanted: Wanted
    images: FolderFacts
    stains: FolderFacts | None = None

    def pairs(self, should_stop: ShouldStop) -> StainSet:
        """Find and pair the files."""
        from napari_cellstage.stain.pairs import pairs_of_folders

        inputs, stains = called(self.images, self.stains)
        other = self.images if self.stains is None else self.stains
        in_files = dict(zip(inputs, self.images.channels, strict=True)), dict(zip(stains, other.channels, strict=True))
        data = pairs_of_folders(
            self.images.folder,
            [in_files[0][name] for name in self.wanted.inputs],
            [in_files[1][name] for name in self.wanted.stains],
            None if self.stains is None else self.stains.folder,
            output=self.wanted.output,
            plane=self.wanted.plane,
            should_stop=should_stop,
        )
        return replace(data, input_names=self.wanted.inputs, stain_names=self.wanted.stains)


@dataclass(frozen=True)
class FolderFacts:
    """What the first image of a folder says of the others: names of measured channels, planes."""

    folder: Path
    channels: tuple[str, ...]
    planes: int

    @property
    def names(self) -> tuple[str, ...]:
        """Its channels; the folder, where there is one that has no name."""
        nameless = len(self.channels) == 1 and _NAMELESS.fullmatch(self.channels[0])
        return (self.folder.name,) if nameless else self.channels


def called(images: FolderFacts, stains: FolderFacts | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what channels of inputs and of stains are called: of files with one, which has no name, as their folder.

    "channel 0" tells nobody what a model predicts, and no other image has its light in a channel of that name.
    """
    if stains is None:
        return images.channels, images.channels
    names = images.names, stains.names
    return names if names[0] != names[1] else (images.channels, stains.channels)


def look_into(folder: Path, can_open: Callable[[Path], ImageStack] | None = None) -> FolderFacts:
    """Open the first image of a folder tree.

    Raises
    ------
    CellStageError
        If there is none, or it can't be opened.
    """
    from napari_cellstage.core.images import find_images, open_image

    first = next(iter(find_images(folder)), None)
    if first is None:
        raise TrainingError(f"There are no images in '{folder}'. Choose a folder of images, or of folders with images.")
    stack = (can_open or open_image)(first)
    return FolderFacts(folder, tuple(one for one in stack.channel_names if not is_predicted(one)), stack.shape[2])
