"""The tables of the project's database. A change here is a new `FORMAT_VERSION`."""

from __future__ import annotations

FORMAT_VERSION = 1
APPLICATION_ID = 0x43454C53  # "CELS"

_TABLES = """
CREATE TABLE batch (
    batch_id INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('label', 'cells', 'scheme', 'undo', 'redo')),
    of_batch INTEGER, text TEXT NOT NULL);
CREATE TABLE annotation (
    seq INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch, image_id INTEGER NOT NULL,
    t INTEGER NOT NULL, cell_id INTEGER NOT NULL, class_id INTEGER NOT NULL);
CREATE INDEX annotation_cell ON annotation (image_id, t, cell_id, seq, class_id);
CREATE TABLE scheme (seq INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch, json TEXT NOT NULL);
CREATE TABLE segmentation (
    seq INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch, image_id INTEGER NOT NULL,
    version INTEGER NOT NULL);
CREATE TABLE drawn_cell (
    seq INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch, image_id INTEGER NOT NULL,
    version INTEGER NOT NULL, cell_id INTEGER NOT NULL, t INTEGER NOT NULL, z INTEGER NOT NULL, y REAL NOT NULL,
    x REAL NOT NULL, diameter REAL NOT NULL, present INTEGER NOT NULL);
CREATE TABLE image (
    image_id INTEGER PRIMARY KEY, name TEXT NOT NULL, path TEXT NOT NULL, relative_path TEXT NOT NULL,
    size INTEGER NOT NULL, fingerprint TEXT NOT NULL, shape TEXT NOT NULL, channel_names TEXT NOT NULL,
    pixel_size_um TEXT, rgb INTEGER NOT NULL);
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE VIEW journal AS
    SELECT seq, at, who, kind, of_batch, batch_id, image_id, t, cell_id, class_id, text
    FROM annotation JOIN batch USING (batch_id);
"""
_APPEND_ONLY = ("batch", "annotation", "scheme", "segmentation", "drawn_cell")


def create_script() -> str:
    """Return the SQL that makes an empty project; what must only grow refuses to be changed."""
    return _TABLES + "".join(map(_guard, _APPEND_ONLY))


def _guard(table: str) -> str:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
    return "".join(f"CREATE TRIGGER {table}_{act} BEFORE {act} ON {table} {refuse}" for act in ("UPDATE", "DELETE"))
