"""The project's journal: labels, cells and classes as they were changed, and as they are now or were at any time."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.audit_table import AuditTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.drawn import DrawnCell
from napari_cellstage.core.edits import Edit, LabelChange, PaintChange
from napari_cellstage.core.fact_table import FactTable
from napari_cellstage.core.image_table import ImageTable
from napari_cellstage.core.marks import Marks, Names
from napari_cellstage.core.opinion_table import OpinionTable
from napari_cellstage.core.project_lock import current_user
from napari_cellstage.core.stain_table import StainTable

# The last entry of each cell up to a moment; SQLite takes the other columns from the row that has the maximum.
_THEN = (
    "SELECT t, cell_id, class_id, origin FROM (SELECT t, cell_id, class_id, origin, MAX(seq) FROM annotation "
    "WHERE image_id = ? AND seq <= ? GROUP BY t, cell_id) WHERE class_id > 0"
)
_PLACE = "t, z, y, x, depth, height, width"


class Journal(FactTable, ImageTable, OpinionTable, AuditTable, StainTable):
    """What was done to a project, and what follows from it."""

    def write(self, edit: Edit, how: str = "", who: str = "") -> int:
        """Make an edit durable and return the number of its batch.

        Parameters
        ----------
        edit
            What changes.
        how
            ``"undo"`` or ``"redo"``; empty for something new.
        who
            Who does it; the user of this computer when empty.

        Raises
        ------
        ProjectError
            If it can't be written; then nothing of it was.
        """
        of_batch = edit.batches[-1] if how and edit.batches else None
        with self._transaction() as db:
            now = datetime.now(UTC).isoformat()
            head = (now, who or current_user(), how or edit.kind, of_batch, edit.text)
            insert = "INSERT INTO batch (at, who, kind, of_batch, text) VALUES (?,?,?,?,?)"
            batch = int(db.execute(insert, head).lastrowid or 0)
            self._write_changes(db, batch, edit)
        return batch

    def _write_changes(self, db: sqlite3.Connection, batch: int, edit: Edit) -> None:
        for seg in edit.segmentations:
            entry = (batch, seg.image_id, seg.after)
            db.execute("INSERT INTO segmentation (batch_id, image_id, version) VALUES (?,?,?)", entry)
        for paint in edit.paint:
            _write_paint(db, batch, paint)
        for change in edit.labels:
            _write_labels(db, batch, change)
        for one in edit.image_classes:
            insert = "INSERT INTO image_class (batch_id, image_id, class_id, origin) VALUES (?,?,?,?)"
            db.execute(insert, (batch, one.image_id, *one.after))
        for seen in edit.hidden:
            entry = (batch, seen.image_id, int(seen.after))
            db.execute("INSERT INTO image_hidden (batch_id, image_id, hidden) VALUES (?,?,?)", entry)
        if edit.scheme:
            text = json.dumps(edit.scheme.after.to_dict(), ensure_ascii=False)
            db.execute("INSERT INTO scheme (batch_id, json) VALUES (?,?)", (batch, text))

    def moment(self) -> tuple[int, int]:
        """Return how far the journal has come: the last entries of labels and of paint."""
        return tuple(  # type: ignore[return-value]
            int(self._one(f"SELECT MAX(seq) FROM {table}", none=0)) for table in ("annotation", "paint")
        )

    def time_of(self, entry: int) -> str:
        """Return when an entry of the labels was made, ISO 8601 in UTC; empty where there is none of that number."""
        query = "SELECT at FROM annotation JOIN batch USING (batch_id) WHERE seq = ?"
        return str(self._one(query, (entry,), none=""))

    def marks(self, image_id: int, until: int | None = None) -> Marks:
        """Return the labels of an image, as they are or as they were after the entry `until`."""
        if until is None:
            query = "SELECT t, cell_id, class_id, origin FROM current_label WHERE image_id = ? ORDER BY t, cell_id"
            return _marks(self._all(query, (image_id,)))
        return _marks(self._all(f"{_THEN} ORDER BY t, cell_id", (image_id, until)))

    def names(self, image_id: int) -> Names:
        """Return the current label of each labelled cell of an image, by ``(t, cell_id)``."""
        return self.marks(image_id).names()

    def counts(self) -> dict[int, dict[int, int]]:
        """Return for each image how many cells have each class, for the classes that have any."""
        counts: dict[int, dict[int, int]] = {}
        grouped = "SELECT image_id, class_id, COUNT(*) FROM current_label GROUP BY image_id, class_id"
        for image_id, class_id, count in self._all(grouped):
            counts.setdefault(image_id, {})[class_id] = count
        return counts

    def labelled(self, image_id: int, class_id: int) -> Marks:
        """Return the cells of an image that have a class."""
        query = (
            "SELECT t, cell_id, class_id, origin FROM current_label WHERE image_id = ? AND class_id = ? "
            "ORDER BY t, cell_id"
        )
        return _marks(self._all(query, (image_id, class_id)))

    def image_classes(self) -> dict[int, tuple[int, int]]:
        """Return class id and origin of the images whose cells all have one class, those found later too."""
        query = "SELECT image_id, class_id, origin, MAX(seq) FROM image_class GROUP BY image_id"
        return {image: (class_id, origin) for image, class_id, origin, _ in self._all(query) if class_id}

    def hidden_images(self) -> set[int]:
        """Return the images that were taken out of the project and not brought back."""
        if not self._all("SELECT 1 FROM sqlite_master WHERE name = 'image_hidden'"):
            return set()  # a project that was made before there was such a thing, and can't be written to
        query = "SELECT image_id, hidden, MAX(seq) FROM image_hidden GROUP BY image_id"
        return {int(image_id) for image_id, hidden, _ in self._all(query) if hidden}

    def scheme(self) -> ClassScheme:
        """Return the latest scheme; an empty one where none was written."""
        text = self._one("SELECT json FROM scheme ORDER BY seq DESC LIMIT 1")
        return ClassScheme.from_dict(json.loads(text)) if text else ClassScheme()

    def version(self, image_id: int) -> int:
        """Return the current version of an image's segmentation, 0 for none."""
        query = "SELECT version FROM segmentation WHERE image_id = ? ORDER BY seq DESC LIMIT 1"
        return int(self._one(query, (image_id,), 0))

    def versions(self) -> dict[int, int]:
        """Return the current version of each image's segmentation, for the images that have any."""
        return {i: version for i, version, _ in self._all(
            "SELECT image_id, version, MAX(seq) FROM segmentation GROUP BY image_id")}  # fmt: skip

    def found_again(self, moment: int, versions: Mapping[int, int]) -> set[int]:
        """Return the images whose cells have other names than after the label entry `moment`.

        Parameters
        ----------
        moment
            The entry; where it is 0 nobody knows, and there is none.
        versions
            Of the segmentations now. Where one was replaced and no label had to move, cells are named as before.
        """
        batch = self._one("SELECT batch_id FROM annotation WHERE seq = ?", (moment,))
        if batch is None:
            return set()
        query = "SELECT image_id, version, MAX(seq) FROM segmentation WHERE batch_id <= ? GROUP BY image_id"
        then = {image_id: version for image_id, version, _ in self._all(query, (batch,))}
        others = {image_id for image_id, version in versions.items() if then.get(image_id, version) != version}
        query = (
            "SELECT DISTINCT image_id FROM annotation WHERE seq > ? AND (batch_id, image_id) IN "
            "(SELECT batch_id, image_id FROM segmentation WHERE batch_id > ?)"
        )
        return others & {int(row[0]) for row in self._all(query, (moment, batch))} if others else set()

    def next_version(self, image_id: int) -> int:
        """Return a version number that no segmentation of the image has had."""
        return int(self._one("SELECT MAX(version) FROM segmentation WHERE image_id = ?", (image_id,), 0)) + 1

    def bare_versions(self) -> tuple[tuple[int, int], ...]:
        """Return image and version of past segmentations on which nothing was labelled or painted."""
        replaced = "SELECT image_id FROM segmentation GROUP BY image_id HAVING COUNT(*) > 1"
        images = [int(row[0]) for row in self._all(replaced)]
        return tuple((image_id, version) for image_id in images for version in self._bare_of(image_id))

    def _bare_of(self, image_id: int) -> list[int]:
        spans = (
            "SELECT version, batch_id AS began, COALESCE(LEAD(batch_id) OVER (ORDER BY seq), 1 << 60) AS ended "
            "FROM segmentation WHERE image_id = :image"
        )
        used = (
            "SELECT version FROM drawn_cell WHERE image_id = :image UNION "
            "SELECT version FROM paint WHERE image_id = :image UNION "
            f"SELECT version FROM ({spans}) WHERE EXISTS (SELECT 1 FROM annotation WHERE image_id = :image "
            "AND class_id > 0 AND batch_id >= began AND batch_id < ended) UNION "
            f"SELECT version FROM ({spans}) WHERE EXISTS (SELECT 1 FROM opinion WHERE image_id = :image "
            "AND class_id > 0 AND batch_id >= began AND batch_id < ended)"
        )
        query = f"SELECT DISTINCT version FROM segmentation WHERE image_id = :image AND version NOT IN ({used})"
        found = {int(row[0]) for row in self._all(query, {"image": image_id})}
        return sorted(found - {0, self.version(image_id)})

    def paint(self, image_id: int, version: int, until: int | None = None) -> tuple[PaintChange, ...]:
        """Return what was painted on a version of a segmentation, in order, up to the entry `until`."""
        query = (
            f"SELECT {_PLACE}, before, after FROM paint WHERE image_id = ? AND version = ? AND seq <= ? ORDER BY seq"
        )
        rows = self._all(query, (image_id, version, (1 << 60) if until is None else until))
        return tuple(_paint(image_id, version, row) for row in rows)

    def last_paint(self, image_id: int, version: int, until: int | None = None) -> int:
        """Return the last entry of what was painted on a version of a segmentation, 0 for none."""
        query = "SELECT MAX(seq) FROM paint WHERE image_id = ? AND version = ? AND seq <= ?"
        return int(self._one(query, (image_id, version, (1 << 60) if until is None else until), 0))

    def drawn(self, image_id: int, version: int) -> tuple[DrawnCell, ...]:
        """Return the discs that a project of format 1 holds on a version of a segmentation, in order."""
        rows = self._all(
            "SELECT cell_id, t, z, y, x, diameter FROM (SELECT *, MAX(seq) FROM drawn_cell "
            "WHERE image_id = ? AND version = ? GROUP BY cell_id) WHERE present ORDER BY seq",
            (image_id, version),
        )
        return tuple(DrawnCell(*row) for row in rows)


