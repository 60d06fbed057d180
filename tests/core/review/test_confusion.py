"""Which cells are predicted as what, and the lists made of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.confusion import Confusion, cells_of, entries_of, entry_text, entry_title, judged
from napari_cellstage.core.review.lists import LISTS
from napari_cellstage.core.review.table import ReviewTable

IDS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=60)


def table_of(pairs: list[tuple[int, int]]) -> ReviewTable:
    label, predicted = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    count = len(label)
    values = np.linspace(0, 1, count, dtype=np.float32)
    cells = CellRefs(np.ones(count, np.int64), np.zeros(count, np.int64), np.arange(count, dtype=np.int64) + 1)
    wrong = np.where((label > 0) & (predicted > 0), values, np.nan).astype(np.float32)
    seen = np.where(predicted > 0, values, np.nan).astype(np.float32)
    scheme = ClassScheme.from_names(("a", "b", "c", "d")).move(4, 0)
    return ReviewTable(cells, label, predicted, predicted, seen, seen, wrong, wrong, seen * 2, None, scheme)


@given(IDS)
def test_every_judged_cell_is_in_one_entry_and_found_again_by_it(pairs: list[tuple[int, int]]) -> None:
    table = table_of(pairs)
    confusion = Confusion.of(table)
    there = {one for one in pairs if all(one)}

    assert confusion.counts.sum() == judged(table).sum() == sum(1 for one in pairs if all(one))
    for row, label in enumerate(confusion.ids):
        for column, predicted in enumerate(confusion.ids):
            cells = cells_of(table, (label, predicted))
            assert len(cells) == confusion.counts[row, column]
            assert entries_of(table, cells) == ({(label, predicted)} if len(cells) else set())
        assert len(cells_of(table, (label, 0))) == confusion.counts[row].sum()
        assert len(cells_of(table, (0, label))) == confusion.counts[:, row].sum()
    assert entries_of(table, cells_of(table, (0, 0))) == there
    assert len(cells_of(table, (0, 0))) == confusion.counts.sum()
    assert {(a, b) for a, b, _n in confusion.pairs()} == {(a, b) for a, b in there if a != b}
    assert [n for _a, _b, n in confusion.pairs()] == sorted((n for _a, _b, n in confusion.pairs()), reverse=True)


def test_classes_come_in_the_order_of_the_project_without_those_that_no_cell_has() -> None:
    confusion = Confusion.of(table_of([(1, 4), (4, 4), (4, 1), (2, 0), (0, 3)]))

    assert confusion.ids == (4, 1)
    assert confusion.counts.tolist() == [[1, 1], [1, 0]]
    assert confusion.shares.tolist() == [[0.5, 0.5], [1.0, 0.0]]


def test_an_empty_table_has_no_entries() -> None:
    confusion = Confusion.of(table_of([]))

    assert confusion.ids == ()
    assert confusion.pairs() == []
    assert confusion.shares.shape == (0, 0)


def test_entries_in_words() -> None:
    names = {1: "metaphase", 2: "prometaphase"}

    assert entry_text((1, 2), names, 12) == "12 metaphase cells predicted as prometaphase"
    assert entry_text((1, 1), names, 1) == "1 metaphase cell predicted right"
    assert entry_text((1, 0), names, 3) == "3 metaphase cells with a prediction"
    assert entry_text((0, 2), names, 1500) == "1,500 cells predicted as prometaphase"
    assert entry_text((0, 0), names, 0) == "0 cells with a prediction"


def test_titles_say_what_cells_have_in_common() -> None:
    names = {1: "metaphase", 2: "prometaphase"}

    assert entry_title((1, 2), names) == "metaphase, predicted as prometaphase"
    assert entry_title((1, 1), names) == "metaphase, predicted right"
    assert entry_title((1, 0), names) == "metaphase"
    assert entry_title((0, 2), names) == "predicted as prometaphase"
    assert entry_title((0, 0), names) == "all cells with a label and a prediction"


def test_lists_hold_what_they_say_the_most_telling_first() -> None:
    table = table_of([(1, 2), (1, 1), (0, 2), (2, 1), (0, 0)])
    found = {one.title: one.cells(table).cell_id.tolist() for one in LISTS}

    assert found == {"Top losses": [4, 1], "Least confident": [1, 2, 3, 4], "Most unlike the rest": [4]}
    assert [one.count(table) for one in LISTS] == [2, 4, 1]
