"""Images of a snapshot read from the project by the worker, on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.journal import Journal
from napari_cellstage.core.loading import Loader, Moment
from napari_cellstage.core.segmentations import Segmentations
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.core.track_files import stored_tracks
from napari_cellstage.core.volumes import LabelVolume


@dataclass(frozen=True)
class Wanted:
    """One image as it was: where its file is, its T, Z, Y, X, and the version of its segmentation."""

    entry: ImageEntry
    shape: tuple[int, ...]
    version: int


class StoredImages:
    """Reads images as they were at one moment.

    Parameters
    ----------
    database, folder
        Of the project.
    moment
        How far the journal had come.
    images
        Which, by number.
    """

    def __init__(self, database: Path, folder: Path, moment: Moment, images: Mapping[int, Wanted]) -> None:
        self._database = database
        self._folder = folder
        self._moment = moment
        self._images = images
        self._lock = Lock()
        self.tables: dict[int, CellTable] = {}

    @classmethod
    def none(cls) -> StoredImages:
        """Return what reads nothing, where no project is open."""
        return cls(Path(), Path(), (0, 0), {})

    def reader(self, image_id: int) -> Callable[[], ImageSnapshot | None]:
        """Return what reads one image."""
        return lambda: self._read(image_id)

    def table(self, image_id: int) -> CellTable | None:
        """Return the cells that were read of an image, None where nobody has read them."""
        return self.tables.get(image_id)

    @property
    def moment(self) -> Moment:
        """How far the journal had come."""
        return self._moment

    @cached_property
    def _loader(self) -> Loader:
        journal = Journal(self._database, read_only=True, shared=True)
        return Loader(journal, Segmentations(self._folder, in_memory=False))

    def _read(self, image_id: int) -> ImageSnapshot | None:
        wanted = self._images[image_id]
        with self._lock:  # one connection, and folds of a training may run in threads
            image = self._loader.image(image_id, wanted.shape, wanted.version, self._moment)
            painted = self._loader.last_paint(image_id, wanted.version, self._moment[1])
        stack, labels = wanted.entry.reopened(), image.labels
        if stack is None or labels is None or not len(image.cells):
            return None
        self.tables[image_id] = image.cells
        return snapshot_of(image_id, stack, image, labels, self._folder, painted)


def snapshot_of(
    image_id: int, stack: ImageStack, image: AnnotatedImage, labels: LabelVolume, folder: Path, painted: int
) -> ImageSnapshot:
    """Return an image as work gets it; its tracks are read from the project's folder.

    `painted` is the last entry of what was painted on its cells: with the version it says which cells these are.
    """
    tracks = stored_tracks(folder, image_id, image)
    track_id = None if tracks is None else tracks.track_id
    origins = image.origins
    content = f"{stack.fingerprint}/{image.version}/{painted}"
    return ImageSnapshot(
        image_id, stack, image.cells, labels, image.class_ids, origins=origins, track_id=track_id, content=content
    )
