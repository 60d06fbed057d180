"""The order in which cells are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.orders import ORDERS, sort_rows
from napari_cellstage.core.review.table import ReviewTable

SCHEME = ClassScheme.from_names(["b", "a"]).add("c").move(3, 0)  # ids in order: 3, 1, 2


def table(values, label=None, predicted=None) -> ReviewTable:
    floats = np.asarray(values, dtype=np.float32)
    count = len(floats)
    cells = CellRefs(np.ones(count, np.int64), np.zeros(count, np.int64), np.arange(count))
    ids = [np.zeros(count, np.int64) if one is None else np.asarray(one) for one in (label, predicted)]
    return ReviewTable(cells, *ids, np.zeros(count, np.int64), *[floats] * 5, None, SCHEME)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("loss", [2, 0, 3, 1]),
        ("suspicion", [2, 0, 3, 1]),
        ("unlike", [2, 0, 3, 1]),
        ("confidence", [0, 3, 2, 1]),
        ("margin", [0, 3, 2, 1]),
        ("as found", [0, 1, 2, 3]),
    ],
)
def test_each_order_shows_first_what_it_says_and_cells_without_a_value_last(order, expected):
    assert sort_rows(table([1, np.nan, 3, 1]), order).tolist() == expected


def test_the_other_way_round_cells_without_a_value_are_still_last():
    assert sort_rows(table([1, np.nan, 3, 1]), "loss", descending=False).tolist() == [0, 3, 2, 1]
    assert sort_rows(table([1, np.nan, 3, 1]), "margin", descending=True).tolist() == [2, 0, 3, 1]


def test_classes_come_in_the_order_of_their_list_then_what_the_model_says():
    found = sort_rows(table(np.zeros(6), [0, 1, 3, 1, 0, 77], [0, 2, 1, 3, 1, 2]), "class")
    assert found.tolist() == [2, 3, 1, 4, 5, 0]


@given(
    st.lists(st.floats(width=32), max_size=20), st.sampled_from(sorted(ORDERS)), st.sampled_from([None, True, False])
)
def test_no_cell_is_lost_and_none_is_twice(values, order, descending):
    found = sort_rows(table(values), order, descending)
    assert sorted(found.tolist()) == list(range(len(values)))
    if order in ("loss", "confidence", "margin"):
        missing = np.isnan(np.asarray(values, dtype=np.float32)[found]) if values else np.zeros(0, bool)
        assert (np.diff(missing.astype(int)) >= 0).all()


def test_an_unknown_order_is_named():
    with pytest.raises(CellStageError, match=r"no order 'beauty'.*loss.*as found"):
        sort_rows(table([1]), "beauty")


def test_each_order_says_what_it_is_good_for_in_one_line():
    assert list(ORDERS) == ["loss", "confidence", "margin", "class", "suspicion", "unlike", "as found"]
    assert all(tip and "\n" not in tip for tip in ORDERS.values())
