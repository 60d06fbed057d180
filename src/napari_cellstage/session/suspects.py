"""Labels that may be wrong, gone through one by one: which are left, which were found right, which were skipped."""

from __future__ import annotations

from typing import Any

import numpy as np
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
        ids = self._ids_today(cells)
        new = zip(cells.image_id.tolist(), cells.t.tolist(), cells.cell_id.tolist(), ids.tolist(), strict=True)
        known = {tuple(one[:3]): one for one in self._stored()}
        known |= {tuple(one[:3]): list(one) for one in new if one[3] != UNLABELLED}
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
        return [one for one in stored if len(one) == 4] if isinstance(stored, list) else []

    def _checked(self) -> CellRefs:
        """Return the cells whose label was found right and is still the same."""
        numbers = np.array(self._stored(), dtype=np.int64).reshape(-1, 4).T
        cells = CellRefs(*numbers[:3])
        return cells.take(self._ids_today(cells) == numbers[3])
