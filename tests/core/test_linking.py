from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import disk

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.images import open_image
from napari_cellstage.core.link_settings import LinkSettings
from napari_cellstage.core.linking import link_cells
from napari_cellstage.core.overlaps import frame_overlaps, overlaps
from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.core.tracks import Tracks


def drained(steps: Generator[Any, None, Any]) -> Any:
    """Run a generator to its end and return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def linked(labels: np.ndarray, cells: CellTable | None = None, **choices: Any) -> tuple[Tracks, CellTable]:
    cells = CellTable.from_labels(labels) if cells is None else cells
    return drained(link_cells(labels, cells, LinkSettings(**choices))), cells


def discs(*frames: list[tuple[int, float, float, float]], size: int = 120) -> np.ndarray:
    """Frames of discs, each ``(id, y, x, radius)``."""
    labels = np.zeros((len(frames), 1, size, size), dtype=np.int32)
    for t, cells in enumerate(frames):
        for cell_id, y, x, radius in cells:
            labels[t, 0][disk((y, x), radius, shape=(size, size))] = cell_id
    return labels


def track_of(tracks: Tracks, cells: CellTable, t: int, cell_id: int) -> int:
    row = cells.row(t, cell_id)
    assert row is not None
    return int(tracks.track_id[row])


def test_overlaps_are_counted() -> None:
    first = np.array([[1, 1, 0, 2], [1, 0, 0, 2]])
    second = np.array([[5, 5, 5, 7], [0, 0, 5, 5]])
    pairs, shared = overlaps(first, second)
    assert pairs.tolist() == [[1, 5], [2, 5], [2, 7]]
    assert shared.tolist() == [2, 1, 1]
    planes = np.stack((np.stack((first, first)), np.stack((second, second))))
    assert frame_overlaps(planes, 0)[1].tolist() == [4, 2, 2]


def test_cells_that_move_a_little_keep_their_track() -> None:
    labels = discs(*([(1, 20 + 3 * t, 20, 8), (2, 60, 90 - 2 * t, 8)] for t in range(6)))
    tracks, cells = linked(labels)
    assert tracks.text == "12 cells in 2 tracks, 0 divisions"
    assert len({track_of(tracks, cells, t, 1) for t in range(6)}) == 1


def test_ids_may_change_from_frame_to_frame() -> None:
    labels = discs([(1, 20, 20, 8), (2, 60, 60, 8)], [(7, 61, 62, 8), (900, 21, 19, 8)])
    tracks, cells = linked(labels)
    assert track_of(tracks, cells, 0, 1) == track_of(tracks, cells, 1, 900)
    assert track_of(tracks, cells, 0, 2) == track_of(tracks, cells, 1, 7)


def test_cells_that_move_farther_than_they_are_wide_are_linked_by_distance() -> None:
    labels = discs([(1, 30, 20, 6), (2, 80, 20, 6)], [(1, 30, 34, 6), (2, 80, 34, 6)])
    assert linked(labels, max_distance=1.5)[0].count == 2
    assert linked(labels, max_distance=0.5)[0].count == 4


def test_a_missed_frame_is_bridged_or_not() -> None:
    labels = discs([(1, 30, 30, 8)], [(2, 90, 90, 8)], [(3, 31, 31, 8)])
    bridged, cells = linked(labels)
    assert track_of(bridged, cells, 0, 1) == track_of(bridged, cells, 2, 3)
    assert linked(labels, gap=0)[0].count == 3


def test_a_division_ends_a_track_and_begins_two() -> None:
    labels = discs(
        [(1, 60, 60, 10), (8, 20, 20, 9)],
        [(1, 60, 60, 10), (8, 20, 20, 9)],
        [(2, 60, 52, 6), (3, 60, 68, 6), (8, 20, 20, 9)],
        [(2, 60, 50, 7), (3, 60, 70, 7), (8, 20, 20, 9)],
    )
    tracks, cells = linked(labels)
    assert tracks.text == "10 cells in 4 tracks, 1 division"
    daughters = {track_of(tracks, cells, 3, 2), track_of(tracks, cells, 3, 3)}
    assert set(tracks.parents) == daughters
    assert set(tracks.parents.values()) == {(track_of(tracks, cells, 1, 1),)}
    assert linked(labels, divisions=False)[0].divisions == 0


def test_a_cell_that_comes_in_beside_another_is_no_daughter() -> None:
    labels = discs([(1, 60, 60, 10)], [(1, 60, 60, 10), (2, 60, 78, 9)])
    assert linked(labels)[0].divisions == 0


def test_a_piece_broken_off_is_no_daughter() -> None:
    labels = discs([(1, 60, 60, 10)], [(1, 60, 60, 9), (2, 60, 72, 3)])
    assert linked(labels)[0].divisions == 0


def test_a_cell_that_is_split_for_one_frame_has_not_divided() -> None:
    whole, halves = [(1, 60, 60, 10)], [(1, 60, 54, 5.5), (2, 60, 66, 5.5)]
    assert linked(discs(whole, whole, halves, whole, whole))[0].divisions == 0
    assert linked(discs(whole, whole, halves))[0].divisions == 1  # nobody knows what comes after the last frame


def test_planes_far_apart_count_as_far() -> None:
    labels = np.zeros((2, 6, 40, 40), dtype=np.int32)
    labels[0, 0:2, 10:20, 10:20] = 1
    labels[1, 3:5, 10:20, 10:20] = 1
    cells = CellTable.from_labels(labels)
    near = drained(link_cells(labels, cells, LinkSettings()))
    far = drained(link_cells(labels, cells, LinkSettings(), (5.0, 1.0, 1.0)))
    assert (near.count, far.count) == (1, 2)


def test_frames_without_cells_do_no_harm() -> None:
    labels = discs([], [(1, 30, 30, 8)], [], [(2, 30, 30, 8)], [])
    assert linked(labels)[0].text == "2 cells in 1 track, 0 divisions"


def test_it_stops_and_says_how_far_it_is() -> None:
    labels = discs(*([(1, 30, 30, 8)] for _ in range(4)))
    cells = CellTable.from_labels(labels)
    assert list(link_cells(labels, cells, LinkSettings())) == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert drained(link_cells(labels, cells, LinkSettings(), should_stop=lambda: True)) is None


def test_one_time_point_is_refused() -> None:
    labels = discs([(1, 30, 30, 8)])
    with pytest.raises(CellsError, match=r"one time point, so there is nothing to follow\. Open a movie"):
        linked(labels)


def test_no_cells_are_refused() -> None:
    with pytest.raises(CellsError, match=r"There are no cells to follow\. Find the cells first"):
        linked(discs([], []))


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ({"max_distance": 0.0}, r"max_distance is 0.0, but must be from 0.1 to 20.0"),
        ({"overlap": 0.2}, r"overlap is 0.2, but must be from 0.5 to 1.0"),
        ({"gap": 30}, r"gap is 30, but must be from 0 to 20"),
    ],
)
def test_choices_out_of_range_are_refused(choices: dict[str, Any], text: str) -> None:
    with pytest.raises(CellsError, match=text):
        LinkSettings(**choices)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_every_cell_is_in_one_track_and_every_track_has_one_cell_a_frame(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [
        [(n + 1, *rng.uniform(5, 75, 2), rng.uniform(2, 9)) for n in range(rng.integers(0, 9))]
        for _ in range(rng.integers(2, 6))
    ]
    labels = discs(*frames, size=80)
    cells = CellTable.from_labels(labels)
    if not len(cells):
        return
    tracks, _ = linked(labels, cells)
    assert (tracks.track_id > 0).all()
    names = set(zip(tracks.track_id.tolist(), cells.t.tolist(), strict=True))
    assert len(names) == len(cells)
    for child, mothers in tracks.parents.items():
        first = cells.t[tracks.track_id == child].min()
        assert all(cells.t[tracks.track_id == mother].max() < first for mother in mothers)


def share_of_largest_overlap(labels: np.ndarray, cells: CellTable, tracks: Tracks) -> float:
    """Return the share of links between neighbouring frames that go to the cell with the largest overlap."""
    agreed = links = 0
    for t in range(len(labels) - 1):
        pairs, shared = frame_overlaps(labels, t)
        best = dict(pairs[np.argsort(shared)].tolist())
        now = {int(tracks.track_id[row]): int(cells.cell_id[row]) for row in np.flatnonzero(cells.t == t)}
        for row in np.flatnonzero(cells.t == t + 1):
            if (before := now.get(int(tracks.track_id[row]))) is not None:
                links += 1
                agreed += best.get(before) == int(cells.cell_id[row])
    return agreed / links


@pytest.mark.data
def test_real_movie(data_dir: Path) -> None:
    stack = open_image(data_dir / "fields" / "mitocheck_movie.ome.tif")
    labels = np.asarray(drained(find_cells_in_stack(stack, SegmentSettings())))
    tracks, cells = linked(labels)
    lengths = np.bincount(tracks.track_id)[1:]
    assert (lengths == 30).sum() >= 10
    assert np.median(lengths) >= 10
    assert share_of_largest_overlap(labels, cells, tracks) > 0.97
    assert 2 <= tracks.divisions <= 6  # three can be seen: one after frame 3, two after frame 7
    began = {int(cells.t[tracks.track_id == child].min()) for child in tracks.parents}
    assert 8 in began
