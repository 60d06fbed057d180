"""The project on disk: durable, whole, one writer, and a sentence for everything that goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
import tifffile

from napari_cellstage.core import whole_files
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.edits import Edit, LabelChange, PaintChange, SchemeChange, SegmentationChange
from napari_cellstage.core.errors import ImageError, ProjectError
from napari_cellstage.core.images import ImageStack, from_array, open_image
from napari_cellstage.core.schema import FORMAT_VERSION
from napari_cellstage.core.store import Project, default_home, find_project, free_folder
from napari_cellstage.core.volumes import LabelVolume


@pytest.fixture
def project(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Project.create(tmp_path / "study.cellstage")
    yield made
    made.close()


def label(image_id: int, cells: list[int], class_id: int, t: int = 0) -> Edit:
    names = {(t, cell): class_id for cell in cells}
    before = dict.fromkeys(names, -1)
    return Edit("label", "label", labels=(LabelChange.between(image_id, before, names),))


def stored(project: Project, image_id: int, labels: np.ndarray) -> int:
    """Write a segmentation and return its version."""
    version, volume = project.journal.next_version(image_id), LabelVolume.of(labels)
    project.segmentations.write(image_id, version, volume, CellTable.from_labels(labels))
    return version


def stack_of(dtype: str = "uint16", name: str = "field") -> ImageStack:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, (2, 3, 8, 9)) if dtype == "bool" else rng.integers(0, 200, (2, 3, 8, 9))
    return from_array(values.astype(dtype), "CZYX", name, channel_names=("tubulin", "DNA"))


def test_the_last_entry_of_a_cell_is_its_label(project: Project) -> None:
    journal = project.journal
    journal.write(label(1, [1, 2, 3], 1))
    journal.write(label(1, [2], 2))
    journal.write(label(1, [3], 0))
    journal.write(label(1, [1], 4, t=5))
    journal.write(label(2, [1], 3))
    assert journal.names(1) == {(0, 1): 1, (0, 2): 2, (5, 1): 4}
    assert journal.counts() == {1: {1: 1, 2: 1, 4: 1}, 2: {3: 1}}


def test_the_journal_says_who_when_what_and_of_which_undo(project: Project) -> None:
    first = project.journal.write(label(1, [7], 2))
    project.journal.write(Edit("label 1 cell", "label", labels=label(1, [7], 0).labels, batches=(first,)), "undo")
    with sqlite3.connect(project.folder / "project.sqlite") as db:
        columns = "image_id, t, cell_id, class_id, kind, of_batch"
        rows = db.execute(f"SELECT {columns} FROM journal ORDER BY seq").fetchall()
        who, when = db.execute("SELECT who, at FROM journal").fetchone()
    db.close()
    assert rows == [(1, 0, 7, 2, "label", None), (1, 0, 7, 0, "undo", first)]
    assert who
    assert when.endswith("+00:00")


@pytest.mark.parametrize(
    "statement", ["UPDATE annotation SET class_id = 9", "DELETE FROM annotation", "DELETE FROM batch"]
)
def test_the_journal_only_grows(project: Project, statement: str) -> None:
    project.journal.write(label(1, [1], 1))
    db = sqlite3.connect(project.folder / "project.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    db.close()


def test_everything_is_there_after_reopening(project: Project) -> None:
    scheme = ClassScheme.from_names(["G1", "µ 😀 '\"/"], "cyclic")
    blank, square = np.zeros((1, 3, 4), dtype=np.int64), np.full((1, 3, 4), 9)
    paint = PaintChange(1, 1, 0, (1, 3, 4), blank, square)
    edit = Edit(
        "all",
        "cells",
        segmentations=(SegmentationChange(1, 0, 1),),
        paint=(paint,),
        labels=label(1, [9], 2).labels,
        scheme=SchemeChange(ClassScheme(), scheme),
    )
    project.journal.write(edit)
    project.journal.put_setting("network_channels", [0, 2])
    project.close()
    again = Project(project.folder)
    assert again.journal.scheme() == scheme
    assert again.journal.version(1) == 1
    (found,) = again.journal.paint(1, 1)
    np.testing.assert_array_equal(found.after, square)
    assert (found.t, found.corner, found.touched) == (0, (1, 3, 4), [9])
    assert again.journal.paint(1, 2) == ()
    assert again.journal.names(1) == {(0, 9): 2}
    assert again.journal.settings() == {"network_channels": [0, 2]}
    again.journal.write(edit.inverse(), "undo")
    np.testing.assert_array_equal(again.journal.paint(1, 1)[1].after, blank)
    assert again.journal.scheme() == ClassScheme()
    assert (again.journal.version(1), again.journal.next_version(1)) == (0, 2)
    again.close()


KILLED = """
import sys
import numpy as np
from napari_cellstage.core.edits import Edit, LabelChange
from napari_cellstage.core.store import Project
project = Project(sys.argv[1])
for cell in range(1, 100000):
    names = {(0, cell): cell % 7 + 1}
    project.journal.write(Edit("label 1 cell", "label", labels=(LabelChange.between(1, {}, names),)))
    print(cell, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="kills with a POSIX signal")
