"""The cells of the open project's images: read when first asked for, pixels put back when there are many."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.loading import Loader, blank
from napari_cellstage.core.marks import Numbers
from napari_cellstage.core.open_project import OpenProject
from napari_cellstage.core.snapshot import Images, ImageSnapshot, Reader
from napari_cellstage.core.store import Project
from napari_cellstage.core.stored_images import StoredImages, Wanted, snapshot_of
from napari_cellstage.core.volumes import LabelVolume

# Bytes of label volumes kept in memory for images that are not worked on.
_KEPT = 512 * 1024**2


class Shelf(OpenProject):
    """The project with the cells of its images."""

    def __init__(self, project: Project | None = None) -> None:
        super().__init__(project)
        self._images: dict[int, AnnotatedImage] = {}

    @property
    def loader(self) -> Loader:
        """What reads cells."""
        return Loader(self.project.journal, self.project.segmentations)

    def image(self, image_id: int) -> AnnotatedImage:
        """Return the cells of an image and their labels, read from the disk the first time."""
        if image_id not in self._images:
            self._images[image_id] = self._load(image_id)
            self.note_cells(image_id)
        return self._images[image_id]

    def known(self, image_id: int) -> AnnotatedImage | None:
        """Return the cells of an image where they are in memory."""
        return self._images.get(image_id)

    def _load(self, image_id: int) -> AnnotatedImage:
        version = self.tally.versions.get(image_id, 0)
        try:
            image = self.loader.image(image_id, self.shape(image_id), version)
        except ProjectError as error:
            self.problems[image_id] = str(error)
            return AnnotatedImage(None, CellTable.empty(), self.project.journal.marks(image_id), version)
        if version and not image.bytes_held:
            image.let_go(self._reading(image_id, version))
        return image

    def _reading(self, image_id: int, version: int) -> Callable[[], LabelVolume | None]:
        """Return what reads the pixels of an image; None, and a problem noted, where they can't be read."""
        read = self.loader.again(image_id, self.shape(image_id), version)

        def attempt() -> LabelVolume | None:
            try:
                return read()
            except ProjectError as error:
                self.problems[image_id] = str(error)
                return None

        return attempt

    def ready_to_paint(self, image_id: int) -> AnnotatedImage:
        """Return an image with a volume to paint on; `ProjectError` when its cells can't be read."""
        image = self.image(image_id)
        labels = image.labels
        if image_id in self.problems:
            raise ProjectError(self.problems[image_id])  # ids of cells that can't be read might be given again
        if labels is None:
            image.replace(blank(self.shape(image_id)), image.cells, image.version, image.base)
        return image

    def note_cells(self, image_id: int) -> None:
        """Note how many cells an image has, for the list of images; where it can't be written it is counted again."""
        count = len(self._images[image_id].cells)
        unknown = None if self.tally.versions.get(image_id) else 0
        if image_id in self.problems or self.tally.cells.get(image_id, unknown) == count:
            return
        self.tally.cells[image_id] = count
        with contextlib.suppress(ProjectError):
            if not self.project.read_only:
                self.project.journal.put_cell_count(image_id, count)

    def put_back(self, but: int) -> None:
        """Let go of the pixels of images that are not worked on, when they take much memory."""
        held = [(i, image) for i, image in self._images.items() if image.bytes_held and i != but]
        total = sum(image.bytes_held for _, image in held)
        for image_id, image in held:
            if total <= _KEPT:
                return
            total -= image.bytes_held
            image.let_go(self._reading(image_id, image.version))

    def frozen(self) -> tuple[Images, dict[int, int], StoredImages]:
        """Freeze every image that has cells and whose file is there; nothing is read.

        Returns
        -------
        tuple
            The images, the version of the segmentation of each, and where tables are that were read later.
        """
        wanted = {
            image_id: Wanted(entry, self.shape(image_id), self.tally.versions.get(image_id, 0))
            for image_id, entry in self.entries.items()
            if not entry.missing and self.tally.cells.get(image_id, 1 if image_id in self.tally.versions else 0)
        }
        if not self.has_project:
            return Images({}), {}, StoredImages.none()
        moment = self.project.journal.moment()
        stored = StoredImages(self.project.journal.path, self.project.folder, moment, wanted)
        readers = {i: self._reader(i, one, stored) for i, one in wanted.items()}
        return Images(readers), {i: one.version for i, one in wanted.items()}, stored

    def _reader(self, image_id: int, wanted: Wanted, stored: StoredImages) -> Reader:
        image = self._images.get(image_id)
        if image is None or not image.bytes_held or image.labels is None:
            return stored.reader(image_id)
        stored.tables[image_id] = image.cells
        labels, marks = image.labels.frozen(), (image.class_ids.copy(), image.origins.copy())
        painted = self.loader.last_paint(image_id, wanted.version)
        return partial(_frozen, image_id, wanted, image.cells, labels, marks, self.project.folder, painted)


def _frozen(
    image_id: int,
    wanted: Wanted,
    cells: CellTable,
    labels: LabelVolume,
    marks: tuple[Numbers, Numbers],
    folder: Path,
    painted: int,
) -> ImageSnapshot | None:
    stack = wanted.entry.reopened()
    if stack is None or not len(cells):
        return None
    image = AnnotatedImage(labels, cells, {}, wanted.version)
    image.class_ids, image.origins = marks
    return snapshot_of(image_id, stack, image, labels, folder, painted)
