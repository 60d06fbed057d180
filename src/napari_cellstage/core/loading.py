"""Cells of an image from the disk: the table and the labels at once, the pixels only when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from napari_cellstage.core.annotations import AnnotatedImage, Volume
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.drawn import draw_discs
from napari_cellstage.core.edits import PaintChange
from napari_cellstage.core.journal import Journal
from napari_cellstage.core.painting import paint
from napari_cellstage.core.segmentations import Segmentations
from napari_cellstage.core.volumes import LabelVolume

Shape = tuple[int, ...]
Moment = tuple[int, int]


@dataclass(frozen=True)
class Cells:
    """A segmentation with what was painted on it.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)``, None for none yet, or what reads it.
    table
        One row a cell.
    base
        The cells before anything was painted.
    """

    labels: Volume | Callable[[], Volume]
    table: CellTable
    base: CellTable


class Loader:
    """Reads cells from a project.

    Parameters
    ----------
    journal, files
        Of the project.
    """

    def __init__(self, journal: Journal, files: Segmentations) -> None:
        self._journal = journal
        self._files = files

    def image(self, image_id: int, shape: Shape, version: int, until: Moment | None = None) -> AnnotatedImage:
        """Return the cells of a version of an image's segmentation, and their labels.

        Parameters
        ----------
        image_id, shape, version
            The image, its T, Z, Y, X, and which segmentation.
        until
            The journal's `moment` up to which labels and paint count; now where None.

        Raises
        ------
        ProjectError
            If the cells can't be read.
        """
        marks_until, paint_until = until or (None, None)
        painted = self._journal.paint(image_id, version, paint_until)
        found = self.cells(image_id, shape, version, painted)
        image = AnnotatedImage(
            found.labels, found.table, self._journal.marks(image_id, marks_until), version, found.base
        )
        image.never_again(painted)
        return image

    def last_paint(self, image_id: int, version: int, until: int | None = None) -> int:
        """Return the last entry of the journal that painted on a version of a segmentation, 0 for none."""
        return self._journal.last_paint(image_id, version, until)

    def cells(self, image_id: int, shape: Shape, version: int, painted: tuple[PaintChange, ...]) -> Cells:
        """Return a version of a segmentation with boxes painted on it.

        Raises
        ------
        ProjectError
            If it can't be read.
        """
        if version:
            self._files.check(image_id, version)
        discs = self._journal.drawn(image_id, version)
        base = self._files.cells(image_id, version) if version else CellTable.empty()
        if base is not None and not discs and not painted:
            return Cells(lambda: self._stored(image_id, shape, version), base, base)
        labels = self._stored(image_id, shape, version) or blank(shape)
        base = CellTable.from_labels(labels) if base is None else base
        draw_discs(labels, discs)
        cells = CellTable.from_labels(labels) if discs else base
        return Cells(labels, paint(labels, cells, painted), base)

    def again(self, image_id: int, shape: Shape, version: int) -> Callable[[], Volume]:
        """Return what reads the pixels of an image as they are by then."""

        def read() -> Volume:
            found = self.cells(image_id, shape, version, self._journal.paint(image_id, version)).labels
            return found() if callable(found) else found

        return read

    def _stored(self, image_id: int, shape: Shape, version: int) -> Volume:
        return self._files.labels(image_id, version, shape) if version else None


def blank(shape: Shape) -> LabelVolume:
    """Return a volume without cells; it takes no memory until something is painted."""
    return LabelVolume.of(np.zeros(shape, dtype=np.int32))
