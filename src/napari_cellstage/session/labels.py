"""Labels of cells, and undo."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cellstage.core import acts
from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.effects import NO_ROWS, Effects, Rows
from napari_cellstage.core.marks import origin_names, origin_number
from napari_cellstage.core.reading_order import next_in_order
from napari_cellstage.session.cells import CellsPart
from napari_cellstage.session.images import ImagesPart

_LOOKED_AT = ("hand", "review", "accepted")  # labels that a person gave cell by cell


class LabelsPart(ImagesPart, CellsPart):
    """Labels, their counts, and every change taken back."""

    def class_ids(self, image_id: int | None = None) -> Rows:
        """Return the class id of each row, 0 for not labelled; a live view that can't be written to."""
        return self._image(image_id).shown_ids

    def counts(self) -> dict[int, int]:
        """Return how many cells have each class, over all images."""
        return self._space.counts()

    def origins(self, image_id: int | None = None, rows: ArrayLike | slice = slice(None)) -> NDArray[np.str_]:
        """Return where the label of each row came from, one of `ORIGINS`; empty for a row without label.

        Give the `rows` where there are few: to name a hundred thousand takes longer than a key press.
        """
        image, some = self._image(image_id), rows if isinstance(rows, slice) else np.asarray(rows)
        return origin_names(image.class_ids[some], image.origins[some])

    def label_cells(
        self,
        rows: ArrayLike,
        class_id: int,
        image_id: int | None = None,
        continues: bool = False,
        origin: str = "hand",
    ) -> Rows:
        """Give cells a class, 0 to clear; return the rows whose class changed.

        A label that has the class already but was given with its image, well or track becomes the user's own when given
        by hand. Where several persons have labelled, the same class given again is noted too, as what this person says.
        With `continues` it is part of the same stroke as the call before, and undone together with it.
        `origin` is one of `ORIGINS`, and stays recorded.
        """
        wanted = self._id(image_id)
        if class_id != UNLABELLED:
            self.scheme.by_id(class_id)
        image = self._space.image(wanted)
        restate = self._restates(class_id, origin)
        edit = acts.label_cells(image, wanted, np.asarray(rows), class_id, origin_number(origin), restate)
        return self._do(edit, continues).rows[wanted] if edit else NO_ROWS

    def _restates(self, class_id: int, origin: str) -> bool:
        """Return whether a class that a cell has already is to be noted: two persons may well say the same."""
        space = self._space
        return class_id != UNLABELLED and origin in _LOOKED_AT and not space.only and not space.alone

    def label_images(self, image_ids: Iterable[int], class_id: int, origin: str = "image", keep: bool = False) -> int:
        """Give all cells of images a class, and those found later too; return how many labels changed.

        Class 0 clears the labels that were given so, and leaves those that the user gave cell by cell. With `keep`
        cells that have a label keep it.
        """
        wanted = [self._id(image_id) for image_id in dict.fromkeys(image_ids)]
        if class_id != UNLABELLED:
            self.scheme.by_id(class_id)
        images = [(image_id, self._space.image(image_id)) for image_id in wanted]
        class_of, known = dict.fromkeys(wanted, class_id), self._space.image_classes
        edit = acts.label_images(images, known, class_of, origin_number(origin), keep)
        if edit.labels or edit.image_classes:
            self._do(edit)
        return sum(len(change.t) for change in edit.labels)

    def image_class(self, image_id: int | None = None) -> int:
        """Return the class that all cells of an image have, those found later too; 0 for none."""
        return self._space.image_classes.get(self._id(image_id), (UNLABELLED, 0))[0]

    def next_unlabelled(self, after: int | None = None) -> int | None:
        """Return the next row of the current image without a label, in reading order, starting over at the end."""
        return next_in_order(self.cells(), self.class_ids() == UNLABELLED, after)

    @property
    def can_undo(self) -> bool:
        """True when there is something to undo."""
        return self._space.history.last is not None

    @property
    def can_redo(self) -> bool:
        """True when there is something to do again."""
        return self._space.history.next is not None

    def undo(self) -> Rows:
        """Take the last edit back; return the rows of the image it was in, then current, whose label changed."""
        return self._shown(self._space.undo())

    def redo(self) -> Rows:
        """Do the last undone edit again; return the rows of its image, then current, whose label changed."""
        return self._shown(self._space.redo())

    def _shown(self, effects: Effects | None) -> Rows:
        if effects is None:
            return NO_ROWS
        touched = [image_id for image_id in effects.edit.image_ids if image_id in self._space.entries]
        if touched and self._current not in touched:
            if effects.edit.hidden:
                self.images_changed.emit()  # who shows the current image must know it first
            self.set_current(touched[0])  # so that the user sees what happens
        self._tell(effects)
        return effects.rows.get(self._current or 0, NO_ROWS)
