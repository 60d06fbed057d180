"""The tables of the project's database, and how a project of an older format becomes one of this format.

What the user did is in tables that only grow; `current_label` and `image_state` follow from them by triggers and are
kept so that a million labels can be counted at once. A change here is a new `FORMAT_VERSION`.
"""

from __future__ import annotations

FORMAT_VERSION = 4
APPLICATION_ID = 0x43454C53  # "CELS"

# Where a label came from. The place of each in this tuple is its number in the database: new ones go to the end, and
# need a new format, as an older program has no name for them.
ORIGINS = ("hand", "image", "well", "track", "folder", "import", "accepted", "review", "vote", "settled")

_FORMAT_1 = """
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

# From format 1. Cells drawn as discs stay in `drawn_cell`, which nothing is added to any more.
_FORMAT_2 = """
ALTER TABLE image ADD COLUMN scene TEXT NOT NULL DEFAULT '';
ALTER TABLE image ADD COLUMN axes TEXT NOT NULL DEFAULT '';
ALTER TABLE annotation ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
CREATE TABLE paint (
    seq INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch, image_id INTEGER NOT NULL,
    version INTEGER NOT NULL, t INTEGER NOT NULL, z INTEGER NOT NULL, y INTEGER NOT NULL, x INTEGER NOT NULL,
    depth INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL,
    before BLOB NOT NULL, after BLOB NOT NULL);
CREATE INDEX paint_image ON paint (image_id, version);
CREATE INDEX segmentation_image ON segmentation (image_id, seq, version);
CREATE TABLE image_class (
    seq INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch, image_id INTEGER NOT NULL,
    class_id INTEGER NOT NULL, origin INTEGER NOT NULL);
CREATE INDEX image_class_image ON image_class (image_id, seq);
CREATE TABLE current_label (
    image_id INTEGER NOT NULL, t INTEGER NOT NULL, cell_id INTEGER NOT NULL, class_id INTEGER NOT NULL,
    origin INTEGER NOT NULL, PRIMARY KEY (image_id, t, cell_id)) WITHOUT ROWID;
CREATE INDEX current_label_class ON current_label (image_id, class_id);
INSERT INTO current_label
    SELECT image_id, t, cell_id, class_id, 0 FROM
        (SELECT image_id, t, cell_id, class_id, MAX(seq) FROM annotation GROUP BY image_id, t, cell_id)
    WHERE class_id > 0;
CREATE TRIGGER annotation_given AFTER INSERT ON annotation WHEN NEW.class_id > 0 BEGIN
    INSERT OR REPLACE INTO current_label VALUES (NEW.image_id, NEW.t, NEW.cell_id, NEW.class_id, NEW.origin); END;
CREATE TRIGGER annotation_cleared AFTER INSERT ON annotation WHEN NEW.class_id = 0 BEGIN
    DELETE FROM current_label WHERE image_id = NEW.image_id AND t = NEW.t AND cell_id = NEW.cell_id; END;
CREATE TABLE image_state (
    image_id INTEGER PRIMARY KEY, cells INTEGER, predicted INTEGER NOT NULL DEFAULT -1);
DROP VIEW journal;
CREATE VIEW journal AS
    SELECT seq, at, who, kind, of_batch, batch_id, image_id, t, cell_id, class_id, origin, text
    FROM annotation JOIN batch USING (batch_id);
"""

# From format 2, whose programs know six origins, would train on cells set aside and leave opinions behind. Who has
# labelled is noted apart: the first key press must not read a million acts for it.
_FORMAT_3 = """
CREATE TABLE person (who TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO person SELECT DISTINCT who FROM batch WHERE kind = 'label';
CREATE TRIGGER batch_by AFTER INSERT ON batch WHEN NEW.kind = 'label' BEGIN
    INSERT OR IGNORE INTO person VALUES (NEW.who); END;
"""

# From format 3, whose programs would leave predicted stains behind when they copy a project, and not know of cells that
# they were found in one. A row of `stain` is a channel of its image, in this order.
_FORMAT_4 = """
CREATE TABLE stain (
    seq INTEGER PRIMARY KEY, image_id INTEGER NOT NULL, name TEXT NOT NULL, stain TEXT NOT NULL, run TEXT NOT NULL,
    verdict TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL, version INTEGER NOT NULL, place INTEGER NOT NULL,
    colour TEXT NOT NULL, UNIQUE (image_id, name));
CREATE TABLE found_in (
    image_id INTEGER NOT NULL, version INTEGER NOT NULL, channel TEXT NOT NULL,
    PRIMARY KEY (image_id, version)) WITHOUT ROWID;
"""

# What other parts keep; made when it is missing, so that a part can be added without a new format.
_PARTS = """
CREATE TABLE IF NOT EXISTS image_facts (
    image_id INTEGER PRIMARY KEY, plate TEXT NOT NULL, well TEXT NOT NULL, field TEXT NOT NULL,
    treatment TEXT NOT NULL, dose TEXT NOT NULL, replicate TEXT NOT NULL, donor TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS image_hidden (
    seq INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch, image_id INTEGER NOT NULL,
    hidden INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS opinion (
    seq INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL REFERENCES batch, who TEXT NOT NULL, image_id INTEGER NOT NULL,
    t INTEGER NOT NULL, cell_id INTEGER NOT NULL, class_id INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS opinion_cell ON opinion (image_id, t, cell_id, seq);
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, image_id INTEGER NOT NULL, version INTEGER NOT NULL,
    t INTEGER NOT NULL, cell_id INTEGER NOT NULL, seed INTEGER NOT NULL, aside INTEGER NOT NULL);
"""

# Columns that a part got later: table, name, kind. Added where they are missing.
ADDED_COLUMNS = (("image_facts", "donor", "TEXT NOT NULL DEFAULT ''"),)

_APPEND_ONLY = ("batch", "annotation", "scheme", "segmentation", "drawn_cell")
_APPEND_ONLY_2 = ("paint", "image_class")
_APPEND_ONLY_PARTS = ("image_hidden", "opinion", "audit")


def create_script() -> str:
    """Return the SQL that makes an empty project; what must only grow refuses to be changed."""
    return _FORMAT_1 + "".join(map(_guard, _APPEND_ONLY)) + migration(1)


def migration(found: int) -> str:
    """Return the SQL that brings a project of an older format to this one; empty when it is of this format."""
    steps = (_FORMAT_2 + "".join(map(_guard, _APPEND_ONLY_2)), _FORMAT_3, _FORMAT_4)
    return "".join(steps[found - 1 :])


def parts_script() -> str:
    """Return the SQL that makes the tables of parts that are missing."""
    return _PARTS + "".join(map(_guard, _APPEND_ONLY_PARTS))


def _guard(table: str) -> str:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
    return "".join(
        f"CREATE TRIGGER IF NOT EXISTS {table}_{act} BEFORE {act} ON {table} {refuse}" for act in ("UPDATE", "DELETE")
    )
