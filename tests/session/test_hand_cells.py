"""Cells changed by hand: merged, split, deleted, drawn; labels go where they should, and undo brings all back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.core.errors import CellsError, ReadOnlyError
from napari_cellstage.session import Session
from tests.session.scene import grid, predicted, stack_for, watch


def state(session: Session) -> tuple[bytes, dict[tuple[int, int], int], list[int]]:
    return np.asarray(session.labels()).tobytes(), session._space.image(1).names(), session.cells().area.tolist()


def reopened(session: Session, home: Path) -> tuple[bytes, dict[tuple[int, int], int], list[int]]:
    """What another window sees on the disk."""
    other = Session(home)
    assert session.project is not None
    other.open_project(session.project.folder)
    found = state(other)
    other.close()
    return found


@pytest.mark.parametrize(
    ("given", "label"),
    [({}, 0), ({0: 3}, 3), ({1: 2}, 2), ({0: 3, 1: 2}, 2), ({0: 3, 2: 5}, 3)],
    ids=["none", "one", "the other", "the larger wins", "the larger of those that have one"],
)
def test_merged_cells_are_one_with_one_label(ready: Session, tmp_path: Path, given: dict[int, int], label: int) -> None:
    ready.draw_cell(0, 0, [(1, 12), (1, 17), (8, 18), (8, 11)])  # touches nothing that is there
    larger = grid()
    larger[0, 0, 2:9, 12:19] = 2  # the second of the row is the largest, the first the next
    larger[0, 0, 2:9, 2:8] = 1
    ready.set_labels(larger)
    for row, class_id in given.items():
        ready.label_cells([row], class_id)
    before = state(ready)
    row = ready.merge_cells([2, 0, 1])
    assert (len(ready.cells()), int(ready.cells().cell_id[row]), int(ready.class_ids()[row])) == (7, 2, label)
    assert ready.cells().area[row] == 49 + 42 + 36
    assert sum(ready.counts().values()) == (label > 0)
    after = state(ready)
    assert reopened(ready, tmp_path) == after
    ready.undo()
    assert state(ready) == before == reopened(ready, tmp_path)
    ready.redo()
    assert state(ready) == after


@pytest.mark.parametrize("line", [((0.0, 4.0), (30.0, 4.0)), ((9.0, 3.9), (-4.0, 4.1)), None])
def test_both_parts_of_a_split_cell_keep_the_label(ready: Session, tmp_path: Path, line: Any) -> None:
    ready.label_cells([0], 4, origin="well")
    ready.set_predictions({1: predicted(ready)}, ready.snapshot().version)
    before = state(ready)
    first, second = ready.split_cell(0, line)
    assert ready.class_ids()[[first, second]].tolist() == [4, 4]
    assert ready.origins()[[first, second]].tolist() == ["well", "well"]
    areas = ready.cells().area[[first, second]]
    assert areas.sum() == 36
    assert areas[0] >= areas[1] > 0
    assert ready.cells().cell_id[[first, second]].tolist() == [1, 10]
    found = ready.predictions()
    assert found is not None
    assert (found.predicted[first] > 0, found.predicted[second]) == (True, 0), "the new part was never predicted"
    assert reopened(ready, tmp_path) == state(ready)
    ready.undo()
    assert state(ready) == before


def test_two_discs_that_touch_part_at_the_waist(session: Session) -> None:
    labels = np.zeros((1, 1, 40, 60), dtype=np.int32)
    ys, xs = np.ogrid[:40, :60]
    for x in (20, 36):
        labels[0, 0, (ys - 20) ** 2 + (xs - x) ** 2 < 100] = 1
    session.add_image(stack_for(labels))
    session.set_labels(labels)
    rows = session.split_cell(0)
    assert sorted(np.round(session.cells().x[list(rows)]).tolist()) == [20, 36]


def test_a_deleted_cell_comes_back_with_its_label(ready: Session, tmp_path: Path) -> None:
    ready.label_cells([3, 5], 2)
    before = state(ready)
    ready.delete_cells([3, 4])
    assert len(ready.cells()) == 7
    assert ready.counts()[2] == 1
    assert ready.cell_at(0, 0, 14, 4) is None
    assert reopened(ready, tmp_path) == state(ready)
    ready.undo()
    assert state(ready) == before == reopened(ready, tmp_path)
    ready.redo()
    assert ready.counts()[2] == 1


def test_ids_of_deleted_cells_are_not_given_again(ready: Session, tmp_path: Path) -> None:
    ready.delete_cells([8])
    row = ready.add_cell(0, 0, 25.0, 25.0)
    assert int(ready.cells().cell_id[row]) == 10
    ready.delete_cells([8])
    assert ready.project is not None
    folder = ready.project.folder
    ready.close()
    ready.open_project(folder)
    row = ready.add_box(0, 0, 22, 22, 27, 27)
    assert int(ready.cells().cell_id[row]) == 11, "also not after opening again"


def test_drawing_takes_background_only(ready: Session) -> None:
    row = ready.draw_cell(0, 0, [(0, 0), (0, 29), (9, 29), (9, 0)])
    assert ready.cells().area[row] == 10 * 30 - 3 * 36
    np.testing.assert_array_equal(np.where(np.asarray(ready.labels()) == 10, 0, ready.labels()), grid())
    row = ready.add_box(0, 0, 20, 9.6, 29.4, 11.2)
    assert ready.cells().area[row] == 10 * 2


def test_points_and_boxes_need_no_segmentation(session: Session, tmp_path: Path) -> None:
    session.add_image(stack_for(grid()))
    session.add_class("dividing")
    point, box = session.add_cell(0, 0, 5.0, 5.0), session.add_box(0, 0, 18, 18, 25, 27)
    session.label_cells([point, box], 1)
    assert session.cells().area.tolist()[1] == 8 * 10
    assert len(session.snapshot().images) == 1
    assert len(session.snapshot().images[0].cells) == 2
    assert reopened(session, tmp_path) == state(session)
    session.set_labels(np.zeros((30, 30), dtype=int))
    assert session.counts() == {1: 2}, "cells made by hand go over to a segmentation that lacks them"


def test_in_a_movie_rows_stay_in_order(session: Session) -> None:
    session.add_image(stack_for(grid(frames=2)))
    session.set_labels(grid(frames=2))
    row = session.add_cell(0, 0, 20.0, 20.0)
    assert (row, session.cells().t.tolist()) == (9, [0] * 10 + [1] * 9)
    heard = watch(session, "cells_changed")
    session.delete_cells([row])
    assert heard == [("cells_changed", 1)]
    with pytest.raises(CellsError, match=r"time points 0, 1\. Choose cells of one time point"):
        session.merge_cells([0, 12])


def test_a_snapshot_does_not_see_later_paint(ready: Session) -> None:
    frozen = ready.snapshot()
    ready.delete_cells(range(9))
    (image,) = frozen.images
    np.testing.assert_array_equal(image.labels, grid())
    assert len(image.cells) == 9


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s: s.merge_cells([3]), r"1 cells are chosen to merge; choose at least 2"),
        (lambda s: s.merge_cells([3, 30]), r"no cell in row 30; the image has 9"),
        (lambda s: s.delete_cells([]), r"0 cells are chosen to delete"),
        (lambda s: s.split_cell(0, ((0.0, 20.0), (9.0, 20.0))), r"Cell 1 is not cut in two\. Draw the line right"),
        (lambda s: s.draw_cell(0, 0, [(1, 1), (2, 2)]), r"shape \(2, 2\) was drawn; at least three points"),
        (lambda s: s.draw_cell(0, 0, [(50, 1), (50, 9), (60, 9)]), r"outside the image\. Draw inside"),
        (lambda s: s.draw_cell(0, 3, [(5, 1), (5, 9), (6, 9)]), r"t 0, z 3 is outside the image"),
        (lambda s: s.add_box(0, 0, 3, 3, 5, 5), r"other cells everywhere .* y 3, x 3\. Draw where there is none"),
    ],
)
def test_what_can_not_be_done_says_why(ready: Session, act: Any, message: str) -> None:
    before = state(ready)
    with pytest.raises(CellsError, match=message):
        act(ready)
    assert state(ready) == before
    assert not ready.project.journal.paint(1, 1)  # type: ignore[union-attr]


def test_read_only_projects_keep_their_cells(ready: Session, tmp_path: Path) -> None:
    other = Session(tmp_path)
    assert ready.project is not None
    other.open_project(ready.project.folder)
    with pytest.raises(ReadOnlyError):
        other.delete_cells([0])
    assert len(other.cells()) == 9
    np.testing.assert_array_equal(other.labels(), grid())
    other.close()
