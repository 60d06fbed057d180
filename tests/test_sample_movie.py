from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.link_settings import LinkSettings
from napari_cellstage.core.linking import link_cells
from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.core.tracks import Tracks
from napari_cellstage.sample_cells import STAGES
from napari_cellstage.sample_movie import SampleMovie, cell_cycle_movie

Link = tuple[int, int]


@pytest.fixture(scope="module")
def movie() -> SampleMovie:
    return cell_cycle_movie(seed=1, size=256, cells=8, frames=16)


def test_the_movie_is_what_it_says(movie: SampleMovie) -> None:
    assert "synthetic" in movie.stack.name
    assert movie.stack.shape == (16, 2, 1, 256, 256)
    assert movie.stack.time_step_s == 600
    assert movie.labels.shape == (16, 1, 256, 256)
    assert movie.class_names == STAGES
    assert len(movie.classes_of) == len(movie.tracks) == len(CellTable.from_labels(movie.labels))


def test_cells_pass_through_the_stages_and_divide(movie: SampleMovie) -> None:
    cells = CellTable.from_labels(movie.labels)
    assert set(movie.classes_of) == set(STAGES)
    assert movie.tracks.divisions >= 1
    for daughter, (mother,) in movie.tracks.parents.items():
        first = movie.tracks.track_id == daughter
        last = movie.tracks.track_id == mother
        assert cells.t[first].min() == cells.t[last].max() + 1
        assert movie.classes_of[first][0] == "anaphase"
        assert movie.classes_of[last][-1] == "metaphase"


def test_same_seed_same_movie() -> None:
    first, same = (cell_cycle_movie(3, 128, 3, 4) for _ in range(2))
    np.testing.assert_array_equal(first.stack.volume(3, 0), same.stack.volume(3, 0))
    np.testing.assert_array_equal(first.labels, same.labels)


def links(tracks: Tracks, cells: CellTable) -> set[Link]:
    """Return the rows of each cell and what it is in its next frame; both daughters of a division."""
    order = np.lexsort((cells.t, tracks.track_id)).tolist()
    found, ends = set(), {}
    for row in order:
        ends.setdefault(int(tracks.track_id[row]), []).append(row)
    for track, rows in ends.items():
        found |= set(itertools.pairwise(rows))
        found |= {(ends[mother][-1], rows[0]) for mother in tracks.parents.get(track, ())}
    return found


def followed(labels: np.ndarray, cells: CellTable) -> Tracks:
    steps = link_cells(labels, cells, LinkSettings())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_true_cells_are_followed_rightly(movie: SampleMovie) -> None:
    cells = CellTable.from_labels(movie.labels)
    true, found = links(movie.tracks, cells), links(followed(movie.labels, cells), cells)
    assert len(true & found) >= 0.99 * len(true)
    assert len(true & found) >= 0.99 * len(found)


def test_cells_that_were_found_are_followed_rightly(movie: SampleMovie) -> None:
    steps = find_cells_in_stack(movie.stack, SegmentSettings())
    while True:
        try:
            next(steps)
        except StopIteration as end:
            labels = np.asarray(end.value)
            break
    cells, truth = CellTable.from_labels(labels), CellTable.from_labels(movie.labels)
    true_row = [_truth(row, labels, cells, movie, truth) for row in range(len(cells))]
    true = {link for link in links(movie.tracks, truth) if set(link) <= set(true_row)}
    found = {(true_row[a], true_row[b]) for a, b in links(followed(labels, cells), cells)}
    assert len(true & found) >= 0.98 * len(true)
    assert len(true & found) >= 0.95 * len(found)


def _truth(row: int, labels: np.ndarray, cells: CellTable, movie: SampleMovie, truth: CellTable) -> int | None:
    """Return the row of the true cell that covers more than half of a cell found."""
    t = int(cells.t[row])
    under = np.bincount(movie.labels[t][labels[t] == cells.cell_id[row]])
    most = int(under.argmax())
    return truth.row(t, most) if most and 2 * under[most] > under.sum() else None
