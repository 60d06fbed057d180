"""Cells chosen, shown and labelled over several images."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.images import from_array
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.session import Session
from napari_cellstage.session.browsing import Shown
from tests.session.scene import watch


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path)
    for name in ("a", "b"):
        made.add_image(
            from_array(np.random.default_rng(len(name)).integers(0, 9, (40, 40)) + ord(name), axes="YX", name=name)
        )
        labels = np.zeros((40, 40), dtype=np.int32)
        labels[5:10, 5:10], labels[20:30, 20:30] = 1, 300
        made.set_labels(labels)
    made.add_class("one")
    made.add_class("two")
    yield made
    made.close()


def all_cells(session: Session) -> CellRefs:
    return CellRefs.joined(CellRefs.of(one.image_id, session.cells(one.image_id)) for one in session.images)


def test_cells_of_two_images_are_labelled_and_undone_as_one(session):
    changed = session.label_refs(all_cells(session), 2)

    assert changed == all_cells(session)
    assert session.counts()[2] == 4
    assert set(session.origins(1)) == {"review"}
    session.undo()
    assert session.counts()[2] == 0


def test_cells_that_are_gone_are_passed_over(session):
    gone = CellRefs(np.array([1, 1, 77]), np.array([0, 0, 0]), np.array([1, 9, 1]))

    assert len(session.label_refs(gone, 1)) == 1


def test_who_listens_hears_of_chosen_and_shown_cells_and_where_to_go(session):
    heard = []
    session.chosen_changed.connect(lambda cells: heard.append(len(cells)))
    session.shown_changed.connect(lambda shown: heard.append(shown.title))
    session.cell_wanted.connect(lambda *cell: heard.append(cell))
    some = all_cells(session).take(slice(2))

    session.choose(some)
    session.choose(some)
    session.show_cells(some, "two cells", "loss")
    session.visit(2, 0, 300)
    session.visit(1, 0, 300)

    assert heard == [2, "two cells", (2, 0, 300), (1, 0, 300)]
    assert session.current_id == 1


def test_rows_are_found_over_images_and_cells_that_are_gone_have_none(session):
    cells = CellRefs(np.array([2, 1, 1, 77, 2]), np.array([0, 0, 3, 0, 0]), np.array([300, 1, 1, 1, 5]))

    assert session.rows_of(cells).tolist() == [1, 0, -1, -1, -1]
    assert session.rows_of(CellRefs()).tolist() == []


def test_another_project_begins_with_nothing_chosen_or_shown(session, tmp_path):
    first = session.project.folder
    session.show_cells(all_cells(session), "four cells")
    session.choose(all_cells(session))

    session.new_project(tmp_path / "other.cellstage")
    session.open_project(first)  # has cells of the same numbers

    assert len(session.chosen) == 0
    assert session.shown == Shown()


def test_cells_that_were_found_again_are_neither_chosen_nor_shown_those_of_other_images_are(session):
    session.show_cells(all_cells(session), "four cells", "loss")
    session.choose(all_cells(session))
    heard = watch(session, "chosen_changed", "shown_changed")
    session.label_cells([0], 2, 1)
    assert heard == []

    session.set_labels(np.asarray(session.labels(2)) * 2, 2)

    kept = all_cells(session).take(all_cells(session).image_id == 1)
    assert session.chosen == kept
    assert session.shown == Shown(kept, "four cells", "loss")
    assert [name for name, *_ in heard] == ["chosen_changed", "shown_changed"]
