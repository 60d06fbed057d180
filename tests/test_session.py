"""The session as the dock and scripts use it: every change is on the disk, told, and can be taken back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from napari_cellstage.core.errors import CellsError, ClassSchemeError, ImageError, ProjectError, ReadOnlyError
from napari_cellstage.core.images import ImageStack, from_array, open_image
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.segment import SegmentSettings
from napari_cellstage.session import Session


def grid(side: int = 3, size: int = 10, frames: int = 1) -> np.ndarray:
    """Square cells on a grid, numbered from 1."""
    labels = np.zeros((frames, 1, side * size, side * size), dtype=np.int32)
    for number in range(side * side * frames):
        t, place = divmod(number, side * side)
        y, x = (size * n + 2 for n in divmod(place, side))
        labels[t, 0, y : y + size - 4, x : x + size - 4] = number + 1
    return labels


def stack_for(labels: np.ndarray, name: str = "field", seed: int = 0) -> ImageStack:
    frames, _, height, width = labels.shape
    pixels = np.random.default_rng(seed).integers(0, 255, (frames, 2, height, width), dtype=np.uint8)
    return from_array(pixels, "TCYX", name, channel_names=("tubulin", "H2B"))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    made = Session(tmp_path)
    yield made
    made.close()


@pytest.fixture
def ready(session: Session) -> Session:
    """A session with nine cells in one image, and the six classes of the cell cycle."""
    session.use_template("cell cycle")
    session.add_image(stack_for(grid()))
    session.set_labels(grid())
    return session


def watch(session: Session, *names: str) -> list[tuple[Any, ...]]:
    """Collect what signals say, with their names."""
    heard: list[tuple[Any, ...]] = []

    def listen(name: str) -> None:
        def hear(*args: Any) -> None:
            heard.append((name, *(a.tolist() if isinstance(a, np.ndarray) else a for a in args)))

        getattr(session, name).connect(hear)

    for name in names:
        listen(name)
    return heard


def predicted(session: Session, rows: int | None = None, run: str = "r") -> Predictions:
    count = len(session.cells()) if rows is None else rows
    probabilities = np.random.default_rng(1).dirichlet(np.ones(len(session.scheme)), count).astype(np.float32)
    return Predictions(probabilities, session.scheme.ids, np.zeros(count, np.uint8), run)


# Opening and finding again


def test_an_empty_session_answers_everything(session: Session) -> None:
    assert session.project is None
    assert not session.read_only
    assert session.images == ()
    assert session.current is None
    assert session.labels() is None
    assert len(session.cells()) == 0
    assert len(session.class_ids()) == 0
    assert session.predictions() is None
    assert session.cell_at(0, 0, 1, 1) is None
    assert session.next_unlabelled() is None
    assert session.counts() == {}
    assert session.problems == ()
    assert len(session.undo()) == 0
    assert session.network_channels == ()
    assert isinstance(session.segment_settings, SegmentSettings)


@pytest.mark.parametrize(
    "act",
    [
        lambda s: s.label_cells([0], 0),
        lambda s: s.set_labels(grid()),
        lambda s: s.add_cell(0, 0, 1, 1),
        lambda s: s.save_project_as("x"),
        lambda s: s.set_current(1),
        lambda s: s.table(),
        lambda s: s.snapshot() if s.snapshot().images else s.label_cells([], 0),
    ],
)
def test_without_an_image_acts_say_what_to_open(session: Session, act: Any) -> None:
    with pytest.raises(ProjectError, match=r"(?i)open (one|an image)"):
        act(session)


def test_an_image_makes_a_project_of_its_name_and_finds_it_again(session: Session, tmp_path: Path) -> None:
    stack = stack_for(grid(), "plate 1/well 'A' 😀")
    session.use_template("exposure")
    heard = watch(session, "project_changed", "images_changed", "current_changed", "scheme_changed")
    number = session.add_image(stack)
    assert session.project is not None
    assert session.project.folder == tmp_path / "plate 1_well 'A' 😀.cellstage"
    assert session.scheme.names == ("0", "0.1", "1"), "classes chosen before there was a project go into it"
    assert {name for name, *_ in heard} >= {"project_changed", "images_changed", "current_changed"}
    assert session.add_image(stack) == number, "the same image is not added twice"
    session.set_labels(grid())
    session.label_cells([2], 3)
    session.close()
    assert session.project is None
    again = Session(tmp_path)
    assert again.add_image(stack) == number
    assert again.counts() == {1: 0, 2: 0, 3: 1}
    assert again.class_ids()[2] == 3
    again.close()
    other = Session(tmp_path)
    other.add_image(stack_for(grid(), "plate 1/well 'A' 😀", seed=5))
    assert other.project is not None
    assert other.project.folder.name == "plate 1_well 'A' 😀 2.cellstage"
    other.close()


def test_tomorrow_everything_is_there(ready: Session, tmp_path: Path) -> None:
    folder = ready.project.folder if ready.project else tmp_path
    second = ready.add_image(stack_for(grid(2), "second", seed=3))
    ready.set_labels(grid(2))
    ready.set_current(1)
    ready.find_channel, ready.network_channels = 0, [1]
    ready.segment_settings = SegmentSettings(smoothing=2.5)
    row = ready.add_cell(0, 0, 0.0, 0.0)
    ready.label_cells([0, 1, row], 2)
    ready.label_cells([3], 5, image_id=second)
    ready.rename_class(2, "early")
    ready.set_predictions({1: predicted(ready)}, ready.snapshot().version)
    before, ids, expected = ready.labels(), ready.class_ids().copy(), ready.predictions()
    table = ready.table()
    ready.close()

    again = Session(tmp_path)
    again.open_project(folder)
    assert again.problems == ()
    assert (again.current_id, len(again.images), again.scheme.by_id(2).name) == (1, 2, "early")
    assert (again.find_channel, again.network_channels) == (0, (1,))
    assert again.segment_settings.smoothing == 2.5
    np.testing.assert_array_equal(again.labels(), before)
    np.testing.assert_array_equal(again.class_ids(), ids)
    np.testing.assert_array_equal(again.class_ids(second), [0, 0, 0, 5])
    found = again.predictions()
    assert found is not None
    assert expected is not None
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    pd.testing.assert_frame_equal(again.table(), table)
    assert not again.can_undo
    assert again.images[1].stack is not None
    again.close()


def test_counts_need_no_pixels(ready: Session, tmp_path: Path) -> None:
    folder = ready.project.folder if ready.project else tmp_path
    ready.label_cells([0, 1], 2)
    ready.label_cells([1], 0)
    counts = ready.counts()
    ready.close()
    again = Session(tmp_path)
    again.open_project(folder)
    assert again.counts() == counts == {1: 0, 2: 1, 3: 0, 4: 0, 5: 0, 6: 0}
    assert again.class_ids(1)[0] == 2
    assert again.counts() == counts
    again.close()


def test_a_project_that_can_not_be_opened_leaves_the_open_one(ready: Session, tmp_path: Path) -> None:
    project = ready.project
    with pytest.raises(ProjectError, match="no project at"):
        ready.open_project(tmp_path / "gone.cellstage")
    assert ready.project is project
    assert project is not None
    ready.open_project(project.folder)
    assert ready.project is project
    ready.label_cells([0], 1)


def test_two_windows(ready: Session, tmp_path: Path) -> None:
    assert ready.project is not None
    ready.label_cells([0], 4)
    other = Session(tmp_path)
    other.open_project(ready.project.folder)
    assert other.read_only
    assert "has it open" in other.problems[0]
    assert other.class_ids()[0] == 4
    for act in (
        lambda: other.label_cells([1], 1),
        lambda: other.add_class("x"),
        lambda: other.set_labels(grid()),
        lambda: other.add_cell(0, 0, 0, 0),
        lambda: other.delete_class(1),
    ):
        with pytest.raises(ReadOnlyError, match="close it there first"):
            act()
    other.find_channel = 0  # in memory
    assert other.find_channel == 0
    assert other.set_predictions({1: predicted(other)}, other.snapshot().version)
    assert other.predictions() is not None
    ready.label_cells([1], 1)
    assert ready.find_channel == 1
    folder = ready.project.folder
    ready.close()
    other.open_project(folder)
    assert not other.read_only, "opening again takes the lock that is free now"
    other.label_cells([2], 1)
    other.close()


def test_save_as_goes_on_in_the_copy(ready: Session, tmp_path: Path) -> None:
    assert ready.project is not None
    old = ready.project.folder
    ready.label_cells([0], 4)
    reader = Session(tmp_path)
    reader.open_project(old)
    reader.save_project_as(tmp_path / "mine")
    assert not reader.read_only
    assert reader.problems == ()
    reader.label_cells([0], 1)
    reader.close()
    ready.save_project_as(tmp_path / "elsewhere" / "copy")
    assert ready.project.folder == tmp_path / "elsewhere" / "copy.cellstage"
    ready.label_cells([1], 5)
    ready.undo()
    ready.undo()
    assert not ready.class_ids().any()
    other = Session(tmp_path)
    other.open_project(old)
    assert not other.read_only
    assert other.counts()[4] == 1
    other.close()


# Images that move


def test_an_image_that_moved_keeps_its_labels(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "my field.tif"
    tifffile.imwrite(path, np.zeros((30, 30), dtype=np.uint8))
    number = session.add_image(open_image(path))
    session.add_class("a")
    session.set_labels(grid()[0, 0])
    session.label_cells([4], 1)
    assert session.project is not None
    folder = session.project.folder
    session.close()
    path.rename(tmp_path / "elsewhere.tif")
    session.open_project(folder)
    assert session.current is None
    assert "my field.tif" in session.images[0].missing
    assert session.problems == (session.images[0].missing,)
    assert session.class_ids()[4] == 1
    assert session.snapshot().images == ()
    tifffile.imwrite(tmp_path / "wrong.tif", np.zeros((31, 30), dtype=np.uint8))
    with pytest.raises(ImageError, match="Choose the file that was labelled"):
        session.relocate(number, tmp_path / "wrong.tif")
    heard = watch(session, "images_changed", "current_changed")
    session.relocate(number, tmp_path / "elsewhere.tif")
    assert len(heard) == 2
    assert session.current is not None
    assert session.problems == ()
    assert len(session.snapshot().images) == 1


# Labels and undo


def test_labelling_tells_which_rows(ready: Session) -> None:
    heard = watch(ready, "labels_changed", "history_changed")
    np.testing.assert_array_equal(ready.label_cells([3, 1, 3], 2), [1, 3])
    np.testing.assert_array_equal(ready.label_cells([1, 2], 2), [2])
    assert len(ready.label_cells([1, 2], 2)) == 0
    np.testing.assert_array_equal(ready.undo(), [2])
    np.testing.assert_array_equal(ready.redo(), [2])
    assert [h for h in heard if h[0] == "labels_changed"] == [
        ("labels_changed", 1, rows) for rows in ([1, 3], [2], [2], [2])
    ]
    assert ready.counts()[2] == ready.labels_with(2) == 3
    assert (ready.can_undo, ready.can_redo) == (True, False)


def test_a_stroke_is_undone_as_one(ready: Session) -> None:
    for number, row in enumerate((4, 5, 6)):
        ready.label_cells([row], 1, continues=number > 0)
    np.testing.assert_array_equal(ready.undo(), [4, 5, 6])
    assert not ready.class_ids().any()
    ready.redo()
    assert ready.counts()[1] == 3


def test_undo_shows_the_image_it_changes(ready: Session) -> None:
    ready.label_cells([0], 1)
    second = ready.add_image(stack_for(grid(2), "second", seed=3))
    assert ready.current_id == second
    np.testing.assert_array_equal(ready.undo(), [0])
    assert ready.current_id == 1


def test_a_mask_names_rows_too(ready: Session) -> None:
    np.testing.assert_array_equal(ready.label_cells(ready.cells().x > 20, 2), [2, 5, 8])


@pytest.mark.parametrize(("rows", "message"), [([9], "no cell in row 9; the image has 9"), ([-1], "no cell in row")])
def test_rows_that_are_not_there(ready: Session, rows: list[int], message: str) -> None:
    with pytest.raises(CellsError, match=message):
        ready.label_cells(rows, 1)


def test_a_class_that_is_not_there(ready: Session) -> None:
    with pytest.raises(ClassSchemeError, match="no class with number 42"):
        ready.label_cells([0], 42)


def test_a_label_that_can_not_be_written_is_not_made(ready: Session) -> None:
    assert ready.project is not None
    ready.label_cells([0], 1)
    database = ready.project.journal._db
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages}")
    heard = watch(ready, "labels_changed", "history_changed")

    def label_until_full() -> None:
        for class_id in [2, 3] * 2000:
            ready.label_cells(np.arange(1, 9), class_id)

    with pytest.raises(ProjectError, match="disk is full"):
        label_until_full()
    kept = ready.class_ids().copy()
    assert kept[0] == 1
    database.execute("PRAGMA max_page_count = 100000")
    names = ready.project.journal.names(1)
    np.testing.assert_array_equal([names.get((0, row + 1), 0) for row in range(9)], kept)
    assert len(heard) % 2 == 0
    ready.label_cells([0], 5)


def test_next_unlabelled_reads_like_a_page(ready: Session) -> None:
    assert ready.next_unlabelled() == 0
    ready.label_cells([0, 1, 4], 1)
    assert ready.next_unlabelled(0) == 2
    assert ready.next_unlabelled(3) == 5
    assert ready.next_unlabelled(8) == 2, "it starts over"
    ready.label_cells(np.arange(9), 1)
    assert ready.next_unlabelled(3) is None


def test_next_unlabelled_stays_in_the_line_when_centroids_wobble(session: Session) -> None:
    labels = np.zeros((2, 1, 40, 60), dtype=np.int32)
    for number, (t, y, x) in enumerate([(0, 4, 2), (0, 1, 22), (0, 5, 42), (0, 24, 2), (1, 1, 1)]):
        labels[t, 0, y : y + 10, x : x + 10] = number + 1
    session.add_image(stack_for(labels))
    session.set_labels(labels)
    row: int | None = None
    seen = []
    for _ in range(5):
        row = session.next_unlabelled(row)
        seen.append(row)
    assert seen == [0, 1, 2, 3, 4]


# Classes


def test_templates_replace_unused_classes_only(ready: Session) -> None:
    first = ready.scheme.ids
    ready.use_template("exposure")
    assert ready.scheme.names == ("0", "0.1", "1")
    assert ready.scheme.kind == "ordered"
    assert not set(first) & set(ready.scheme.ids), "ids are never given again"
    ready.label_cells([0, 1], ready.scheme.ids[0])
    with pytest.raises(ClassSchemeError, match=r"2 cells already labelled.*0, 0\.1, 1.*clear the labels first"):
        ready.use_template("cell cycle")
    ready.undo()
    ready.undo()
    assert ready.scheme.ids == first


def test_deleting_a_class_clears_its_labels_everywhere_and_undo_brings_both_back(ready: Session) -> None:
    second = ready.add_image(stack_for(grid(2), "second", seed=3))
    ready.set_labels(grid(2))
    ready.label_cells([0, 1], 3)
    ready.label_cells([5], 3, image_id=1)
    ready.label_cells([6], 4, image_id=1)
    assert ready.labels_with(3) == 3
    heard = watch(ready, "scheme_changed", "labels_changed")
    ready.delete_class(3)
    assert sorted(h[0] for h in heard) == ["labels_changed", "labels_changed", "scheme_changed"]
    assert 3 not in ready.scheme.ids
    assert ready.labels_with(3) == 0
    assert ready.class_ids(1)[6] == 4
    ready.undo()
    assert ready.labels_with(3) == 3
    assert ready.scheme.by_id(3).name == "prometaphase"
    assert ready.class_ids(second).tolist() == [3, 3, 0, 0]


def test_classes_are_edited_and_undone(ready: Session) -> None:
    assert ready.add_class("dead", "#000000") == 7
    ready.rename_class(1, "G1")
    ready.recolor_class(1, "#ffffff")
    ready.move_class(7, 0)
    ready.rename_class(1, "G1")  # nothing changes, so nothing to undo
    assert ready.scheme.names[:2] == ("dead", "G1")
    for _ in range(4):
        ready.undo()
    assert ready.scheme.names == (
        "interphase",
        "prophase",
        "prometaphase",
        "metaphase",
        "anaphase",
        "telophase",
    )


# Cells


def test_clicking_a_cell(ready: Session) -> None:
    assert ready.cell_at(0, 0, 5, 15.2) == 1
    assert ready.cell_at(0, 0, 0, 0) is None
    assert ready.cell_at(0, 0, -3, 1000) is None


def test_a_cell_by_hand(ready: Session) -> None:
    ready.set_predictions({1: predicted(ready)}, ready.snapshot().version)
    before = ready.predictions()
    frozen = ready.snapshot()
    heard = watch(ready, "cells_changed")
    row = ready.add_cell(0, 0, 20.0, 20.0)
    assert heard == [("cells_changed", 1)]
    assert (row, ready.cell_at(0, 0, 20, 20), int(ready.cells().cell_id[row])) == (9, 9, 10)
    assert frozen.images[0].labels.max() == 9, "what training looks at does not change"
    found = ready.predictions()
    assert found is not None
    assert before is not None
    np.testing.assert_array_equal(found.predicted, [*before.predicted, 0])
    ready.label_cells([row], 2)
    with pytest.raises(CellsError, match=r"already a cell at y 20, x 20: number 10"):
        ready.add_cell(0, 0, 20.0, 20.0)
    ready.undo()
    ready.undo()
    np.testing.assert_array_equal(ready.labels(), grid())
    assert len(ready.cells()) == 9
    ready.redo()
    ready.redo()
    assert ready.class_ids()[9] == 2


def test_a_cell_by_hand_needs_no_segmentation(session: Session) -> None:
    session.add_image(stack_for(grid()))
    row = session.add_cell(0, 0, 15.0, 15.0)
    assert row == 0
    labels = session.labels()
    assert labels is not None
    assert labels[0, 0, 15, 15] == 1
    session.undo()
    assert len(session.cells()) == 0


@pytest.mark.parametrize("place", [(0, 0, -5.0, 3.0), (0, 0, 3.0, 99.0), (0, 7, 3.0, 3.0), (4, 0, 3.0, 3.0)])
def test_a_cell_outside_is_refused_before_anything_is_written(ready: Session, place: Any) -> None:
    with pytest.raises(CellsError, match="outside the image"):
        ready.add_cell(*place)
    assert ready.project is not None
    assert ready.project.journal.drawn(1, 1) == ()
    assert len(ready.cells()) == 9


def test_another_segmentation_keeps_labels_and_hand_drawn_cells(ready: Session, tmp_path: Path) -> None:
    row = ready.add_cell(0, 0, 20.0, 20.0)
    ready.label_cells([0], 1)
    ready.label_cells([4], 2)
    ready.label_cells([row], 3)
    other = np.where(grid() > 0, 10 - grid(), 0)
    other[other == 9] = 0  # the cell that was number 1 is gone
    result = ready.set_labels(other)
    assert result.lost == ((0, 1),)
    assert set(result.kept) == {(0, 5), (0, 10)}
    assert ready.counts() == {1: 0, 2: 1, 3: 1, 4: 0, 5: 0, 6: 0}
    drawn_row = ready.cell_at(0, 0, 20, 20)
    assert drawn_row is not None
    assert ready.class_ids()[drawn_row] == 3
    reader = Session(tmp_path)
    assert ready.project is not None
    reader.open_project(ready.project.folder)
    assert reader.counts() == ready.counts()
    np.testing.assert_array_equal(reader.labels(), ready.labels())
    reader.close()
    ready.undo()
    assert ready.counts() == {1: 1, 2: 1, 3: 1, 4: 0, 5: 0, 6: 0}
    assert ready.cell_at(0, 0, 20, 20) == 9
    ready.redo()
    assert ready.counts() == {1: 0, 2: 1, 3: 1, 4: 0, 5: 0, 6: 0}


def test_labels_of_another_shape_change_nothing(ready: Session) -> None:
    ready.label_cells([0], 1)
    with pytest.raises(CellsError, match="shape"):
        ready.set_labels(np.zeros((5, 5), dtype=int))
    assert ready.counts()[1] == 1


def test_the_session_keeps_its_own_copy(ready: Session) -> None:
    mine = grid()
    ready.set_labels(mine)
    mine[:] = 0
    np.testing.assert_array_equal(ready.labels(), grid())


def test_cells_that_can_not_be_read_lose_no_label(ready: Session, tmp_path: Path) -> None:
    assert ready.project is not None
    folder = ready.project.folder
    ready.label_cells([0, 8], 1)
    ready.close()
    for file in (folder / "labels").iterdir():
        file.write_bytes(b"damaged")
    ready.open_project(folder)
    assert len(ready.cells()) == 0
    assert "labels are safe in the journal" in ready.problems[0]
    assert ready.counts()[1] == 2
    with pytest.raises(ProjectError, match="can't be read"):
        ready.add_cell(0, 0, 5.0, 5.0)
    result = ready.set_labels(grid())
    assert result.lost == ((0, 1), (0, 9)), "where they were is not known, so they are not put on other cells"
    assert ready.problems == ()


# Work


def test_answers_to_old_cells_are_dropped(ready: Session) -> None:
    frozen = ready.snapshot()
    ready.set_labels(grid())
    heard = watch(ready, "predictions_changed")
    assert not ready.set_predictions({1: predicted(ready)}, frozen.version)
    assert ready.predictions() is None
    assert heard == []


def test_answers_follow_cells_drawn_meanwhile(ready: Session) -> None:
    frozen = ready.snapshot()
    answer = predicted(ready)
    ready.add_cell(0, 0, 20.0, 20.0)
    assert ready.set_predictions({1: answer}, frozen.version)
    found = ready.predictions()
    assert found is not None
    np.testing.assert_array_equal(found.predicted, [*answer.predicted, 0])


def test_answers_with_deleted_classes_are_dropped_or_hidden(ready: Session) -> None:
    frozen, answer = ready.snapshot(), predicted(ready)
    assert ready.set_predictions({1: answer}, frozen.version)
    heard = watch(ready, "predictions_changed")
    ready.delete_class(2)
    assert ready.predictions() is None
    assert not ready.set_predictions({1: answer}, frozen.version)
    ready.undo()
    assert ready.predictions() is not None
    assert heard == [("predictions_changed", 1)] * 2


def test_answers_of_another_project_are_dropped(ready: Session, tmp_path: Path) -> None:
    frozen, answer = ready.snapshot(), predicted(ready)
    assert ready.project is not None
    folder = ready.project.folder
    ready.close()
    assert not ready.set_predictions({1: answer}, frozen.version)
    ready.open_project(folder)
    ready.snapshot()
    assert not ready.set_predictions({1: answer}, frozen.version)
    assert not ready.set_predictions({77: answer}, ready.snapshot().version)


def test_a_snapshot_does_not_change(ready: Session) -> None:
    frozen = ready.snapshot()
    ready.label_cells([0], 1)
    ready.add_class("more")
    assert frozen.images[0].class_ids.tolist() == [0] * 9
    assert len(frozen.scheme) == 6
    assert frozen.channels == (0, 1)


def test_predictions_come_back_with_the_cells_they_belong_to(ready: Session) -> None:
    ready.label_cells([0], 1)
    ready.set_predictions({1: predicted(ready)}, ready.snapshot().version)
    ready.set_labels(grid())
    assert ready.predictions() is None
    ready.undo()
    assert ready.predictions() is not None


def test_the_nuclear_channel_is_the_start(ready: Session) -> None:
    assert ready.find_channel == 1
    heard = watch(ready, "settings_changed")
    ready.find_channel = 0
    ready.network_channels = (1, 1)
    assert (ready.find_channel, ready.network_channels, len(heard)) == (0, (1,), 2)
    ready.network_channels = (7,)  # chosen for an image with more channels
    assert ready.network_channels == (0, 1)


# Anything in any order


class AnyOrder(RuleBasedStateMachine):
    """Whatever is done, undone and done again: memory, disk and a model that keeps every state agree."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.home = Path(tempfile.mkdtemp())
        self.session = Session(self.home)
        self.future: list[Any] = []

    @initialize()
    def begin(self) -> None:
        self.session.use_template("exposure")
        self.session.add_image(stack_for(grid(frames=2)))
        self.session.set_labels(grid(frames=2))
        self.base = 1  # making the segmentation can be undone too, but is not here
        self.past = [self.state()]

    def state(self) -> Any:
        labels = self.session.labels()
        image = self.session._space.image(1)
        return image.names(), None if labels is None else labels.tobytes(), self.session.scheme

    def did(self) -> None:
        now = self.state()
        self.past.append(now)
        self.future.clear()

    @rule(rows=st.lists(st.integers(0, 17), min_size=1, max_size=5), choice=st.integers(0, 3))
    def label(self, rows: list[int], choice: int) -> None:
        ids = (0, *self.session.scheme.ids)
        count = len(self.session.cells())
        if count and len(self.session.label_cells([r % count for r in rows], ids[choice % len(ids)])):
            self.did()

    @rule(y=st.integers(0, 29), x=st.integers(0, 29), t=st.integers(0, 1))
    def draw(self, y: int, x: int, t: int) -> None:
        if self.session.cell_at(t, 0, y, x) is None:
            self.session.add_cell(t, 0, y, x)
            self.did()

    @rule(shift=st.integers(-2, 2), gone=st.integers(1, 18), back_to_front=st.booleans())
    def segment(self, shift: int, gone: int, back_to_front: bool) -> None:
        labels = np.roll(grid(frames=2), shift, axis=3)
        labels[labels == gone] = 0
        labels = np.where(labels > 0, 19 - labels, 0) if back_to_front else labels
        count = len(self.session._space.image(1).names())
        result = self.session.set_labels(labels)
        assert len(result.kept) + len(result.moved) + len(result.lost) == count
        self.did()

    @precondition(lambda self: len(self.session.scheme) > 1)
    @rule(place=st.integers(0, 5))
    def delete(self, place: int) -> None:
        ids = self.session.scheme.ids
        self.session.delete_class(ids[place % len(ids)])
        self.did()

    @rule()
    def add(self) -> None:
        self.session.add_class(f"class {self.session.scheme.next_id}")
        self.did()

    @precondition(lambda self: len(self.past) > 1)
    @rule(times=st.integers(1, 4))
    def undo(self, times: int) -> None:
        for _ in range(min(times, len(self.past) - 1)):
            self.session.undo()
            self.future.append(self.past.pop())

    @precondition(lambda self: bool(self.future))
    @rule(times=st.integers(1, 4))
    def redo(self, times: int) -> None:
        for _ in range(min(times, len(self.future))):
            self.session.redo()
            self.past.append(self.future.pop())

    @rule()
    def another_window_sees_the_same(self) -> None:
        reader = Session(self.home)
        assert self.session.project is not None
        reader.open_project(self.session.project.folder)
        names, labels, scheme = self.state()
        found = reader.labels()
        assert found is not None
        assert reader._space.image(1).names() == names
        assert not reader._space.image(1).strays
        assert found.tobytes() == labels
        assert reader.scheme == scheme
        assert reader.counts() == self.session.counts()
        reader.close()

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "past"):
            assert self.state() == self.past[-1]
            assert self.session.can_redo == bool(self.future)
            assert not self.session._space.image(1).strays

    def teardown(self) -> None:
        self.session.close()
        shutil.rmtree(self.home)


AnyOrder.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAnyOrder = AnyOrder.TestCase
