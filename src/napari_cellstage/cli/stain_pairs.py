"""DATA of the stain commands: a folder tree, two folders, one image, or a project; read as pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from napari_cellstage.cli.progress import Reporter
from napari_cellstage.core.errors import ImageError, ModelError
from napari_cellstage.core.images import open_images
from napari_cellstage.core.store import DATABASE, SUFFIX
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pairs import StainSet, pairs_of_folders, pairs_of_images
from napari_cellstage.stain.registration import shift_of

if TYPE_CHECKING:
    from napari_cellstage.core.image_stack import ImageStack

_LOOKED_AT, _LARGE = 8, 96  # pairs; pixels a side
OutputOrAuto = Literal["auto", "stack", "plane", "maximum"]


@dataclass(frozen=True)
class PairChoices:
    """Which pairs.

    Parameters
    ----------
    path, target_folder
        Images, and images of their stains where these are files of their own.
    inputs, targets
        Channels, see `channels_named`; None: as the model has them.
    group_from
        Regular expression for the group of an image.
    output, plane
        What is predicted of a z-stack; None: what it looks like.
    """

    path: Path
    inputs: str | None
    targets: str | None
    target_folder: Path | None = None
    group_from: str | None = None
    output: str | None = None
    plane: int | None = None

    def for_model(self, model: StainModel, *, new_stains: bool = False) -> PairChoices:
        """Return the same for a model: channels that are not said are those that it was trained on."""
        plane = model.card.get("plane") if self.plane is None else self.plane
        group_from = self.group_from or model.card.get("group_from")
        targets = self.targets if self.targets is not None or new_stains else ",".join(model.stain_names)
        inputs = ",".join(model.input_names) if self.inputs is None else self.inputs
        return replace(self, inputs=inputs, targets=targets, output=model.output, plane=plane, group_from=group_from)

    def read(self, reporter: Reporter) -> StainSet:
        """Open the pairs, and say what was left out.

        Raises
        ------
        CellStageError
            If there is none.
        """
        data = self._pairs()
        for note in data.notes:
            reporter.say(note)
        return data

    def _pairs(self) -> StainSet:
        inputs, targets = self.inputs or "", self.targets or ""
        output = cast(OutputOrAuto, self.output or "auto")
        self._check()
        if self.path.suffix == SUFFIX or (self.path / DATABASE).is_file():
            stacks, groups, missing = _of_project(self.path)
            found = pairs_of_images(stacks, inputs, targets, output=output, plane=self.plane, groups=groups)
            return found.noting(*missing)
        if self.path.is_dir() and self.path.suffix != ".zarr":
            return pairs_of_folders(
                self.path, inputs, targets, self.target_folder, self.group_from, output=output, plane=self.plane
            )
        stacks = open_images(self.path)
        return pairs_of_images(stacks, inputs, targets, output=output, plane=self.plane, group_from=self.group_from)

    def _check(self) -> None:
        if not self.path.exists():
            raise ImageError(f"There is no '{self.path}'. Name a folder with images, an image, or a project.")
        if self.target_folder is not None and not self.path.is_dir():
            raise ImageError(
                f"--target-folder '{self.target_folder}' is for a folder of images, but '{self.path}' is a file. "
                "Name the folder that it lies in."
            )


def shift_lines(data: StainSet) -> list[str]:
    """Return what to say of stains that seem to lie beside their input; some pairs are looked at, and none is moved.

    In images that are small, such as crops of cells, a shift of one can't be told.
    """
    step = max(1, len(data) // _LOOKED_AT)
    large = [pair for pair in data.pairs[::step] if min(pair.shape[1:]) >= _LARGE][:_LOOKED_AT]
    found = [(pair.name, shift_of(pair)) for pair in large]
    off = [(name, one) for name, one in found if one.off]
    if not off:
        return []
    more = f" So it is in {len(off)} of {len(found)} images that were looked at." if len(found) > 1 else ""
    name, first = max(off, key=lambda pair: pair[1].length)
    return [f"{name}: {first.text}{more} Add --register to move stains to where they fit."]


def _of_project(folder: Path) -> tuple[tuple[ImageStack, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the images of a project that can be opened, their groups, and what to say of the others."""
    from napari_cellstage.session import Session

    session = Session()
    session.open_project(folder)
    try:
        missing = tuple(entry.missing for entry in session.images if entry.missing)
        opened = [(one, one.opened()) for one in session.stain_snapshot().images]
    finally:
        session.close()
    there = [(one.group, stack) for one, stack in opened if stack is not None]
    return tuple(stack for _, stack in there), tuple(group for group, _ in there), missing


def load_stain_model(run: Path, device: str | None = None) -> StainModel:
    """Load a model of stains from its run folder, to be used on a device."""
    if not run.is_dir():
        raise ModelError(f"There is no folder '{run}'. Name the folder that the training of a stain was saved in.")
    model = StainModel.load(run)
    return model if device is None else model.on_device(device)
