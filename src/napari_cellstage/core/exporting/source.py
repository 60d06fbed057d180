"""What an export may look at: everything known of the cells, frozen on the main thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.people.opinions import Opinions
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.seeing import Seen
from napari_cellstage.core.volumes import LabelVolume


class ExportError(CellStageError):
    """Something can't be exported, or not there."""


@dataclass(frozen=True)
class ExportImage:
    """One image with all that is known of its cells.

    Parameters
    ----------
    image_id, name
        The project's number and name of the image.
    cells
        N rows.
    class_ids
        ``(N,)`` int64; the label of each, 0 where none.
    stack
        Lazy pixels; None when the file is missing.
    labels
        Segmentation, or what reads it when it is asked for: those of 1,000 images don't fit into memory. None when
        there is none, or it can't be read.
    predictions
        The latest, N rows; None when there are none.
    origins
        ``(N,)`` text: where each label is from, such as ``"hand"`` or ``"folder"``.
    facts
        Plate, well, treatment and so on.
    track_id
        ``(N,)`` int64, 0 for none; None when cells were not followed.
    files
        ``(N,)`` text: the picture of each cell of a contact sheet; None for other images.
    pixel_size_um
        z, y, x; None when not known.
    found_in
        Predicted channels that the cells were found in, in words; empty where there is none.
    model_sees
        Predicted channels that the model of `predictions` looks at, in words; empty where there is none.
    """

    image_id: int
    name: str
    cells: CellTable
    class_ids: NDArray[np.int64]
    stack: ImageStack | None = None
    labels: LabelVolume | Callable[[], LabelVolume | None] | None = None
    predictions: Predictions | None = None
    origins: NDArray[np.str_] | None = None
    facts: ImageFacts = field(default_factory=ImageFacts)
    track_id: NDArray[np.int64] | None = None
    files: NDArray[np.str_] | None = None
    pixel_size_um: tuple[float, float, float] | None = None
    found_in: str = ""
    model_sees: str = ""

    def volume(self) -> LabelVolume | None:
        """Return the segmentation, read now; None when it can't be."""
        try:
            return self.labels() if callable(self.labels) else self.labels
        except CellStageError:
            return None

    @property
    def stain_notes(self) -> tuple[str, ...]:
        """A sentence for each channel that is no measured stain."""
        stains = () if self.stack is None else self.stack.stains
        return tuple(f"{self.name}: {one.note}" for one in stains if one is not None)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Predicted class id of each cell, 0 where there is none."""
        return np.zeros(len(self.cells), dtype=np.int64) if self.predictions is None else self.predictions.predicted

    def rows(self, labelled_only: bool) -> NDArray[np.int64]:
        """Return the rows to export: all, or those with a label."""
        return np.flatnonzero(self.class_ids != UNLABELLED) if labelled_only else np.arange(len(self.cells))

    def best_class(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the label of rows, or the prediction where there is no label."""
        labels = self.class_ids[rows]
        return np.where(labels != UNLABELLED, labels, self.predicted[rows])


@dataclass(frozen=True)
class ExportSource:
    """All images of a project.

    Parameters
    ----------
    images
        In their order, those without cells left out.
    scheme
        The classes.
    channels
        Which channels the network sees.
    runs
        Folder of the training runs, where embeddings come from; None without a project.
    said
        What each person said; empty unless it was asked for.
    seen
        The channels that the network sees, where predicted ones are among them: `channels` are then their places in
        what `seen.of` returns.
    """

    images: tuple[ExportImage, ...]
    scheme: ClassScheme
    channels: tuple[int, ...] = (0,)
    runs: Path | None = None
    said: Opinions = field(default_factory=Opinions)
    seen: Seen | None = None

    def count(self, labelled_only: bool) -> int:
        """Return how many cells are exported."""
        return sum(len(image.rows(labelled_only)) for image in self.images)

    def check_cells(self, labelled_only: bool) -> None:
        """Raise `ExportError` when there is nothing to export."""
        if self.count(labelled_only):
            return
        if self.count(False):
            raise ExportError("No cell is labelled, so there is nothing to export. Label cells, or export all of them.")
        raise ExportError("The project has no cells, so there is nothing to export. Find cells first.")


@dataclass(frozen=True)
class Exported:
    """What an export has written.

    Parameters
    ----------
    cells
        How many.
    files
        What was written; for crops, the folder.
    notes
        What was left out and why, a sentence each.
    stopped
        Whether it was stopped before its end.
    """

    cells: int
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def text(self) -> str:
        """What was written, in a sentence."""
        start = "Stopped: " if self.stopped else ""
        noun = "cell" if self.cells == 1 else "cells"
        where = str(self.files[0]) if len(self.files) == 1 else f"{len(self.files)} files in {self.files[0].parent}"
        return f"{start}{self.cells} {noun} written to {where}"
