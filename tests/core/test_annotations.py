"""Edits and their history: whatever is done, undone and done again equals doing what is left from the beginning."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core import acts
from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.edits import Edit, History, LabelChange, SchemeChange
from napari_cellstage.core.volumes import LabelVolume

CELLS = 6


def image_of(count: int = CELLS, names: dict[tuple[int, int], int] | None = None) -> AnnotatedImage:
    labels = np.zeros((2, 1, 1, 2 * count), dtype=np.int32)
    labels[0, 0, 0, ::2] = np.arange(1, count + 1)
    labels[1, 0, 0, ::2] = np.arange(count, 0, -1)
    return AnnotatedImage(LabelVolume.of(labels), CellTable.from_labels(labels), names or {}, 1)


acts_of_a_user = st.lists(
    st.one_of(
        st.tuples(st.just("label"), st.lists(st.integers(0, 2 * CELLS - 1), min_size=1, max_size=4), st.integers(0, 3)),
        st.tuples(st.just("undo"), st.just([]), st.just(0)),
        st.tuples(st.just("redo"), st.just([]), st.just(0)),
    ),
    max_size=40,
)


@given(acts_of_a_user)
def test_any_undo_and_redo_equals_replay(steps: list[tuple[str, list[int], int]]) -> None:
    image, history = image_of(), History()
    past: list[np.ndarray] = [image.class_ids.copy()]
    future: list[np.ndarray] = []
    for act, rows, class_id in steps:
        if act == "label":
            edit = acts.label_cells(image, 1, np.unique(rows), class_id)
            if edit:
                image.apply(edit.labels[0])
                history.push(edit)
                past.append(image.class_ids.copy())
                future.clear()
        elif act == "undo" and history.last:
            image.apply(history.last.inverse().labels[0])
            history.step_back()
            future.append(past.pop())
        elif act == "redo" and history.next:
            image.apply(history.next.labels[0])
            history.step_forward()
            past.append(future.pop())
        np.testing.assert_array_equal(image.class_ids, past[-1])
    assert (history.last is not None, history.next is not None) == (len(past) > 1, bool(future))


@given(st.dictionaries(st.tuples(st.integers(0, 1), st.integers(1, CELLS + 3)), st.integers(1, 5)))
def test_names_survive_any_placing(names: dict[tuple[int, int], int]) -> None:
    image = image_of(names=names)
    assert image.names() == names
    image.replace(None, CellTable.empty(), 2, CellTable.empty())
    assert image.names() == names
    assert image.strays.names() == names
    other = image_of(CELLS + 3)
    image.replace(other.labels, other.cells, 3, other.cells)
    assert image.names() == names
    assert not len(image.strays)


@given(
    st.dictionaries(st.tuples(st.integers(0, 1), st.integers(1, CELLS)), st.integers(1, 5)),
    st.dictionaries(st.tuples(st.integers(0, 1), st.integers(1, CELLS)), st.integers(1, 5)),
)
def test_change_between_leads_there_and_back(
    before: dict[tuple[int, int], int], after: dict[tuple[int, int], int]
) -> None:
    image = image_of(names=before)
    change = LabelChange.between(1, before, after)
    image.apply(change)
    assert image.names() == after
    image.apply(change.inverse())
    assert image.names() == before


def test_rows_are_found_whatever_their_order() -> None:
    image = image_of()
    t, ids = np.array([1, 0, 0, 5, 1]), np.array([1, 6, 3, 1, 99])
    rows = image.rows_of(t, ids)
    assert rows[3] == rows[4] == -1
    np.testing.assert_array_equal(image.cells.t[rows[:3]], t[:3])
    np.testing.assert_array_equal(image.cells.cell_id[rows[:3]], ids[:3])
    assert image.rows_of(np.array([0]), np.array([1 << 39]))[0] == -1
    np.testing.assert_array_equal(AnnotatedImage.empty().rows_of(t, ids), [-1] * 5)


def test_row_at_a_place() -> None:
    image = image_of()
    assert image.row_at(1, 0, 0, 0) == image.rows_of(np.array([1]), np.array([CELLS]))[0]
    assert image.row_at(0, 0, 0, 0.4) == 0
    assert image.row_at(0, 0, 0, 1) is None
    assert image.row_at(0, 0, -0.6, 0) is None
    assert image.row_at(2, 0, 0, 0) is None


def test_nothing_changes_is_no_edit() -> None:
    image = image_of(names={(0, 1): 3})
    assert acts.label_cells(image, 1, np.array([0]), 3) is None
    assert acts.label_cells(image, 1, np.zeros(0, dtype=np.int64), 3) is None


def test_a_stroke_is_one_undo() -> None:
    image, history = image_of(), History()
    for row in range(3):
        edit = acts.label_cells(image, 1, np.array([row]), 2)
        assert edit is not None
        image.apply(edit.labels[0])
        history.push(edit, joins_last=row > 0)
    assert history.last is not None
    for change in history.last.inverse().labels:
        image.apply(change)
    history.step_back()
    assert history.last is None
    assert not image.class_ids.any()


def test_a_new_edit_after_undo_joins_nothing() -> None:
    image, history = image_of(), History()
    for joins in (False, True):
        edit = acts.label_cells(image, 1, np.array([0]), 2)
        assert edit is not None
        history.push(edit)
        history.step_back()
        history.push(edit, joins_last=joins)
        history.step_back()
        assert history.last is None


def test_inverse_of_the_scheme() -> None:
    old, new = ClassScheme(), ClassScheme.from_names(["a"])
    edit = Edit("add class a", "scheme", scheme=SchemeChange(old, new)).inverse()
    assert edit.scheme == SchemeChange(new, old)


def test_the_live_view_can_not_be_written_to() -> None:
    image = image_of()
    assert not image.shown_ids.flags.writeable
    assert image.class_ids.flags.writeable
