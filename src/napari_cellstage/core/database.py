"""One open SQLite database of a project: opened, brought to this format, written to in whole transactions.

Every write is one transaction in WAL mode with ``synchronous=FULL``: it is on the disk when the call returns, or it
never happened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.schema import (
    ADDED_COLUMNS,
    APPLICATION_ID,
    FORMAT_VERSION,
    create_script,
    migration,
    parts_script,
)


class Database:
    """One open database.

    Parameters
    ----------
    path
        The SQLite file.
    read_only
        Nothing is written, not even beside the file where that can be helped.
    shared
        Used by another thread than the one that opened it, one at a time.

    Raises
    ------
    ProjectError
        If the file is missing, no project, damaged, of a newer version, or of an older one and `read_only`.
    """

    def __init__(self, path: Path, read_only: bool = False, shared: bool = False) -> None:
        self.path = path
        address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
        with explained(path, "opened"):
            self._db = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=not shared)
        try:
            with explained(path, "opened"):
                self._prepare(read_only)
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make an empty database; `path` must not exist."""
        with explained(path, "created"):
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
        with explained(path, "written"):
            target = sqlite3.connect(path)
            try:
                self._db.backup(target)
            finally:
                target.close()

    def _prepare(self, read_only: bool) -> None:
        found = self._checked_version()
        if read_only and found < FORMAT_VERSION:
            raise OldFormatError(f"The project '{self.path.parent}' has format {found}. Open it to write, once.")
        if not read_only:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._bring_up_to_date(found)
        self._db.execute("PRAGMA synchronous = FULL")

    def _bring_up_to_date(self, found: int) -> None:
        """Change the tables of an older format; all of it or nothing."""
        if script := migration(found):
            self._db.executescript(f"BEGIN IMMEDIATE;{script}PRAGMA user_version = {FORMAT_VERSION};COMMIT;")
        self._db.executescript(parts_script())
        for table, column, kind in ADDED_COLUMNS:
            if column not in self._columns(table):
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

    def _columns(self, table: str) -> tuple[str, ...]:
        """Return the names of the columns of a table; none where there is no such table."""
        return tuple(row[1] for row in self._db.execute(f"PRAGMA table_info({table})"))

    def _checked_version(self) -> int:
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        found = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if application != APPLICATION_ID:
            raise ProjectError(f"'{self.path}' is no Cellstage project database. Choose a folder named '….cellstage'.")
        if found > FORMAT_VERSION:
            raise ProjectError(
                f"The project '{self.path.parent}' has format {found}, this napari-cellstage reads up to format "
                f"{FORMAT_VERSION}. Update with: pip install --upgrade napari-cellstage. Nothing was changed."
            )
        return found

    def _all(self, query: str, values: tuple[Any, ...] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows that a query finds."""
        with explained(self.path, "read"):
            return self._db.execute(query, values).fetchall()

    def _one(self, query: str, values: tuple[Any, ...] = (), none: Any = None) -> Any:
        """Return the first value that a query finds, `none` when it finds no row or NULL."""
        with explained(self.path, "read"):
            row = self._db.execute(query, values).fetchone()
        return none if row is None or row[0] is None else row[0]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():  # SQLite would go on writing to a file that nobody finds again
            raise ProjectError(
                f"The project is not at '{self.path.parent}' any more, so this change was not made. "
                "Put the folder back, or open the project from where it is now."
            )
        with explained(self.path, "written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:  # it failed, and SQLite has not rolled back by itself
                    self._db.execute("ROLLBACK")


class OldFormatError(ProjectError):
    """The project has an older format, and may not be written to."""


@contextmanager
def explained(path: Path, done: str) -> Iterator[None]:
    """Turn an error of SQLite into a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        advice = {
            "written": "This change was not made; everything before it is safe. "
            "Free disk space or check the drive, and do it again.",
            "read": "Everything that was labelled is safe. Check that the drive is still there, and do it again.",
            "created": "Choose a place that you may write to.",
        }.get(done, "Check that it is a Cellstage project and that you may read it.")
        raise ProjectError(f"The project file '{path}' can't be {done}: {error}. {advice}") from error
