"""Projects are opened, found again, copied and shared as the dock and scripts do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_cellstage.core.errors import ProjectError, ReadOnlyError
from napari_cellstage.core.segment import SegmentSettings
from napari_cellstage.session import Session
from tests.session.scene import grid, predicted, stack_for, watch


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
