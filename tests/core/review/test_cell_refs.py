from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.review.cell_refs import CellRefs

names = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 300), st.integers(1, 70000)), unique=True, max_size=30)


def refs(some: list[tuple[int, int, int]]) -> CellRefs:
    return CellRefs(*np.array(some, dtype=np.int64).reshape(-1, 3).T)


@given(names, names)
def test_membership_and_places_are_those_of_the_names(mine, theirs):
    a, b = refs(mine), refs(theirs)

    assert a.isin(b).tolist() == [one in theirs for one in mine]
    assert a.places_in(b).tolist() == [theirs.index(one) if one in theirs else -1 for one in mine]


@given(names)
def test_joined_parts_are_the_whole(some):
    whole = refs(some)

    parts = [whole.take(places) for places in whole.by_image().values()]

    again = CellRefs.joined(parts)
    assert sorted(again.keys().tolist()) == sorted(whole.keys().tolist())
    assert CellRefs.joined([]) == CellRefs()


def test_places_by_image_keep_their_order():
    images = np.array([7, 2, 7, 7, 2, 9])
    cells = CellRefs(images, np.zeros(6, dtype=np.int64), np.arange(6))
    assert {i: places.tolist() for i, places in cells.by_image().items()} == {2: [1, 4], 7: [0, 2, 3], 9: [5]}
    assert CellRefs().by_image() == {}
