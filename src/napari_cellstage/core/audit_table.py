"""Cells set aside to check the final model, in the project's database: entries are only added.

An entry names a version of a segmentation, so that undo, which brings it back, brings its cells back too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from napari_cellstage.core.database import Database
from napari_cellstage.core.project_lock import current_user

_LAST = "(SELECT *, MAX(seq) FROM audit GROUP BY image_id, version, t, cell_id)"


@dataclass(frozen=True, order=True)
class AuditEntry:
    """A cell that is set aside.

    Parameters
    ----------
    image_id, version
        Which segmentation.
    t, cell_id
        Its name in there.
    seed
        Of the draw.
    """

    image_id: int
    version: int
    t: int
    cell_id: int
    seed: int = 0


class AuditTable(Database):
    """Cells set aside."""

    def audit(self, versions: Mapping[int, int]) -> list[AuditEntry]:
        """Return the cells set aside of these versions of images, in the order in which they were drawn."""
        if not self._all("SELECT 1 FROM sqlite_master WHERE name = 'audit'"):
            return []  # a project that was made before there was such a thing, and can't be written to
        query = f"SELECT image_id, version, t, cell_id, seed FROM {_LAST} WHERE aside ORDER BY seq"
        found = (AuditEntry(*row) for row in self._all(query))
        return [one for one in found if versions.get(one.image_id) == one.version]

    def audit_classes(self, versions: Mapping[int, int]) -> dict[int, int]:
        """Return how many cells set aside have each class, of these versions of images; no image is read for it."""
        counts: dict[int, int] = {}
        query = (
            "SELECT image_id, version, class_id, COUNT(*) "
            f"FROM {_LAST} JOIN current_label USING (image_id, t, cell_id) "
            "WHERE aside GROUP BY image_id, version, class_id"
        )
        for image_id, version, class_id, count in self._all(query):
            if versions.get(image_id) == version:
                counts[class_id] = counts.get(class_id, 0) + count
        return counts

    def put_audit(self, entries: Sequence[AuditEntry], aside: bool = True) -> None:
        """Note that cells are set aside, or are not any more; all of them or none."""
        start = (datetime.now(UTC).isoformat(), current_user(), int(aside))
        insert = "INSERT INTO audit (at, who, aside, image_id, version, t, cell_id, seed) VALUES (?,?,?,?,?,?,?,?)"
        with self._transaction() as db:
            db.executemany(insert, [(*start, *_columns(one)) for one in entries])


def _columns(entry: AuditEntry) -> tuple[int, ...]:
    return entry.image_id, entry.version, entry.t, entry.cell_id, entry.seed
