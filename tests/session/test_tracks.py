"""Tracks of a session: kept with the project, on whatever cells there are now, labelled in one go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.tracks import Tracks
from napari_cellstage.learn.runs import save_predictions
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for, watch

FRAMES, CELLS = 3, 4


def movie() -> np.ndarray:
    """Four cells in three frames, ids 1 to 12."""
    return grid(2, 20, FRAMES)


@pytest.fixture
def followed(session: Session) -> Session:
    """A session whose four cells are followed over three frames; the last two are daughters of cell 1."""
    session.use_template("cell cycle")
    session.add_image(stack_for(movie()))
    session.set_labels(movie())
    session.set_tracks(Tracks(np.tile(np.arange(1, CELLS + 1), FRAMES)))
    return session


def ids(session: Session) -> list[list[int]]:
    """Return class ids, a list a frame."""
    return session.class_ids().reshape(FRAMES, -1).tolist()


def test_there_are_none_at_first(session: Session) -> None:
    assert session.tracks() is None
    session.add_image(stack_for(movie()))
    session.set_labels(movie())
    assert session.tracks() is None
    assert session.rows_of_tracks(5).tolist() == [5]


def test_a_whole_track_is_labelled_and_undone_at_once(followed: Session) -> None:
    changed = followed.label_track(5, 3)
    assert changed.tolist() == [1, 5, 9]
    assert ids(followed) == [[0, 3, 0, 0]] * FRAMES
    assert set(followed.origins()[changed]) == {"track"}
    followed.undo()
    assert not followed.class_ids().any()


def test_from_here_on_leaves_earlier_frames_alone(followed: Session) -> None:
    followed.label_track(1, 2)
    assert followed.label_track(5, 3, from_here=True).tolist() == [5, 9]
    assert ids(followed) == [[0, 2, 0, 0], [0, 3, 0, 0], [0, 3, 0, 0]]


def test_many_cells_and_a_stroke_are_one_undo(followed: Session) -> None:
    followed.label_track([0, 1], 2)
    followed.label_track([6], 2, continues=True)
    assert ids(followed) == [[2, 2, 2, 0]] * FRAMES
    followed.undo()
    assert not followed.class_ids().any()


def test_a_label_stops_at_a_division(followed: Session) -> None:
    followed.set_tracks(Tracks(np.array([1, 2, 3, 4, 5, 2, 6, 4, 5, 2, 6, 4]), {5: (1,), 6: (1,)}))
    followed.label_track(4, 2)
    assert ids(followed) == [[0, 0, 0, 0], [2, 0, 0, 0], [2, 0, 0, 0]]


def test_setting_them_is_told(followed: Session) -> None:
    heard = watch(followed, "tracks_changed", "history_changed")
    followed.set_tracks(Tracks(np.ones(12, dtype=np.int64)))
    assert heard == [("tracks_changed", 1)]


def test_tracks_of_other_cells_are_refused(followed: Session) -> None:
    with pytest.raises(CellsError, match=r"tracks are of 3 cells, but the image has 12: .* Follow them again\."):
        followed.set_tracks(Tracks(np.ones(3, dtype=np.int64)))


def test_they_are_there_again_after_opening(followed: Session) -> None:
    followed.set_tracks(Tracks(np.array([1, 2, 3, 4, 5, 2, 6, 4, 5, 2, 6, 4]), {5: (1,), 6: (1,)}))
    assert followed.project is not None
    folder = followed.project.folder
    followed.close()
    assert followed.tracks() is None
    followed.open_project(folder)
    found = followed.tracks()
    assert found is not None
    assert found.track_id.tolist() == [1, 2, 3, 4, 5, 2, 6, 4, 5, 2, 6, 4]
    assert found.parents == {5: (1,), 6: (1,)}


def test_a_copy_of_the_project_has_them_too(followed: Session, tmp_path: Path) -> None:
    followed.save_project_as(tmp_path / "copy")
    found = followed.tracks()
    assert found is not None
    assert found.count == CELLS


def test_a_damaged_file_is_as_if_there_were_none(followed: Session) -> None:
    assert followed.project is not None
    folder = followed.project.folder
    followed.close()
    (folder / "tracks" / "1-1.npz").write_bytes(b"nonsense")
    followed.open_project(folder)
    assert followed.tracks() is None


def test_new_cells_have_none_and_undo_brings_the_old_tracks(followed: Session) -> None:
    followed.set_labels(movie() + (movie() > 0))
    assert followed.tracks() is None
    followed.undo()
    found = followed.tracks()
    assert found is not None
    assert found.count == CELLS


def test_tracks_of_cells_that_were_only_tried_are_deleted(followed: Session) -> None:
    followed.set_labels(movie() + (movie() > 0))
    assert followed.project is not None
    folder = followed.project.folder
    followed.close()
    assert [file.name for file in (folder / "tracks").iterdir()] == ["1-1.npz"]
    followed.open_project(folder)
    assert not list((folder / "tracks").iterdir())


def test_a_cell_added_by_hand_is_in_no_track(followed: Session) -> None:
    row = followed.add_cell(1, 0, 38.0, 38.0)
    found = followed.tracks()
    assert found is not None
    assert len(found) == 13
    assert found.track_id[row] == 0
    assert followed.label_track(row, 2).tolist() == [row]
    followed.undo()
    followed.undo()
    assert len(followed.tracks() or ()) == 12


def test_the_table_names_the_track(followed: Session) -> None:
    table = followed.table()
    assert table["track"].tolist() == [1, 2, 3, 4] * FRAMES
    assert list(table.columns) == ["image", "cell_id", "t", "z", "y", "x", "track", "label", "origin", "found_in"]


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_table_of_a_run_names_track_and_origin(
    followed: Session, tmp_path: Path, in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed.label_track(0, 1)
    followed.label_cells([0, 5], 1)
    if not in_memory:
        monkeypatch.setattr(AnnotatedImage, "bytes_held", 0)  # so that the worker reads them from the disk
    snapshot = followed.snapshot()
    count = len(followed.scheme)
    even = np.full((len(followed.cells()), count), 1 / count, dtype=np.float32)
    answer = Predictions(even, followed.scheme.ids, np.zeros(len(even), dtype=np.uint8))
    save_predictions(tmp_path, snapshot, {1: answer})
    written = pd.read_csv(tmp_path / "predictions.csv", keep_default_na=False)
    assert followed.set_predictions({1: answer}, snapshot.version)
    expected = followed.table()
    assert list(written.columns) == list(expected.columns)
    for name in ("cell_id", "track", "label", "origin"):
        assert written[name].tolist() == expected[name].tolist()
    assert written["origin"].tolist()[:6] == ["hand", "", "", "", "track", "hand"]


def test_frames_of_one_family_are_one_group(followed: Session) -> None:
    followed.set_tracks(Tracks(np.array([1, 2, 3, 0, 5, 2, 6, 0, 5, 2, 6, 4]), {5: (1,), 6: (1,)}))
    followed.label_cells([0], 1)
    (image,) = followed.snapshot().images
    assert image.groups is not None
    groups = image.groups.tolist()
    assert groups[0] == groups[4] == groups[6] == groups[10]
    assert groups[1] == groups[5] == groups[9]
    assert len(set(groups)) == 6  # two families, tracks 3 and 4, and two cells by themselves


def test_cells_deleted_by_hand_are_in_their_track_again_after_undo(followed: Session) -> None:
    followed.delete_cells([5])
    tracks = followed.tracks()
    assert tracks is not None
    assert tracks.track_id.tolist() == [1, 2, 3, 4, 1, 3, 4, 1, 2, 3, 4]
    followed.undo()
    tracks = followed.tracks()
    assert tracks is not None
    assert tracks.track_id.tolist() == [1, 2, 3, 4] * FRAMES


def test_a_script_follows_in_one_line(followed: Session) -> None:
    followed.set_labels(np.repeat(grid(2, 20), FRAMES, axis=0))
    assert followed.follow_cells().text == "12 cells in 4 tracks, 0 divisions"
    assert followed.tracks() is not None


def test_an_image_without_cells_can_not_be_followed(session: Session) -> None:
    session.add_image(stack_for(movie()))
    with pytest.raises(CellsError, match=r"no cells to follow\. Find the cells first"):
        session.follow_cells()


def test_with_labels_on_several_images_each_is_a_group(followed: Session) -> None:
    followed.label_cells([0], 1)
    followed.add_image(stack_for(grid(), "another", 1))
    followed.set_labels(grid())
    followed.label_cells([0], 1)
    assert all(image.groups is None for image in followed.snapshot().images)
