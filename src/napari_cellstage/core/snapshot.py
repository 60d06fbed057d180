"""Frozen copies of what work needs, taken on the main thread. Nothing that changes crosses a thread.

Of images that nobody has looked at yet only the numbers are taken: segmentations are never overwritten and the journal
only grows, so the worker reads what was there at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable, Labels
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.marks import origin_names
from napari_cellstage.core.predictions import with_notes
from napari_cellstage.core.volumes import LabelVolume

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ImageSnapshot:
    """One image with its cells and their labels.

    Parameters
    ----------
    image_id
        The project's number of the image.
    stack
        Lazy pixels.
    cells
        One row a cell.
    labels
        ``(T, Z, Y, X)`` segmentation; read, never written.
    class_ids
        ``(N,)`` int64; the label of each row, 0 where none.
    groups
        ``(N,)`` text: the well, movie or whatever cells share that a split must not cut; None: the image is the group.
    plate
        The plate the image is of; empty where nobody said. Images of one plate may share their intensity range.
    origins
        ``(N,)`` int64; where each label came from, as places in `ORIGINS`. None where nobody has noted it.
    track_id
        ``(N,)`` int64; which cell over time each row is, 0 for none. None where cells have not been followed.
    content
        Text that is another one as soon as pixels or cells are others; empty where nobody can tell.
    aside
        ``(t, cell_id)`` of cells that are set aside to check the final model: no training and no choice sees them.
    found_in
        Predicted channels that its cells were found in, in words; empty where there is none.
    """

    image_id: int
    stack: ImageStack
    cells: CellTable
    labels: Labels | LabelVolume
    class_ids: NDArray[np.int64]
    groups: NDArray[np.str_] | None = None
    plate: str = ""
    origins: NDArray[np.int64] | None = None
    track_id: NDArray[np.int64] | None = None
    content: str = ""
    aside: tuple[tuple[int, int], ...] = ()
    found_in: str = ""

    @property
    def audit(self) -> NDArray[np.bool_] | None:
        """Which rows are set aside, ``(N,)``; None where none is."""
        if not self.aside:
            return None
        named = zip(self.cells.t.tolist(), self.cells.cell_id.tolist(), strict=True)
        aside = set(self.aside)
        return np.array([name in aside for name in named], dtype=bool)

    def take(self, rows: NDArray[np.int64]) -> ImageSnapshot:
        """Return the image with some of its cells."""
        each = {name: getattr(self, name) for name in ("class_ids", "groups", "origins", "track_id")}
        taken: dict[str, Any] = {name: None if values is None else values[rows] for name, values in each.items()}
        return replace(self, cells=self.cells.take(rows), content="", **taken)

    def with_notes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Put into a table of its cells in which track each is, where its label is from, and what it was found in."""
        origins = np.zeros(len(self.cells), dtype=np.int64) if self.origins is None else self.origins
        tracks = np.zeros(len(self.cells), dtype=np.int64) if self.track_id is None else self.track_id
        return with_notes(frame, origin_names(self.class_ids, origins), tracks, self.found_in)


Reader = Callable[[], ImageSnapshot | None]


@dataclass(frozen=True)
class Images(Sequence[ImageSnapshot]):
    """Images of a snapshot, each read when work comes to it, and let go of after.

    Parameters
    ----------
    readers
        By image; each returns the image as it was at the moment of the snapshot, None when its file can't be opened.
    extras
        Fields of `ImageSnapshot` that replace what a reader says, by image.
    """

    readers: Mapping[int, Reader]
    extras: Mapping[int, dict[str, Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.readers)

    @overload
    def __getitem__(self, index: int) -> ImageSnapshot: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ImageSnapshot, ...]: ...
    def __getitem__(self, index: int | slice) -> ImageSnapshot | tuple[ImageSnapshot, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        found = self._read(list(self.readers)[index])
        if found is None:
            raise IndexError(f"image {index} of the snapshot can't be opened")
        return found

    def __iter__(self) -> Iterator[ImageSnapshot]:
        for image_id in self.readers:
            if (found := self._read(image_id)) is not None:
                yield found

    def with_extras(self, extras: Mapping[int, dict[str, Any]]) -> Images:
        """Return the images with more fields said from outside, such as groups or plate."""
        old = self.extras
        return replace(self, extras={i: old.get(i, {}) | extras.get(i, {}) for i in {*old, *extras}})

    def _read(self, image_id: int) -> ImageSnapshot | None:
        found = self.readers[image_id]()
        return found if found is None or image_id not in self.extras else replace(found, **self.extras[image_id])


@dataclass(frozen=True)
class WorkSnapshot:
    """All that training and prediction may look at.

    Parameters
    ----------
    images
        Every image of the project that has cells.
    scheme
        The classes.
    channels
        Which channels the network sees.
    version
        The session's version when this was taken; an answer for cells that are no longer there is dropped.
    moment
        Last entry of the journal of labels that is in here; 0 where there is no journal.
    left_out
        Ids of classes that are not to be told apart: their cells are neither trained on nor scored.
    """

    images: Sequence[ImageSnapshot]
    scheme: ClassScheme
    channels: tuple[int, ...]
    version: int = 0
    moment: int = 0
    left_out: tuple[int, ...] = ()

    @property
    def set_aside(self) -> int:
        """How many cells are set aside to check the final model; no image is read for it."""
        images = self.images
        if isinstance(images, Images):
            return sum(len(extras.get("aside", ())) for extras in images.extras.values())
        return sum(len(image.aside) for image in images)