def _write_labels(db: sqlite3.Connection, batch: int, change: LabelChange) -> None:
    if change.who:
        said = zip(change.t.tolist(), change.cell_id.tolist(), change.after.tolist(), strict=True)
        insert = "INSERT INTO opinion (batch_id, who, image_id, t, cell_id, class_id) VALUES (?,?,?,?,?,?)"
        db.executemany(insert, ((batch, change.who, change.image_id, *entry) for entry in said))
        return
    columns = (change.t, change.cell_id, change.after, change.origin_after)
    entries = zip(*(column.tolist() for column in columns), strict=True)
    db.executemany(
        "INSERT INTO annotation (batch_id, image_id, t, cell_id, class_id, origin) VALUES (?,?,?,?,?,?)",
        ((batch, change.image_id, *entry) for entry in entries),
    )


def _write_paint(db: sqlite3.Connection, batch: int, paint: PaintChange) -> None:
    place = (paint.image_id, paint.version, paint.t, *paint.corner, *paint.after.shape)
    db.execute(
        f"INSERT INTO paint (batch_id, image_id, version, {_PLACE}, before, after) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (batch, *place, _packed(paint.before), _packed(paint.after)),
    )


def _paint(image_id: int, version: int, row: tuple[Any, ...]) -> PaintChange:
    t, *corner = row[:4]
    before, after = (_unpacked(blob, row[4:7]) for blob in row[7:])
    return PaintChange(image_id, version, t, tuple(corner), before, after)


def _packed(values: NDArray[np.int64]) -> bytes:
    return zlib.compress(np.ascontiguousarray(values, dtype="<i8").tobytes(), 1)


def _unpacked(blob: bytes, shape: tuple[int, ...]) -> NDArray[np.int64]:
    return np.frombuffer(zlib.decompress(blob), dtype="<i8").astype(np.int64).reshape(shape)


def _marks(rows: Iterable[tuple[Any, ...]]) -> Marks:
    columns = np.array(list(rows), dtype=np.int64).reshape(-1, 4).T
    return Marks(*columns)
