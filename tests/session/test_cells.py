"""Cells: clicked, drawn, replaced by another segmentation."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.core.errors import CellsError, ProjectError
from napari_cellstage.session import Session
from tests.session.scene import grid, predicted, stack_for, watch


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
    assert np.asarray(frozen.images[0].labels).max() == 9, "what training looks at does not change"
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
    assert ready.project.journal.paint(1, 1) == ()
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
    for volume in (folder / "labels").glob("*.zarr"):
        shutil.rmtree(volume)
    ready.open_project(folder)
    assert len(ready.cells()) == 0
    assert "labels are safe in the journal" in ready.problems[0]
    assert ready.counts()[1] == 2
    with pytest.raises(ProjectError, match="can't be read"):
        ready.add_cell(0, 0, 5.0, 5.0)
    result = ready.set_labels(grid())
    assert result.lost == ((0, 1), (0, 9)), "where they were is not known, so they are not put on other cells"
    assert ready.problems == ()


def test_cells_are_found_also_where_a_crash_left_files_that_the_journal_knows_nothing_of(ready: Session) -> None:
    labels = ready.project.folder / "labels"  # type: ignore[union-attr]
    for left in ("1-2.zarr", "1-2.cells.npz"):
        source = labels / left.replace("1-2", "1-1")
        (shutil.copytree if source.is_dir() else shutil.copy)(source, labels / left)
    moved = np.roll(grid(), 1, axis=2)
    ready.set_labels(moved)
    np.testing.assert_array_equal(np.asarray(ready.labels()), moved)
