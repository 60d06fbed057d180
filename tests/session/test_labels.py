"""Labels: given, undone, written before they are made."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import CellsError, ClassSchemeError, ProjectError
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for, watch


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


def test_a_label_confirmed_by_hand_becomes_the_users_own(ready: Session) -> None:
    ready.label_images([1], 2, origin="well")
    heard = watch(ready, "labels_changed")
    assert ready.label_cells([3, 4], 2).tolist() == [3, 4]
    assert heard == [("labels_changed", 1, [3, 4])]
    assert ready.origins()[[2, 3, 4]].tolist() == ["well", "hand", "hand"]
    assert ready.label_cells([3], 2).tolist() == [], "it is confirmed already"
    assert ready.label_cells([3], 2, origin="track").tolist() == []
    assert ready.counts()[2] == 9
    ready.label_images([1], 0, origin="well")
    assert ready.class_ids().tolist() == [0, 0, 0, 2, 2, 0, 0, 0, 0]
    folder = ready.project.folder  # type: ignore[union-attr]
    ready.undo()
    ready.undo()
    assert set(ready.origins().tolist()) == {"well"}
    ready.redo()
    ready.close()
    ready.open_project(folder)
    assert ready.origins()[[2, 3, 4]].tolist() == ["well", "hand", "hand"]


def test_where_some_labels_came_from_is_told_without_the_others(ready: Session) -> None:
    ready.label_cells([0, 1], 1)
    ready.label_cells([3], 2, origin="accepted")
    every = ready.origins()
    assert every.tolist() == ["hand", "hand", "", "accepted", "", "", "", "", ""]
    assert ready.origins(None, [3, 2, 0]).tolist() == ["accepted", "", "hand"]
    assert ready.origins(None, np.array([], dtype=np.int64)).tolist() == []
    assert ready.origins(None, every == "hand").tolist() == ["hand", "hand"]
