"""What is known of every image's cells without reading them: how many there are, have each class, were predicted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from napari_cellstage.core.edits import LabelChange
from napari_cellstage.core.journal import Journal


@dataclass(frozen=True)
class ImageState:
    """One line of the list of images.

    Parameters
    ----------
    image_id, name
        The image; with its folder where another has the same name.
    cells
        How many there are, None where that is not known yet.
    labelled
        How many of them have a class.
    predicted
        Whether the cells there are now were predicted.
    missing
        Whether its file can't be found or opened.
    """

    image_id: int
    name: str
    cells: int | None
    labelled: int
    predicted: bool
    missing: bool


class Tally:
    """Counts by image, read once and kept up with every change.

    Parameters
    ----------
    journal
        Of the open project; None where there is none.
    hidden
        Images that were taken out of the project: their labels are known, but not in `totals`.
    """

    def __init__(self, journal: Journal | None = None, hidden: Iterable[int] = ()) -> None:
        self.hidden = set(hidden)
        self.recount(journal.counts() if journal else {})
        self.cells: dict[int, int] = journal.cell_counts() if journal else {}
        self.predicted: dict[int, int] = journal.predicted_versions() if journal else {}
        self.versions: dict[int, int] = journal.versions() if journal else {}

    def recount(self, classes: dict[int, dict[int, int]]) -> None:
        """Count other labels than before: for each image how many cells have each class."""
        self.classes = classes
        self.totals: dict[int, int] = {}
        for image_id in classes.keys() - self.hidden:
            self._add(image_id, 1)

    def count(self, change: LabelChange) -> None:
        """Count a change of labels that was made."""
        counts = self.classes.setdefault(change.image_id, {})
        shown = change.image_id not in self.hidden
        for ids, sign in ((change.before, -1), (change.after, 1)):
            for class_id, number in zip(*np.unique(ids[ids > 0], return_counts=True), strict=True):
                counts[int(class_id)] = counts.get(int(class_id), 0) + sign * int(number)
                self.totals[int(class_id)] = self.totals.get(int(class_id), 0) + sign * int(number) * shown

    def hide(self, image_id: int, hidden: bool) -> None:
        """Note that an image was taken out of the project, or has come back."""
        if hidden != (image_id in self.hidden):
            self._add(image_id, -1 if hidden else 1)
            self.hidden ^= {image_id}

    def _add(self, image_id: int, sign: int) -> None:
        for class_id, number in self.classes.get(image_id, {}).items():
            self.totals[class_id] = self.totals.get(class_id, 0) + sign * number

    def labelled(self, image_id: int) -> int:
        """Return how many cells of an image have a class."""
        return sum(self.classes.get(image_id, {}).values())

    def with_class(self, class_id: int) -> tuple[int, ...]:
        """Return the images in which cells have a class, those that were taken out too."""
        return tuple(image_id for image_id, counts in sorted(self.classes.items()) if counts.get(class_id))

    def state(self, image_id: int, name: str, missing: bool) -> ImageState:
        """Return what is known of an image."""
        version = self.versions.get(image_id, 0)
        cells = self.cells.get(image_id) if version or image_id in self.cells else 0
        predicted = bool(cells) and self.predicted.get(image_id, -1) == version
        return ImageState(image_id, name, cells, self.labelled(image_id), predicted, missing)
