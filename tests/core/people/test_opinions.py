"""What each person says, from any journal: compared with a slow replay that is easy to believe."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.people.opinions import Batches, Entries, opinions_of
from napari_cellstage.core.schema import ORIGINS

HAND, WELL, REVIEW = (ORIGINS.index(name) for name in ("hand", "well", "review"))
ACT = st.tuples(
    st.integers(0, 2),  # who
    st.sampled_from(["label", "cells", "scheme", "undo", "redo"]),
    st.integers(1, 2),  # cell
    st.integers(0, 2),  # class
    st.sampled_from([HAND, WELL, REVIEW]),
    st.booleans(),  # blind
)


def entries(rows: list[tuple[int, ...]]) -> Entries:
    rows = sorted(rows, key=lambda row: (row[1], row[3]))  # by cell, else as written
    return Entries(*np.array(rows, dtype=np.int64).reshape(-1, 6).T)


@settings(deadline=None, max_examples=200)
@given(st.lists(ACT, max_size=14))
def test_opinions_are_those_of_a_slow_replay(acts):  # noqa: C901 - one rule a line
    shared, own, expected = [], [], {}
    done: dict[int, list[tuple[int, ...]]] = {1: [], 2: []}
    undone: dict[int, list[tuple[int, ...]]] = {1: [], 2: []}
    blind: dict[tuple[int, int], tuple[int, int]] = {}
    for number, (who, kind, cell, class_id, origin, is_blind) in enumerate(acts, start=1):
        if is_blind and kind in ("label", "undo", "redo"):  # a sheet of one's own: the last entry counts
            own.append((number, 1, 0, cell, class_id, who))
            blind[cell, who] = (number, class_id)
            continue
        shared.append((number, 1, 0, cell, class_id, origin))
        if kind == "undo" and done[cell]:
            undone[cell].append(done[cell].pop())
        elif kind == "redo" and undone[cell]:
            done[cell].append((number, *undone[cell].pop()[1:]))
        elif kind not in ("undo", "redo"):
            done[cell].append((number, who, kind, class_id, origin))
            undone[cell].clear()
    for cell, stack in done.items():
        for number, who, kind, class_id, origin in stack:
            if kind == "cells":
                expected = {name: said for name, said in expected.items() if name[0] != cell}
            elif kind == "label" and origin != WELL:
                expected[cell, who] = (number, class_id)
    for name, said in blind.items():
        expected[name] = max(said, expected.get(name, (0, 0)))

    numbers = np.arange(1, len(acts) + 1)
    batches = Batches(
        numbers,
        np.array([act[0] for act in acts], dtype=np.int64),
        np.array([act[1] for act in acts], dtype=np.str_),
        np.array([f"at {number}" for number in numbers], dtype=np.str_),
    )
    found = opinions_of(("Ada", "Bob", "Cy"), batches, entries(shared), entries(own))

    rows = zip(
        found.cells.cell_id.tolist(), found.who.tolist(), found.class_id.tolist(), found.at.tolist(), strict=True
    )
    assert {(cell, who): (class_id, at) for cell, who, class_id, at in rows} == {
        name: (class_id, f"at {number}") for name, (number, class_id) in expected.items() if class_id
    }
