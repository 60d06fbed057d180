-- The tables of a project of format 1.
PRAGMA application_id = 1128614995;
PRAGMA user_version = 1;
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

CREATE TRIGGER batch_UPDATE BEFORE UPDATE ON batch BEGIN SELECT RAISE(ABORT, 'batch is append-only'); END;
CREATE TRIGGER batch_DELETE BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'batch is append-only'); END;
CREATE TRIGGER annotation_UPDATE BEFORE UPDATE ON annotation BEGIN SELECT RAISE(ABORT, 'annotation is append-only'); END;
CREATE TRIGGER annotation_DELETE BEFORE DELETE ON annotation BEGIN SELECT RAISE(ABORT, 'annotation is append-only'); END;
CREATE TRIGGER scheme_UPDATE BEFORE UPDATE ON scheme BEGIN SELECT RAISE(ABORT, 'scheme is append-only'); END;
CREATE TRIGGER scheme_DELETE BEFORE DELETE ON scheme BEGIN SELECT RAISE(ABORT, 'scheme is append-only'); END;
CREATE TRIGGER segmentation_UPDATE BEFORE UPDATE ON segmentation BEGIN SELECT RAISE(ABORT, 'segmentation is append-only'); END;
CREATE TRIGGER segmentation_DELETE BEFORE DELETE ON segmentation BEGIN SELECT RAISE(ABORT, 'segmentation is append-only'); END;
CREATE TRIGGER drawn_cell_UPDATE BEFORE UPDATE ON drawn_cell BEGIN SELECT RAISE(ABORT, 'drawn_cell is append-only'); END;
CREATE TRIGGER drawn_cell_DELETE BEFORE DELETE ON drawn_cell BEGIN SELECT RAISE(ABORT, 'drawn_cell is append-only'); END;
