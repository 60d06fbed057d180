"""Labels that may be wrong, gone through one by one: which are left, which were found right, which were skipped."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session.runs import RunsPart

_CHECKED = "checked labels"


class SuspectsPart(RunsPart):
    """Suspected label errors. Labels that were found right are kept with the project, those skipped are not."""

    suspects_changed = Signal()

    _skipped = CellRefs()

    def suspects(self) -> CellRefs:
        """Return cells whose label is probably wrong, most suspicious first, without those checked or skipped."""
        unseen = None if self._space.only else self.unseen()
        if unseen is None or not len(unseen):
            return CellRefs()
        from napari_cellstage.core.review.suspects import find_errors

        return self.still_suspected(unseen.cells.take(find_errors(unseen)))

    def still_suspected(self, found: CellRefs) -> CellRefs:
        """Return suspects that were neither found right nor skipped."""
        return found.take(~found.isin(self._skipped) & ~found.isin(self._checked()))

    def accept_labels(self, cells: CellRefs) -> None:
        """Note that labels are right as they are: they are not suspected again unless they change."""
        columns = (cells.image_id, cells.t, cells.cell_id, self._versions(cells), self._ids_today(cells))
        new = zip(*(one.tolist() for one in columns), strict=True)
        known = {tuple(one[:4]): one for one in self._stored()}
        known |= {tuple(one[:4]): list(one) for one in new if one[4] != UNLABELLED}
        self.put_setting(_CHECKED, list(known.values()))
        self.suspects_changed.emit()

    def skip_suspects(self, cells: CellRefs) -> None:
        """Pass over cells until the project is opened again."""
        self._skipped = CellRefs.joined((self._skipped, cells))
        self.suspects_changed.emit()

    @property
    def skipped(self) -> CellRefs:
        """The suspects that were passed over."""
        return self._skipped

    def unskip_suspects(self) -> None:
        """Take up again what was passed over."""
        self._skipped = CellRefs()
        self.suspects_changed.emit()

    def _stored(self) -> list[list[Any]]:
        stored = self.setting(_CHECKED)
        return [one for one in stored if len(one) == 5] if isinstance(stored, list) else []

    def _checked(self) -> CellRefs:
        """Return the cells whose label was found right and is still the same; cells found again are others."""
        *names, versions, ids = np.array(self._stored(), dtype=np.int64).reshape(-1, 5).T
        cells = CellRefs(*names)
        return cells.take((self._ids_today(cells) == ids) & (self._versions(cells) == versions))

    def _versions(self, cells: CellRefs) -> NDArray[np.int64]:
        """Return the version of the segmentation that each cell's image has now."""
        versions, (images, place) = self._space.tally.versions, np.unique(cells.image_id, return_inverse=True)
        return np.array([versions.get(one, 0) for one in images.tolist()], dtype=np.int64)[place]