def test_killed_while_labelling_nothing_acknowledged_is_lost(project: Project) -> None:
    project.close()
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(project.folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    seen = 0
    while seen < 37:
        seen = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.wait()
    child.stdout.close()
    seen = int(rest[-1]) if rest else seen
    again = Project(project.folder)
    assert not again.read_only, "a killed process gives its lock back"
    names = again.journal.names(1)
    again.close()
    assert {(0, cell): cell % 7 + 1 for cell in range(1, seen + 1)}.items() <= names.items()
    assert len(names) <= seen + 1
    db = sqlite3.connect(project.folder / "project.sqlite")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_a_project_that_was_killed_is_found_and_can_be_looked_into(project: Project, tmp_path: Path) -> None:
    stack = stack_of()
    project.add_images([stack])[0]
    copy = tmp_path / "killed.cellstage"
    shutil.copytree(project.folder, copy)  # with its -wal, as a kill leaves it
    assert (copy / "project.sqlite-wal").exists()
    shutil.rmtree(project.folder)
    assert find_project(tmp_path, stack) == copy


def test_the_database_is_wal_and_fully_synchronous(project: Project) -> None:
    db = project.journal._db
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_second_to_open_reads_only_and_says_who_writes(project: Project) -> None:
    project.journal.write(label(1, [1], 1))
    second = Project(project.folder)
    assert second.read_only
    assert f"(process {os.getpid()}) has it open" in second.reason
    assert "close it there first" in second.reason
    assert second.journal.names(1) == {(0, 1): 1}
    project.journal.write(label(1, [2], 1))
    assert len(second.journal.names(1)) == 2
    with pytest.raises(ProjectError, match="can't be written"):
        second.journal.write(label(1, [3], 1))
    second.close()
    third = Project(project.folder)
    assert third.read_only, "closing a reader must not free the writer's lock"
    third.close()
    project.close()
    fourth = Project(project.folder)
    assert not fourth.read_only
    fourth.close()


def test_a_folder_that_can_not_be_written_opens_read_only(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.journal.write(label(1, [1], 1))

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    monkeypatch.setattr("napari_cellstage.core.store.os.access", lambda *args: False)
    reader = Project(project.folder)
    assert reader.reason.startswith("'study' is open read-only: its folder can't be written (read-only file system).")
    assert "save it under another name" in reader.reason
    assert reader.journal.names(1) == {(0, 1): 1}, "what is still in the -wal file must be seen"
    assert reader.journal.path.parent != project.folder
    reader.close()
    assert not reader.journal.path.parent.exists()


def test_a_newer_format_names_both_versions(project: Project) -> None:
    project.close()
    db = sqlite3.connect(project.folder / "project.sqlite")
    db.execute(f"PRAGMA user_version = {FORMAT_VERSION + 3}")
    db.close()
    with pytest.raises(ProjectError) as caught:
        Project(project.folder)
    text = str(caught.value)
    assert f"format {FORMAT_VERSION + 3}" in text
    assert f"up to format {FORMAT_VERSION}" in text
    assert "pip install --upgrade" in text
    with pytest.raises(ProjectError):  # and the lock was given back: the reason is still the format
        Project(project.folder)


def test_places_that_are_no_project(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"no project at .*gone\.cellstage.*moved or renamed"):
        Project(tmp_path / "gone.cellstage")
    (tmp_path / "empty.cellstage").mkdir()
    with pytest.raises(ProjectError, match=r"no file 'project\.sqlite'.*Choose a folder"):
        Project(tmp_path / "empty.cellstage")
    (tmp_path / "empty.cellstage" / "project.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ProjectError, match="can't be opened: file is not a database"):
        Project(tmp_path / "empty.cellstage")
    (tmp_path / "other.cellstage").mkdir()
    sqlite3.connect(tmp_path / "other.cellstage" / "project.sqlite").close()
    with pytest.raises(ProjectError, match="no Cellstage project database"):
        Project(tmp_path / "other.cellstage")


def test_nothing_is_made_where_something_is(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"already there\. Open it"):
        Project.create(project.folder)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProjectError, match=r"can't be made.*NAPARI_CELLSTAGE_HOME"):
        Project.create(tmp_path / "file" / "study")


def test_a_full_disk_leaves_the_journal_whole(project: Project) -> None:
    journal = project.journal
    journal.write(label(1, [1], 1))
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ProjectError, match=r"can't be written: database or disk is full.*not made.*Free disk space"):
        journal.write(label(1, list(range(2, 50_000)), 2))
    assert journal.names(1) == {(0, 1): 1}
    journal._db.execute("PRAGMA max_page_count = 1000000")
    journal.write(label(1, [5], 2))
    assert journal.names(1) == {(0, 1): 1, (0, 5): 2}
    assert journal._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_full_disk_leaves_the_old_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.ones((1, 1, 4, 4), dtype=np.int32)
    assert stored(project, 1, labels) == 1

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", full)
    with pytest.raises(ProjectError, match=r"no space left on device.*everything before it is safe"):
        stored(project, 1, labels * 2)
    np.testing.assert_array_equal(project.segmentations.labels(1, 1, labels.shape), labels)
    assert sorted(p.name for p in (project.folder / "labels").iterdir()) == ["1-1.cells.npz", "1-1.zarr"]


def test_a_project_whose_folder_vanished_takes_no_label(project: Project) -> None:
    project.folder.rename(project.folder.with_name("moved.cellstage"))
    with pytest.raises(ProjectError, match=r"not at .*study\.cellstage' any more.*not made"):
        project.journal.write(label(1, [1], 1))
    with pytest.raises(ProjectError, match="can't be written"):
        stored(project, 1, np.ones((1, 1, 4, 4), dtype=np.int32))


@pytest.mark.parametrize("shape", [(1, 1, 5, 7), (3, 1, 5, 7), (1, 4, 5, 1), (2, 3, 4, 5)])
def test_segmentations_come_back_as_they_were(project: Project, shape: tuple[int, ...]) -> None:
    labels = np.arange(np.prod(shape), dtype=np.int32).reshape(shape) * 1000
    version = stored(project, 3, labels)
    back = project.segmentations.labels(3, version, shape)
    assert back is not None
    np.testing.assert_array_equal(back, labels)
    assert back.dtype == labels.dtype
    cells = project.segmentations.cells(3, version)
    assert cells is not None
    np.testing.assert_array_equal(cells.bbox, CellTable.from_labels(labels).bbox)


@pytest.mark.parametrize("damage", ["gone", "cut", "text"])
def test_a_damaged_segmentation_says_what_to_do(project: Project, damage: str) -> None:
    labels = np.arange(10_000, dtype=np.int32).reshape(1, 1, 100, 100)
    folder = project.folder / "labels" / f"1-{stored(project, 1, labels)}.zarr"
    if damage == "gone":
        shutil.rmtree(folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes({"cut": path.read_bytes()[:40], "text": b"hello"}[damage])
    with pytest.raises(ProjectError, match=r"can't be read from.*labels are safe.*find the cells anew"):
        project.segmentations.labels(1, 1, labels.shape)


def test_segmentations_that_nobody_labelled_are_forgotten(project: Project) -> None:
    project.add_images([stack_of()])[0]
    labels = np.ones((1, 3, 8, 9), dtype=np.int32)
    for version in range(1, 5):
        assert stored(project, 1, labels * version) == version
        project.journal.write(Edit("replace", "cells", segmentations=(SegmentationChange(1, version - 1, version),)))
        if version == 2:
            project.journal.write(label(1, [2], 1))
    project.close()
    again = Project(project.folder)
    assert sorted(p.name for p in (project.folder / "labels").iterdir()) == [
        "1-2.cells.npz",
        "1-2.zarr",
        "1-4.cells.npz",
        "1-4.zarr",
    ]
    again.close()


def test_predictions_that_can_not_be_read_are_none(project: Project) -> None:
    assert project.read_predictions(1, 1) is None
    project.write_predictions(1, 1, {"t": np.arange(3)})
    arrays = project.read_predictions(1, 1)
    assert arrays is not None
    np.testing.assert_array_equal(arrays["t"], np.arange(3))
    (project.folder / "predictions" / "1-1.npz").write_bytes(b"PK\x03\x04 cut off")
    assert project.read_predictions(1, 1) is None


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "bool", "int64", "float16", "int16"])
def test_pixels_without_a_file_are_kept(project: Project, dtype: str) -> None:
    stack = stack_of(dtype, "a/b 😀 'q' \"z\"")
    entry = project.add_images([stack])[0]
    again = project.images()[entry.image_id]
    assert again.missing == ""
    assert again.stack is not None
    assert again.stack.name == "a/b 😀 'q' \"z\""
    assert again.stack.channel_names == ("tubulin", "DNA")
    np.testing.assert_array_equal(np.asarray(again.stack.data), np.asarray(stack.data).astype(again.stack.data.dtype))


