"""The project's SQLite database: an append-only journal of labels, cells and classes, and the list of images.

Every write is one transaction in WAL mode with ``synchronous=FULL``: it is on the disk when the call returns, or it
never happened. Files beside the database are the business of `core.store`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from napari_cellstage.core.annotations import DrawnCell, Edit, Names
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.image_records import ImageRecord
from napari_cellstage.core.project_lock import current_user
from napari_cellstage.core.schema import APPLICATION_ID, FORMAT_VERSION, create_script

# The last entry of each cell is its label; SQLite takes the other columns from the row that has the maximum.
_CURRENT = "SELECT image_id, t, cell_id, class_id, MAX(seq) FROM annotation {where} GROUP BY image_id, t, cell_id"


class Journal:
    """One open database.

    Parameters
    ----------
    path
        The SQLite file.
    read_only
        Nothing is written, not even beside the file where that can be helped.

    Raises
    ------
    ProjectError
        If the file is missing, no project, damaged, or of a newer version.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        mode = "ro" if read_only else "rw"
        with _explained(path, "opened"):
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
        try:
            with _explained(path, "opened"):
                self._check_version()
                if not read_only:
                    self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
        except ProjectError:
            self._db.close()
            raise

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make an empty database; `path` must not exist."""
        with _explained(path, "created"):
            db = sqlite3.connect(path, isolation_level=None)
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(f"BEGIN;{create_script()}COMMIT;")
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                db.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
            finally:
                db.close()
        return cls(path)

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def copy_to(self, path: Path) -> None:
        """Write a copy of the database as it is now."""
        with _explained(path, "written"):
            target = sqlite3.connect(path)
            try:
                self._db.backup(target)
            finally:
                target.close()

    def write(self, edit: Edit, how: str = "") -> int:
        """Make an edit durable and return the number of its batch.

        Parameters
        ----------
        edit
            What changes.
        how
            ``"undo"`` or ``"redo"``; empty for something new.

        Raises
        ------
        ProjectError
            If it can't be written; then nothing of it was.
        """
        of_batch = edit.batches[-1] if how and edit.batches else None
        with self._transaction() as db:
            now = datetime.now(UTC).isoformat()
            head = (now, current_user(), how or edit.kind, of_batch, edit.text)
            insert = "INSERT INTO batch (at, who, kind, of_batch, text) VALUES (?,?,?,?,?)"
            batch = int(db.execute(insert, head).lastrowid or 0)
            self._write_changes(db, batch, edit)
        return batch

    def _write_changes(self, db: sqlite3.Connection, batch: int, edit: Edit) -> None:
        for seg in edit.segmentations:
            entry = (batch, seg.image_id, seg.after)
            db.execute("INSERT INTO segmentation (batch_id, image_id, version) VALUES (?,?,?)", entry)
        for drawn in edit.drawn:
            cell = drawn.cell
            place = (cell.cell_id, cell.t, cell.z, cell.y, cell.x, cell.diameter)
            db.execute(
                "INSERT INTO drawn_cell (batch_id, image_id, version, cell_id, t, z, y, x, diameter, present) "
                "VALUES (?,?,?,?,?,?,?,?,?,?)",
                (batch, drawn.image_id, drawn.version, *place, drawn.present),
            )
        for change in edit.labels:
            named = zip(change.t.tolist(), change.cell_id.tolist(), change.after.tolist(), strict=True)
            db.executemany(
                "INSERT INTO annotation (batch_id, image_id, t, cell_id, class_id) VALUES (?,?,?,?,?)",
                ((batch, change.image_id, *entry) for entry in named),
            )
        if edit.scheme:
            text = json.dumps(edit.scheme.after.to_dict(), ensure_ascii=False)
            db.execute("INSERT INTO scheme (batch_id, json) VALUES (?,?)", (batch, text))

    def names(self, image_id: int) -> Names:
        """Return the current label of each labelled cell of an image, by ``(t, cell_id)``."""
        query = _CURRENT.format(where="WHERE image_id = ?")
        rows = self._db.execute(f"SELECT t, cell_id, class_id FROM ({query}) WHERE class_id > 0", (image_id,))
        return {(t, cell_id): class_id for t, cell_id, class_id in rows}

    def counts(self, image_id: int) -> dict[int, int]:
        """Return how many cells of an image have each class, for the classes that have any."""
        query = _CURRENT.format(where="WHERE image_id = ?")
        counted = f"SELECT class_id, COUNT(*) FROM ({query}) WHERE class_id > 0 GROUP BY class_id"
        return dict(self._db.execute(counted, (image_id,)).fetchall())

    def scheme(self) -> ClassScheme:
        """Return the latest scheme; an empty one where none was written."""
        row = self._db.execute("SELECT json FROM scheme ORDER BY seq DESC LIMIT 1").fetchone()
        return ClassScheme.from_dict(json.loads(row[0])) if row else ClassScheme()

    def version(self, image_id: int) -> int:
        """Return the current version of an image's segmentation, 0 for none."""
        query = "SELECT version FROM segmentation WHERE image_id = ? ORDER BY seq DESC LIMIT 1"
        row = self._db.execute(query, (image_id,)).fetchone()
        return int(row[0]) if row else 0

    def next_version(self, image_id: int) -> int:
        """Return a version number that no segmentation of the image has had."""
        query = "SELECT COALESCE(MAX(version), 0) + 1 FROM segmentation WHERE image_id = ?"
        return int(self._db.execute(query, (image_id,)).fetchone()[0])

    def bare_versions(self, image_id: int) -> tuple[int, ...]:
        """Return past segmentations on which nothing was labelled or drawn, so that they need not be kept."""
        spans = (
            "SELECT version, batch_id AS began, COALESCE(LEAD(batch_id) OVER (ORDER BY seq), 1 << 60) AS ended "
            "FROM segmentation WHERE image_id = :image"
        )
        used = (
            "SELECT version FROM drawn_cell WHERE image_id = :image UNION "
            f"SELECT version FROM ({spans}) WHERE EXISTS (SELECT 1 FROM annotation WHERE image_id = :image "
            "AND class_id > 0 AND batch_id >= began AND batch_id < ended)"
        )
        query = f"SELECT DISTINCT version FROM segmentation WHERE image_id = :image AND version NOT IN ({used})"
        found = {int(row[0]) for row in self._db.execute(query, {"image": image_id})}
        return tuple(sorted(found - {0, self.version(image_id)}))

    def drawn(self, image_id: int, version: int) -> tuple[DrawnCell, ...]:
        """Return the hand-drawn cells on a version of a segmentation, in the order they were drawn."""
        rows = self._db.execute(
            "SELECT cell_id, t, z, y, x, diameter FROM (SELECT *, MAX(seq) FROM drawn_cell "
            "WHERE image_id = ? AND version = ? GROUP BY cell_id) WHERE present ORDER BY seq",
            (image_id, version),
        )
        return tuple(DrawnCell(*row) for row in rows)

    def images(self) -> tuple[ImageRecord, ...]:
        """Return the images in the order they were added."""
        rows = self._db.execute("SELECT * FROM image ORDER BY image_id")
        columns = [c[0] for c in rows.description]
        return tuple(_record(dict(zip(columns, row, strict=True))) for row in rows)

    def next_image_id(self) -> int:
        """Return the number for an image that is yet to be added."""
        return int(self._db.execute("SELECT COALESCE(MAX(image_id), 0) + 1 FROM image").fetchone()[0])

    def put_image(self, record: ImageRecord) -> None:
        """Add an image, or change what is known of it."""
        values = asdict(record)
        for key in ("shape", "channel_names", "pixel_size_um"):
            values[key] = json.dumps(values[key], ensure_ascii=False)
        marks = ", ".join(f":{key}" for key in values)
        with self._transaction() as db:
            db.execute(f"INSERT OR REPLACE INTO image ({', '.join(values)}) VALUES ({marks})", values)

    def settings(self) -> dict[str, Any]:
        """Return all settings; values are plain JSON."""
        return {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM setting")}

    def put_setting(self, key: str, value: Any) -> None:
        """Store a setting; `value` must be plain JSON."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO setting VALUES (?,?)", (key, json.dumps(value)))

    def _check_version(self) -> None:
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION_ID:
            raise ProjectError(f"'{self.path}' is no Cellstage project database. Choose a folder named '….cellstage'.")
        if found > FORMAT_VERSION:
            raise ProjectError(
                f"The project '{self.path.parent}' has format {found}, this napari-cellstage reads up to format "
                f"{FORMAT_VERSION}. Update with: pip install --upgrade napari-cellstage. Nothing was changed."
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():  # SQLite would go on writing to a file that nobody finds again
            raise ProjectError(
                f"The project is not at '{self.path.parent}' any more, so this change was not made. "
                "Put the folder back, or open the project from where it is now."
            )
        with _explained(self.path, "written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:  # it failed, and SQLite has not rolled back by itself
                    self._db.execute("ROLLBACK")


def _record(values: dict[str, Any]) -> ImageRecord:
    size = json.loads(values.pop("pixel_size_um"))
    return ImageRecord(
        **values
        | {
            "shape": tuple(json.loads(values["shape"])),
            "channel_names": tuple(json.loads(values["channel_names"])),
            "pixel_size_um": tuple(size) if size else None,
            "rgb": bool(values["rgb"]),
        }
    )


@contextmanager
def _explained(path: Path, done: str) -> Iterator[None]:
    """Turn an error of SQLite into a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        advice = {
            "written": "This change was not made; everything before it is safe. "
            "Free disk space or check the drive, and do it again.",
            "created": "Choose a place that you may write to.",
        }.get(done, "Check that it is a Cellstage project and that you may read it.")
        raise ProjectError(f"The project file '{path}' can't be {done}: {error}. {advice}") from error
