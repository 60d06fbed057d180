from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.tracks import Tracks


def movie_labels() -> np.ndarray:
    """Three frames; cell 1 divides into 2 and 3 after the first, cell 9 stays."""
    labels = np.zeros((3, 1, 20, 30), dtype=np.int32)
    labels[0, 0, 5:10, 5:13] = 1
    labels[1:, 0, 5:10, 4:8] = 2
    labels[1:, 0, 5:10, 10:14] = 3
    labels[:, 0, 14:18, 20:26] = 9
    return labels


@pytest.fixture
def cells() -> CellTable:
    return CellTable.from_labels(movie_labels())


@pytest.fixture
def tracks() -> Tracks:
    # rows: t0 ids 1, 9; t1 ids 2, 3, 9; t2 ids 2, 3, 9
    return Tracks(np.array([1, 2, 3, 4, 2, 3, 4, 2]), {3: (1,), 4: (1,)})


def test_it_says_what_was_found(tracks: Tracks) -> None:
    assert tracks.text == "8 cells in 4 tracks, 1 division"
    assert (tracks.count, tracks.divisions, len(tracks)) == (4, 1, 8)
    assert Tracks(np.full(1240, 1)).text == "1 240 cells in 1 track, 0 divisions"


def test_a_whole_track_or_from_a_frame_on(tracks: Tracks, cells: CellTable) -> None:
    assert tracks.rows_with(np.array([4])).tolist() == [1, 4, 7]
    assert tracks.rows_with(np.array([4]), cells.t).tolist() == [4, 7]
    assert tracks.rows_with(np.array([4, 2]), cells.t).tolist() == [2, 4, 5, 7]


def test_a_track_ends_where_its_cell_divides(tracks: Tracks) -> None:
    assert tracks.rows_with(np.array([0])).tolist() == [0]


def test_a_cell_without_a_track_stays_by_itself() -> None:
    tracks = Tracks(np.array([0, 0, 1, 1]))
    assert tracks.rows_with(np.array([1])).tolist() == [1]
    assert tracks.rows_with(np.array([1, 2])).tolist() == [1, 2, 3]
    assert Tracks(np.zeros(2, dtype=np.int64)).rows_with(np.array([0])).tolist() == [0]


def test_mother_and_daughters_are_a_family(tracks: Tracks) -> None:
    assert tracks.family.tolist() == [1, 2, 1, 1, 2, 1, 1, 2]


def test_tracks_follow_their_cells_to_another_table(tracks: Tracks) -> None:
    placed = tracks.placed(np.array([-1, 0, 1, 2, 3, 4, 5, 6]), 9)
    assert placed.track_id.tolist() == [2, 3, 4, 2, 3, 4, 2, 0, 0]
    assert placed.parents == {}  # the mother is gone
    assert tracks.placed(np.arange(8), 8).parents == tracks.parents


def test_what_napari_draws(tracks: Tracks, cells: CellTable) -> None:
    vertices, rows = tracks.vertices(cells, (0, 2, 3))
    assert vertices[:, 0].tolist() == [1, 2, 2, 2, 3, 3, 4, 4]
    assert vertices[:, 1].tolist() == [0, 0, 1, 2, 1, 2, 1, 2]
    assert vertices[0].tolist() == [1, 0, 7.0, 8.5]
    assert rows.tolist() == [0, 1, 4, 7, 2, 5, 3, 6]
    assert tracks.vertices(cells, (0, 1, 2, 3))[0].shape == (8, 5)


def rows_in(cells: CellTable):  # type: ignore[no-untyped-def]
    def rows_of(t: np.ndarray, cell_id: np.ndarray) -> np.ndarray:
        found = (cells.row(*name) for name in zip(t.tolist(), cell_id.tolist(), strict=True))
        return np.array([-1 if row is None else row for row in found])

    return rows_of


@given(st.lists(st.integers(0, 4), min_size=8, max_size=8), st.permutations(range(8)))
def test_they_come_back_from_a_file_on_any_order_of_rows(track_ids: list[int], order: list[int]) -> None:
    cells = CellTable.from_labels(movie_labels())
    there = sorted(set(track_ids) - {0})
    parents = {there[-1]: (there[0],)} if len(there) > 1 else {}
    tracks = Tracks(np.array(track_ids), parents)
    shuffled = cells.take(np.array(order))
    back = Tracks.from_arrays(tracks.to_arrays(cells), rows_in(shuffled), 8)
    assert back is not None
    assert back.track_id.tolist() == [track_ids[row] for row in order]
    assert back.parents == parents


def test_a_file_that_lacks_something_gives_none(tracks: Tracks, cells: CellTable) -> None:
    arrays = tracks.to_arrays(cells)
    del arrays["track_id"]
    assert Tracks.from_arrays(arrays, rows_in(cells), 8) is None
