"""Projects of format 1: brought up to date when they are opened, read as they are where they can't be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import filelock
import numpy as np
import pytest
import tifffile

from napari_cellstage.core.images import from_array
from napari_cellstage.core.schema import FORMAT_VERSION
from napari_cellstage.core.store import Project, find_project
from napari_cellstage.session import Session
from tests.core.stain_scene import prediction_for

HEIGHT, WIDTH = 40, 50
WHEN = "2026-07-01T10:00:00+00:00"


def squares() -> np.ndarray:
    labels = np.zeros((1, 1, HEIGHT, WIDTH), dtype=np.int32)
    labels[0, 0, 2:8, 2:8], labels[0, 0, 2:8, 12:18] = 1, 2
    return labels


def with_discs() -> np.ndarray:
    """Two discs of which the second was drawn around the first, as format 1 painted them."""
    labels = squares()
    ys, xs = np.ogrid[:HEIGHT, :WIDTH]
    for cell_id, y, x, diameter in ((3, 20.0, 20.0, 9.0), (4, 20.3, 25.6, 11.0)):
        disc = (ys - y) ** 2 + (xs - x) ** 2 <= (diameter / 2) ** 2
        labels[0, 0][disc & (labels[0, 0] == 0)] = cell_id
    return labels


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old.cellstage"
    for name in ("labels", "images", "predictions", "runs", "cache"):
        (folder / name).mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    tifffile.imwrite(folder / "labels" / "1-2.tif", squares(), compression="zlib", metadata={"axes": "TZYX"})
    db = sqlite3.connect(folder / "project.sqlite")
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(Path(__file__).with_name("format_1.sql").read_text())
    for batch, kind in enumerate(("cells", "cells", "cells", "label", "label", "undo", "cells"), start=1):
        db.execute("INSERT INTO batch VALUES (?,?,?,?,?,?)", (batch, WHEN, "someone", kind, None, kind))
    db.execute("INSERT INTO segmentation (batch_id, image_id, version) VALUES (1, 1, 1), (2, 1, 2)")
    drawn = [(3, 3, 20.0, 20.0, 9.0, 1), (3, 4, 20.3, 25.6, 11.0, 1), (3, 5, 35.0, 5.0, 5.0, 1), (7, 5, 35, 5, 5, 0)]
    for batch, cell_id, y, x, diameter, present in drawn:
        place = (batch, 1, 2, cell_id, 0, 0, y, x, diameter, present)
        names = "batch_id, image_id, version, cell_id, t, z, y, x, diameter, present"
        db.execute(f"INSERT INTO drawn_cell ({names}) VALUES (?,?,?,?,?,?,?,?,?,?)", place)
    entries = [(4, 1, 7), (4, 2, 7), (4, 3, 8), (5, 2, 8), (6, 2, 0)]
    insert = "INSERT INTO annotation (batch_id, image_id, t, cell_id, class_id) VALUES (?, 1, 0, ?, ?)"
    db.executemany(insert, entries)
    scheme = (
        '{"kind": "nominal", "next_id": 9, "classes": [{"id": 7, "name": "G1", "color": "#ff0000"}, '
        '{"id": 8, "name": "S", "color": "#00ff00"}]}'
    )
    db.execute("INSERT INTO scheme (batch_id, json) VALUES (1, ?)", (scheme,))
    image = (1, "a.tif", str(tmp_path / "a.tif"), "../a.tif", (tmp_path / "a.tif").stat().st_size, "")
    shape = (f"[1, 1, 1, {HEIGHT}, {WIDTH}]", '["channel 0"]', "null", 0)
    db.execute("INSERT INTO image VALUES (?,?,?,?,?,?,?,?,?,?)", (*image, *shape))
    db.execute("INSERT INTO setting VALUES ('find_channel', '0')")
    db.commit()
    db.close()
    return folder


def is_as_it_was(session: Session) -> None:
    assert session.counts() == {7: 1, 8: 1}
    np.testing.assert_array_equal(session.labels(), with_discs())
    assert session.cells().cell_id.tolist() == [1, 2, 3, 4]
    assert session.class_ids().tolist() == [7, 0, 8, 0]
    assert session.origins().tolist() == ["hand", "", "hand", ""]
    assert [one.name for one in session.scheme] == ["G1", "S"]
    assert session.current is not None


def test_an_old_project_opens_as_it_was_and_goes_on(old: Path, tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.open_project(old)
    assert not session.read_only
    is_as_it_was(session)
    session.label_cells([1], 7, origin="well")
    session.delete_cells([3])
    session.close()
    db = sqlite3.connect(old / "project.sqlite")
    assert db.execute("PRAGMA user_version").fetchone() == (FORMAT_VERSION,)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT COUNT(*) FROM journal WHERE at = ?", (WHEN,)).fetchone() == (5,), "nothing is forgotten"
    db.close()
    session.open_project(old)
    assert session.cells().cell_id.tolist() == [1, 2, 3]
    assert session.origins().tolist() == ["hand", "well", "hand"]
    session.close()


def test_a_project_of_the_format_before_gets_room_for_stains(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.add_image(from_array(np.zeros((20, 20), dtype=np.uint8), "YX", "image"))
    folder = session.project.folder
    session.close()
    db = sqlite3.connect(folder / "project.sqlite")
    db.executescript("DROP TABLE stain; DROP TABLE found_in; PRAGMA user_version = 3;")
    db.close()
    (folder / "stains").rmdir()
    session.open_project(folder)
    assert session.stains() == ()
    session.add_stains(session.current_id, prediction_for(session.current), "run")
    session.set_labels(np.eye(20, dtype=np.int32), found_in="DNA (predicted)")
    session.close()
    session.open_project(folder)
    assert [one.name for one in session.stains()] == ["DNA (predicted)"]
    assert session.found_in() == "DNA (predicted)"
    session.close()


def test_discs_of_an_old_project_are_made_by_hand(old: Path, tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.open_project(old)
    session.set_labels(np.where(squares() > 0, 3 - squares(), 0))
    assert sorted(session.class_ids()[session.class_ids() > 0].tolist()) == [7, 8]
    assert (np.asarray(session.labels()) > 0).sum() == (with_discs() > 0).sum()
    session.undo()
    is_as_it_was(session)
    session.close()


def test_an_old_project_that_can_not_be_written_is_read_from_a_copy(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    session = Session(tmp_path)
    session.open_project(old)
    assert session.read_only
    is_as_it_was(session)
    session.close()
    db = sqlite3.connect(old / "project.sqlite")
    assert db.execute("PRAGMA user_version").fetchone() == (1,), "the project itself is as it was"
    db.close()


def test_an_old_project_is_found_by_its_image(old: Path, tmp_path: Path) -> None:
    project = Project(old)
    stack = project.images()[1].stack
    project.close()
    assert stack is not None
    assert find_project(tmp_path, stack) == old
    other = from_array(np.zeros((4, 4), dtype=np.uint8), "YX", "other")
    assert find_project(tmp_path, other) is None


def test_a_migration_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_cellstage.core import database
    from napari_cellstage.core.errors import ProjectError

    real = database.migration
    monkeypatch.setattr(database, "migration", lambda found: real(found) + "INSERT INTO nowhere VALUES (1);")
    with pytest.raises(ProjectError, match="can't be opened: no such table: nowhere"):
        Project(old)
    monkeypatch.undo()
    Project(old).close()
