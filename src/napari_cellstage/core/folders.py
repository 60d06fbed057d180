"""Trees of class folders in: each folder that holds pictures is a class, each picture one cell in its middle."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.folder_files import FolderCell, as_people_sort, empty_folders, folder_cells
from napari_cellstage.core.folder_notes import Looks, folder_notes
from napari_cellstage.core.group_guesses import groups_by
from napari_cellstage.core.pictures import fitted, read_picture
from napari_cellstage.core.tasks import Task

_READERS = 8
_STEP = 256  # cells read between two signs of progress
_FAR_LARGER = 8  # times the usual side: a field among cells, which would make every crop as large
Picture = NDArray[Any] | str
ShouldStop = Callable[[], bool]
Size = int | tuple[int, int] | None


@dataclass(frozen=True)
class CropSet:
    """Pictures of single cells with their classes.

    Parameters
    ----------
    crops
        ``(N, C, H, W)``, raw intensities in the pictures' dtype.
    masks
        ``(N, H, W)`` bool, or None when there are none.
    labels
        ``(N,)`` int64; index into `classes`.
    classes
        Names, sorted as people sort: numbers by value.
    names
        File names relative to the root, with ``/``; of the first channel, where each channel has its own file.
    groups
        ``(N,)`` str; crops of one group (movie, well, image) must stay together in a split.
    skipped
        ``"name: why"`` of each file that could not be used.
    channel_names
        C names, such as ``"Ch3"`` from the files' names.
    cells
        The files of each, in the order of `names`; empty where there are no files.
    notes
        What to know before training on them, as sentences: see `folder_notes`.
    """

    crops: NDArray[Any]
    masks: NDArray[np.bool_] | None
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    names: tuple[str, ...]
    groups: NDArray[np.str_]
    skipped: tuple[str, ...] = ()
    channel_names: tuple[str, ...] = ()
    cells: tuple[FolderCell, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> dict[str, int]:
        """Return how many crops each class has."""
        numbers = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, numbers, strict=True))

    def take(self, rows: NDArray[np.integer[Any]]) -> CropSet:
        """Return these crops, in this order; `classes` stays."""
        return replace(
            self,
            crops=self.crops[rows],
            masks=None if self.masks is None else self.masks[rows],
            labels=self.labels[rows],
            names=tuple(self.names[i] for i in rows),
            groups=self.groups[rows],
            cells=tuple(self.cells[i] for i in rows) if self.cells else (),
        )

    def hashed(self) -> CropSet:
        """Return the same with ``#`` and a hash of its pixels at the end of each name."""
        hashes = (hashlib.blake2b(np.ascontiguousarray(one).tobytes(), digest_size=8).hexdigest() for one in self.crops)
        return replace(self, names=tuple(f"{name}#{one}" for name, one in zip(self.names, hashes, strict=True)))

    def of_classes(self, names: Iterable[str]) -> CropSet:
        """Return the crops of some classes; `classes` are these alone, in the order they had.

        Raises
        ------
        TaskError
            For an unknown class, one that is named twice, or fewer than two.
        """
        task = Task.of(names, self.classes)
        kept = [place for place, name in enumerate(self.classes) if name in task.classes]
        found = self.take(np.flatnonzero(np.isin(self.labels, kept)))
        return replace(found, classes=task.classes, labels=np.searchsorted(kept, found.labels).astype(np.int64))

    @property
    def text(self) -> str:
        """What there is, in a sentence: cells, classes, channels, size and memory."""
        _, channels, height, width = self.crops.shape
        return (
            f"{len(self)} cells of {len(self.classes)} classes, {channels} channel{'s' if channels > 1 else ''}, "
            f"{height} x {width} pixels, {self.crops.nbytes / 1e6:.0f} MB"
        )