def test_images_with_a_file_stay_where_they_are(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "my image 😀.tif"
    tifffile.imwrite(path, np.zeros((20, 30), dtype=np.uint8))
    entry = project.add_images([open_image(path)])[0]
    assert list((project.folder / "images").iterdir()) == []
    path.rename(tmp_path / "renamed.tif")
    lost = project.images()[entry.image_id]
    assert lost.stack is None
    assert "not at" in lost.missing
    assert "labels are kept" in lost.missing
    found = project.relocate(lost, tmp_path / "renamed.tif")
    assert found.stack is not None
    assert project.images()[entry.image_id].missing == ""


def test_an_image_of_another_shape_is_refused(project: Project, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 30), dtype=np.uint8))
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((20, 31), dtype=np.uint8))
    entry = project.add_images([open_image(tmp_path / "a.tif")])[0]
    with pytest.raises(ImageError, match=r"b\.tif' has the shape .*31.*'a.*had .*30.*was labelled"):
        project.relocate(entry, tmp_path / "b.tif")


def test_project_and_images_may_move_together(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    tifffile.imwrite(tmp_path / "here" / "a.tif", np.zeros((20, 30), dtype=np.uint8))
    project = Project.create(tmp_path / "here" / "p")
    project.add_images([open_image(tmp_path / "here" / "a.tif")])[0]
    project.close()
    (tmp_path / "here").rename(tmp_path / "there")
    again = Project(tmp_path / "there" / "p.cellstage")
    assert again.images()[1].place.resolve() == (tmp_path / "there" / "a.tif").resolve()
    assert again.images()[1].missing == ""
    again.close()


def test_a_copy_holds_everything_and_stands_alone(project: Project, tmp_path: Path) -> None:
    project.add_images([stack_of()])[0]
    stored(project, 1, np.ones((1, 3, 8, 9), dtype=np.int32))
    project.journal.write(label(1, [1], 1))
    (project.runs / "r1").mkdir()
    (project.runs / "r1" / "card.json").write_text("{}")
    copy = project.copy_to(tmp_path / "copy")
    assert copy.folder == tmp_path / "copy.cellstage"
    assert copy.journal.names(1) == {(0, 1): 1}
    assert (copy.runs / "r1" / "card.json").is_file()
    assert copy.images()[1].place == copy.folder / "images" / "1.ome.tif"
    copy.close()
    with pytest.raises(ProjectError, match="inside the project itself"):
        project.copy_to(project.folder / "runs" / "copy")


@pytest.mark.parametrize("name", ["a/b\\c", "plate 1: 'A' \"3\"", "細胞 😀", "..", "", "x" * 400, "tab\tnew\nline"])
def test_any_name_makes_a_project(tmp_path: Path, name: str) -> None:
    first = free_folder(tmp_path, name)
    Project.create(first).close()
    second = free_folder(tmp_path, name)
    Project.create(second).close()
    assert first.parent == second.parent == tmp_path
    assert first != second
    Project(first).close()


def test_home_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NAPARI_CELLSTAGE_HOME", str(tmp_path / "mine"))
    assert default_home() == tmp_path / "mine"
    monkeypatch.delenv("NAPARI_CELLSTAGE_HOME")
    assert default_home().name == "Cellstage"


def test_finding_skips_what_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "bad.cellstage").mkdir()
    (tmp_path / "bad.cellstage" / "project.sqlite").write_bytes(b"x" * 200)
    project = Project.create(tmp_path / "good")
    stack = stack_of()
    project.add_images([stack])[0]
    project.close()
    assert find_project(tmp_path, stack) == tmp_path / "good.cellstage"
    assert find_project(tmp_path, stack_of("uint8")) is None
