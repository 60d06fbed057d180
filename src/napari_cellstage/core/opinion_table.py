"""What each person said, in the database: labels given blind, and the journal of shared labels read by person.

The table `opinion` only grows, as the journal does: the last entry of a person for a cell is what that person says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_cellstage.core.database import Database
from napari_cellstage.core.people.opinions import PERSONAL, Batches, Entries, Opinions, opinions_of

_ORDERED = "ORDER BY image_id, t, cell_id, seq"
_VERSION = (
    "SELECT version FROM segmentation AS found WHERE found.image_id = opinion.image_id {} ORDER BY seq DESC LIMIT 1"
)
# What was said of other cells than those that are there now does not count; nor does that a segmentation was taken back
# or done again, as then its own entries count.
_OWN = (
    "SELECT batch_id, image_id, t, cell_id, class_id, opinion.who FROM opinion JOIN batch USING (batch_id) WHERE {} "
    f"AND ({_VERSION.format('AND found.batch_id <= opinion.batch_id')}) IS ({_VERSION.format('')}) "
    "AND NOT (kind IN ('undo', 'redo') AND EXISTS (SELECT 1 FROM segmentation AS found "
    "WHERE found.image_id = opinion.image_id AND found.batch_id = opinion.batch_id)) " + _ORDERED
)
# Cells that nobody labelled one by one are not read: class folders have a million of them.
_SHARED = (
    "SELECT batch_id, image_id, t, cell_id, class_id, origin FROM annotation WHERE (image_id, t, cell_id) IN "
    f"(SELECT image_id, t, cell_id FROM annotation WHERE {{}} AND origin IN ({', '.join(map(str, PERSONAL))})) "
    + _ORDERED
)


class OpinionTable(Database):
    """Persons and what each said."""

    def people(self) -> tuple[str, ...]:
        """Return everyone who has labelled anything, by name."""
        return tuple(str(row[0]) for row in self._all("SELECT who FROM person ORDER BY who"))

    def last_batch(self) -> int:
        """Return the number of the last act that was written; 0 when there is none."""
        return int(self._one("SELECT MAX(batch_id) FROM batch", none=0))

    def others_labelled(self, who: str) -> bool:
        """Return whether anyone else has labelled here."""
        return bool(self._all("SELECT 1 FROM person WHERE who != ? LIMIT 1", (who,)))

    def opinions(self, image_id: int | None = None) -> Opinions:
        """Return what each person says of each cell today, of one image or of all."""
        where = "TRUE" if image_id is None else f"image_id = {int(image_id)}"
        names, batches = self._batches(where)
        shared, own = self._all(_SHARED.format(where)), self._all(_OWN.format(where))
        places = {who: place for place, who in enumerate(names)}
        own = [(*row[:5], places.setdefault(row[5], len(places))) for row in own]
        return opinions_of(tuple(places), batches, _columns(shared), _columns(own))

    def _batches(self, where: str) -> tuple[tuple[str, ...], Batches]:
        """Return who did what in the acts that labelled cells; of one image they are few among a million."""
        labelled = f"SELECT batch_id FROM annotation WHERE {where} UNION SELECT batch_id FROM opinion WHERE {where}"
        some = "TRUE" if where == "TRUE" else f"batch_id IN ({labelled})"
        rows = self._all(f"SELECT batch_id, who, kind, at FROM batch WHERE {some} ORDER BY batch_id")
        places: dict[str, int] = {}
        who = [places.setdefault(row[1], len(places)) for row in rows]
        kind, at = (np.array([row[place] for row in rows], dtype=np.str_) for place in (2, 3))
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        return tuple(places), Batches(numbers, np.array(who, dtype=np.int64), kind, at)


def _columns(rows: list[tuple[Any, ...]]) -> Entries:
    return Entries(*np.array(rows, dtype=np.int64).reshape(-1, 6).T)