def read_class_folders(root: Path | str, group_from: str | None = None, size: Size = None) -> CropSet:
    """Read every PNG, JPEG, BMP and TIFF below a folder; the folder that holds a picture names its class.

    Gray pictures beside coloured ones get three equal channels. Pictures of several sizes are cut or mirrored around
    their middle to one: the largest there is, or `size`. Channels in files of their own, ``12_Ch3.tif`` and
    ``12_Ch4.tif``, are put together. What can't be used is left out and named in `skipped`, what is mixed is said in
    `notes`. The crops take ``N * C * H * W`` times the bytes of the dtype, and hardly more while they are read.

    Parameters
    ----------
    root
        Folder of class folders.
    group_from
        Regular expression searched in each file's name, without its folder; or, if it does not fit all of those, in
        each name relative to `root`. Its first group, or the whole match, is the group. None: each cell is its own.
    size
        Side in pixels to bring all to, or height and width.

    Raises
    ------
    ImageError
        If there is no such folder, no readable picture in a class folder, or `group_from` is no regular expression
        or fits none of some file's name.
    """
    work = reading_class_folders(root, group_from, size)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def reading_class_folders(
    root: Path | str,
    group_from: str | None = None,
    size: Size = None,
    should_stop: ShouldStop = lambda: False,
) -> Generator[tuple[int, int], None, CropSet]:
    """Do `read_class_folders` step by step, yielding cells done and all cells; `ImageError` when it is stopped."""
    root = Path(root).expanduser().absolute()
    cells, skipped = folder_cells(root)
    if not cells:
        raise ImageError(f"No cell in '{root}' is whole; the first: {skipped[0]}. Copy the missing files there.")
    groups = groups_by([cell.name for cell in cells], group_from)
    pictures: list[Picture] = []
    # In threads: most of the time goes to waiting for the disk, and to decoders that let others run.
    with ThreadPoolExecutor(_READERS) as pool:
        for start in range(0, len(cells), _STEP):
            if should_stop():
                raise ImageError(f"Reading '{root}' was stopped after {start} of {len(cells)} cells. Open it again.")
            pictures += _together(list(pool.map(read_cell, cells[start : start + _STEP])))
            yield len(pictures), len(cells)
    kept, unusable = _usable([cell.name for cell in cells], pictures, size)
    skipped += unusable
    if not kept:
        raise ImageError(
            f"None of the {len(cells)} pictures in '{root}' can be used; the first: {skipped[0]}. "
            "Copy them again from where they came."
        )
    classes = tuple(sorted({cells[i].class_name for i in kept}, key=as_people_sort))
    index = {name: place for place, name in enumerate(classes)}
    looks = [Looks.of(cells[i].name, cells[i].class_name, one) for i in kept if not isinstance(one := pictures[i], str)]
    crops = _stacked(pictures, kept, size)
    return CropSet(
        crops=crops,
        masks=None,
        labels=np.array([index[cells[i].class_name] for i in kept], dtype=np.int64),
        classes=classes,
        names=tuple(cells[i].name for i in kept),
        groups=np.array([groups[i] for i in kept], dtype=np.str_),
        skipped=tuple(skipped),
        channel_names=_channel_names([cells[i] for i in kept], crops.shape[1]),
        cells=tuple(cells[i] for i in kept),
        notes=folder_notes(looks, crops.shape[2:], empty_folders(root)),
    )


def read_cell(cell: FolderCell) -> Picture:
    """Return ``(C, Y, X)`` of a cell, its channels together; or why there is none."""
    pictures = [read_picture(file) for file in cell.files]
    if len(pictures) == 1:
        return pictures[0]
    whole = []
    for name, picture in zip(cell.channels, pictures, strict=True):
        if isinstance(picture, str):
            return f"its file for {name} {picture}"
        if picture.shape[1:] != pictures[0].shape[1:]:  # type: ignore[union-attr] # the first was looked at
            return f"its channels differ in size: {cell.channels[0]} and {name}"
        whole.append(picture.mean(axis=0, keepdims=True).astype(picture.dtype) if len(picture) == 3 else picture[:1])
    return np.concatenate(whole)


def _channel_names(cells: list[FolderCell], count: int) -> tuple[str, ...]:
    named = next((cell.channels for cell in cells if len(cell.channels) == count), ())
    if named:
        return named
    return ("red", "green", "blue") if _are_colours(cells, count) else tuple(f"channel {c}" for c in range(count))


def _are_colours(cells: list[FolderCell], count: int) -> bool:
    return count == 3 and not any(cell.files[0].suffix.lower().startswith(".tif") for cell in cells)


def _usable(names: list[str], pictures: list[Picture], size: Size) -> tuple[list[int], list[str]]:
    """Return which pictures to keep, and why not the others; all kept have one channel count, or are gray."""
    shapes = [picture.shape for picture in pictures if not isinstance(picture, str)]
    counts = Counter(shape[0] for shape in shapes)
    # Gray can be made three equal channels; else the commonest count wins.
    usual = 3 if set(counts) == {1, 3} else counts.most_common(1)[0][0] if counts else 0
    side = float(np.median([max(shape[1:]) for shape in shapes])) if shapes and not size else np.inf
    kept, skipped = [], []
    for place, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        if isinstance(picture, str):
            skipped.append(f"{name}: {picture}")
        elif picture.shape[0] != usual and (picture.shape[0], usual) != (1, 3):
            skipped.append(f"{name}: has {picture.shape[0]} channels, most have {usual}")
        elif max(picture.shape[1:]) > _FAR_LARGER * side:
            skipped.append(f"{name}: has {picture.shape[1]} x {picture.shape[2]} pixels, most have about {side:.0f}")
        else:
            kept.append(place)
    return kept, skipped


def _together(pictures: list[Picture]) -> list[Picture]:
    """Put pictures of one shape side by side: many small pieces of memory would never be given back."""
    whole = [picture for picture in pictures if not isinstance(picture, str)]
    if len(whole) < len(pictures) or len({(picture.shape, picture.dtype) for picture in whole}) > 1:
        return pictures
    return list(np.stack(whole))


def _stacked(pictures: list[Picture], kept: list[int], size: Size) -> NDArray[Any]:
    """Bring pictures to one size in one array; each is let go once it is copied, so that they never lie there twice."""
    chosen = [picture for i in kept if not isinstance(picture := pictures[i], str)]
    pictures.clear()
    channels = max(picture.shape[0] for picture in chosen)
    if size is None:
        size = max(picture.shape[1] for picture in chosen), max(picture.shape[2] for picture in chosen)
    height, width = (size, size) if isinstance(size, int) else size
    crops = np.empty((len(chosen), channels, height, width), dtype=np.result_type(*{p.dtype for p in chosen}))
    for place in range(len(chosen) - 1, -1, -1):
        crops[place] = fitted(chosen.pop(), height, width)
    return crops
