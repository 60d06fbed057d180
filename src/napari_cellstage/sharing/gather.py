"""The cells of a run once more: the same pixels, with the labels, groups and parts that they had in its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.seeing import as_seen_by
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.learn.data import TrainingSet, cell_names
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_labels import RunLabels, cell_hashes
from napari_cellstage.sharing.contents import BundleError, some

Source = CropSet | WorkSnapshot
_MEND = "Bring the data back to how they were, or train anew and share that run."


@dataclass(frozen=True)
class Wanted:
    """The cells that a run was trained on.

    Parameters
    ----------
    labels
        Cells, their classes, groups and parts.
    classes
        With ids and colours.
    channels
        Which channels of an image.
    channel_names
        One a channel.
    shape
        ``(C, H, W)`` of a crop, where it is known.
    dtype
        Of the pixels; empty where it is not known.
    moment
        Last entry of the journal of labels that was in them.
    """

    labels: RunLabels
    classes: ClassScheme
    channels: tuple[int, ...]
    channel_names: tuple[str, ...]
    shape: tuple[int, ...] = ()
    dtype: str = ""
    moment: int = 0

    @classmethod
    def of_card(cls, card: Mapping[str, Any], labels: RunLabels) -> Wanted:
        """Return what a card says of the cells; `BundleError` where it lacks something."""
        crops = card.get("crops") or {}
        try:
            return cls(
                labels=labels,
                classes=ClassScheme.from_dict(card["classes"]),
                channels=tuple(map(int, card["channels"])),
                channel_names=tuple(map(str, card["channel_names"])),
                shape=tuple(map(int, crops.get("shape", ()))),
                dtype=str(crops.get("dtype", "")),
                moment=int(card.get("moment", 0)),
            )
        except (KeyError, TypeError, ValueError, CellStageError) as e:
            raise BundleError(f"The card of the run does not say what it was trained on: {e}. Train anew.") from e

    def made(self, crops: NDArray[Any], masks: NDArray[np.bool_] | None) -> TrainingSet:
        """Return the training set of these pixels, a cell each in the order of `labels`."""
        places = {name: place for place, name in enumerate(self.classes.names)}
        if unknown := set(self.labels.classes) - set(places):
            raise BundleError(f"{some(unknown)}: no such class is among those of the run ({', '.join(places)}).")
        return TrainingSet(
            crops=crops,
            masks=masks,
            labels=np.array([places[name] for name in self.labels.classes], dtype=np.int64),
            groups=np.array(self.labels.groups, dtype=np.str_),
            classes=self.classes,
            channels=self.channels,
            channel_names=self.channel_names,
            names=self.labels.names,
            moment=self.moment,
        )

    def check(self, data: TrainingSet) -> None:
        """Raise `BundleError` unless the pixels are those that were trained on, where their hashes are known."""
        found = cell_hashes(data.crops, data.masks)
        pairs = zip(self.labels.names, self.labels.hashes, found, strict=True)
        if other := [name for name, then, now in pairs if then and then != now]:
            raise BundleError(
                f"{len(other):,} of {len(data):,} cells no longer look as they did in training ({some(other)}): "
                f"pixels, outlines, or images of their plate have changed since. {_MEND}"
            )


def gathered(source: Source, wanted: Wanted, recipe: Recipe) -> TrainingSet:
    """Return the cells of a run, in the order in which they were trained on.

    Parameters
    ----------
    source
        Class folders, or a project.
    wanted
        Which cells.
    recipe
        How they are cut out of images.

    Raises
    ------
    BundleError
        If cells are gone, or look another way.
    """
    data = _of_folders(source, wanted) if isinstance(source, CropSet) else _of_project(source, wanted, recipe)
    wanted.check(data)
    return data


def identity(name: str) -> str:
    """Return the part of a cell's name that stays when its image or file is renamed."""
    return name.rpartition("#")[2]


def _of_folders(crops: CropSet, wanted: Wanted) -> TrainingSet:
    pixels = _as_then(crops.crops, wanted.dtype)
    by_name = {_file(name): row for row, name in enumerate(crops.names)}
    hashes = cell_hashes(pixels, None) if any(wanted.labels.hashes) else [identity(name) for name in crops.names]
    by_hash = {one: row for row, one in reversed(list(enumerate(hashes)))}
    rows = []
    for name, known in zip(wanted.labels.names, wanted.labels.hashes, strict=True):
        row = by_name.get(_file(name))
        other = by_hash.get(known or identity(name))
        rows.append(other if other is not None and (row is None or hashes[row] != hashes[other]) else row)
    _check_all_there(wanted, rows)
    return wanted.made(pixels[np.array(rows, dtype=np.intp)], None)


def _file(name: str) -> str:
    return name.rpartition("#")[0] or name


def _as_then(pixels: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Return pixels as the kind of number that they were in training, where none of them changes by that."""
    if not dtype or pixels.dtype.name == dtype:
        return pixels
    other = pixels.astype(dtype)
    return other if np.array_equal(other, pixels) else pixels


def _of_project(snapshot: WorkSnapshot, wanted: Wanted, recipe: Recipe) -> TrainingSet:
    ids = dict(zip(wanted.classes.names, wanted.classes.ids, strict=True))
    classes = {identity(n): ids.get(c, 0) for n, c in zip(wanted.labels.names, wanted.labels.classes, strict=True)}
    seen = as_seen_by(snapshot, wanted.channels, wanted.channel_names)
    then = replace(seen, images=_Then(seen.images, classes), scheme=wanted.classes, left_out=())
    data = TrainingSet.from_snapshot(then, recipe)
    place = {identity(name): row for row, name in enumerate(data.names)}
    rows = [place.get(identity(name)) for name in wanted.labels.names]
    _check_all_there(wanted, rows)
    order = np.array(rows, dtype=np.intp)
    return wanted.made(data.crops[order], None if data.masks is None else data.masks[order])


def _check_all_there(wanted: Wanted, rows: list[int | None]) -> None:
    gone = [name for name, row in zip(wanted.labels.names, rows, strict=True) if row is None]
    if gone:
        raise BundleError(
            f"{len(gone):,} of {len(rows):,} cells that the run was trained on are not in the data: {some(gone)}. "
            f"{_MEND}"
        )


@dataclass(frozen=True)
class _Then(Sequence[ImageSnapshot]):
    """Images of a snapshot with the labels of a training instead of those of today; read one after the other."""

    images: Sequence[ImageSnapshot]
    classes: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int) -> ImageSnapshot: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ImageSnapshot, ...]: ...
    def __getitem__(self, index: int | slice) -> ImageSnapshot | tuple[ImageSnapshot, ...]:
        return tuple(self)[index] if isinstance(index, slice) else self._then(self.images[index])

    def __iter__(self) -> Iterator[ImageSnapshot]:
        return map(self._then, self.images)

    def _then(self, image: ImageSnapshot) -> ImageSnapshot:
        ids = [self.classes.get(identity(name), 0) for name in cell_names(image)]
        return replace(image, class_ids=np.array(ids, dtype=np.int64), aside=())
