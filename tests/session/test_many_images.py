"""Many images: known without reading them, found again together, and frozen for work without opening any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellstage.core import presence
from napari_cellstage.core.errors import CellsError, ProjectError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.images import from_array, open_image
from napari_cellstage.session import Session
from tests.session.scene import grid, stack_for, watch


def written(path: Path, value: int = 0, side: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.full((side, side), value, dtype=np.uint8))
    return path


@pytest.fixture
def many(session: Session, tmp_path: Path) -> Session:
    """Six images of the same name in six folders; the first three have cells, the second of them labels."""
    session.use_template("exposure")
    files = [written(tmp_path / f"well {n}" / "field.tif", n) for n in range(6)]
    numbers = session.add_images([open_image(file) for file in files])
    assert numbers == (1, 2, 3, 4, 5, 6)
    for number in numbers[:3]:
        session.set_labels(grid()[0, 0], number)
    session.label_cells([0, 1, 2], 1, 2)
    return session


def test_images_are_added_once_and_in_one_act(many: Session, tmp_path: Path) -> None:
    heard = watch(many, "images_changed", "current_changed")
    again = many.add_images([open_image(tmp_path / f"well {n}" / "field.tif") for n in (4, 1)])
    assert again == (5, 2)
    assert len(many.images) == 6
    assert heard == [("images_changed",), ("current_changed",)]
    assert many.add_images([]) == ()


def test_states_tell_apart_files_of_one_name(many: Session) -> None:
    states = many.image_states()
    assert [state.name for state in states] == [f"well {n}/field.tif" for n in range(6)]
    assert [(state.cells, state.labelled) for state in states] == [(9, 0), (9, 3), (9, 0), (0, 0), (0, 0), (0, 0)]
    assert many.cell_total() == 27


def test_opening_reads_no_image_and_no_cells(many: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    many.label_cells([3], 2, 3)  # of one labelled image alone the tracks would be read
    folder, expected = many.project.folder, many.image_states()  # type: ignore[union-attr]
    many.close()

    def refuse(*_args: Any) -> None:
        raise AssertionError("a file was opened")

    with monkeypatch.context() as patch:
        patch.setattr(ImageEntry, "_opened", property(refuse))
        patch.setattr("napari_cellstage.core.loading.Loader.image", refuse)
        many.open_project(folder)
        assert many.image_states() == expected
        assert many.problems == ()
        assert many.counts()[1] == 3
        frozen = many.snapshot()
    assert [image.class_ids.tolist().count(1) for image in frozen.images] == [0, 3, 0]


def test_a_snapshot_is_of_its_moment_also_for_images_read_later(many: Session) -> None:
    folder = many.project.folder  # type: ignore[union-attr]
    many.close()
    many.open_project(folder)
    frozen = many.snapshot()
    many.label_cells([0, 5], 2, 2)
    many.set_current(3)
    many.delete_cells([0, 1])
    many.set_labels(np.zeros((30, 30), dtype=int), 1)
    found = list(frozen.images)
    assert [len(image.cells) for image in found] == [9, 9, 9]
    assert found[1].class_ids.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    np.testing.assert_array_equal(found[2].labels, grid())
    assert frozen.images[1].stack.shape == (1, 1, 1, 30, 30)


def test_answers_to_images_nobody_looked_at_are_kept(many: Session) -> None:
    from napari_cellstage.core.predictions import Predictions

    folder = many.project.folder  # type: ignore[union-attr]
    many.close()
    many.open_project(folder)
    frozen = many.snapshot()
    answers = {}
    for image in frozen.images:
        chances = np.full((len(image.cells), 3), 1 / 3, dtype=np.float32)
        answers[image.image_id] = Predictions(chances, many.scheme.ids, np.zeros(len(image.cells), np.uint8), "r")
    many.set_labels(np.zeros((30, 30), dtype=int), 1)
    assert not many.set_predictions(answers, frozen.version), "the cells of the first are others now"
    assert [state.predicted for state in many.image_states()] == [False, True, True, False, False, False]
    found = many.predictions(3)
    assert found is not None
    assert len(found) == 9
    many.close()
    many.open_project(folder)
    assert [state.predicted for state in many.image_states()] == [False, True, True, False, False, False]


def test_going_through_the_images(many: Session) -> None:
    assert many.current_id == 1
    assert not many.go_to_image(-1)
    assert many.go_to_image(2)
    assert many.current_id == 3
    assert not many.go_to_image(4)


def test_files_that_moved_are_found_by_name_size_and_folder(many: Session, tmp_path: Path) -> None:
    folder = many.project.folder  # type: ignore[union-attr]
    many.close()
    for n in range(6):
        written(tmp_path / "new" / f"well {n}" / "field.tif", n)
        (tmp_path / f"well {n}" / "field.tif").unlink()
    written(tmp_path / "new" / "well 5" / "field.tif", 5, side=10)  # another file of that name
    many.open_project(folder)
    assert all(state.missing for state in many.image_states())
    result = many.relocate_folder(tmp_path / "new")
    assert (result.found, result.missing) == ((1, 2, 3, 4, 5), (6,))
    assert result.text == "5 of 6 missing images were found. Choose another folder for the 1 that are not in this one."
    assert [int(entry.stack.data.max()) for entry in many.images[:5]] == [0, 1, 2, 3, 4]  # type: ignore[union-attr]
    with pytest.raises(ProjectError, match=r"nowhere' is no folder\. Choose the folder"):
        many.relocate_folder(tmp_path / "nowhere")
    many.close()
    many.open_project(folder)
    assert [state.missing for state in many.image_states()] == [False] * 5 + [True]


def test_a_drive_that_does_not_answer_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    never, real = threading.Event(), presence.os.listdir
    there = written(tmp_path / "a.tif")
    monkeypatch.setattr(presence, "PATIENCE_S", 0.05)
    monkeypatch.setattr(
        presence.os, "listdir", lambda f: (never.wait(5), [])[1] if str(f).startswith("/mnt/drive") else real(f)
    )
    assert presence.present([Path("/mnt/drive/x/b.tif"), there, tmp_path / "c.tif"]) == {there}
    never.set()


def test_a_class_for_whole_images_goes_to_cells_found_later(many: Session) -> None:
    assert many.label_images([1, 4], 2, origin="well") == 9
    assert many.origins(1).tolist() == ["well"] * 9
    assert many.image_class(4) == 2
    many.set_labels(grid()[0, 0], 4)
    assert many.class_ids(4).tolist() == [2] * 9
    assert many.origins(4).tolist() == ["well"] * 9
    many.label_cells([0], 3, 4)
    assert many.label_images([4], 0, origin="well") == 8, "what was given by hand stays"
    assert many.class_ids(4).tolist() == [3] + [0] * 8
    for _ in range(4):
        many.undo()
    assert many.counts() == {1: 3, 2: 0, 3: 0}
    assert many.image_class(1) == 0
    with pytest.raises(CellsError, match="can't come from 'guess'"):
        many.label_images([1], 1, origin="guess")


def test_pixels_of_images_left_behind_are_let_go(many: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_cellstage.core import shelf

    monkeypatch.setattr(shelf, "_KEPT", 0)
    many.set_current(2)
    many.delete_cells([8])
    before = np.asarray(many.labels())
    many.set_current(1)
    assert many._space.image(2).bytes_held == 0
    np.testing.assert_array_equal(many.labels(2), before)
    assert many.class_ids(2).tolist() == [1, 1, 1, 0, 0, 0, 0, 0]


def test_more_cells_than_sixteen_bits_number(session: Session) -> None:
    labels = np.arange(1, 300 * 300 + 1).reshape(300, 300)
    session.add_class("a")
    session.add_image(from_array(np.zeros((300, 300), dtype=np.uint8), "YX", "dense"))
    session.set_labels(labels)
    session.label_cells([65_535, 65_536, 89_999], 1)
    session.merge_cells([70_000, 70_001])
    row = session.row_of(0, 65_536)
    assert row is not None
    assert session.class_ids()[row] == 1
    assert session.image_states()[0].cells == 89_999
    folder = session.project.folder  # type: ignore[union-attr]
    session.close()
    session.open_project(folder)
    assert session.cell_at(0, 0, 299, 299) == 89_998
    assert session.counts() == {1: 3}


def test_a_project_whose_drive_went_away_loses_nothing(ready: Session) -> None:
    ready.label_cells([0], 1)
    before = ready.class_ids().copy()
    folder = ready.project.folder  # type: ignore[union-attr]
    away = folder.rename(folder.with_name("away.cellstage"))
    for act in (
        lambda: ready.label_cells([1], 1),
        lambda: ready.delete_cells([1]),
        lambda: ready.set_labels(grid()),
        lambda: ready.add_image(stack_for(grid(2), "second", seed=3)),
    ):
        with pytest.raises(ProjectError, match=r"not at|can't be written"):
            act()
    np.testing.assert_array_equal(ready.class_ids(), before)
    np.testing.assert_array_equal(ready.labels(), grid())
    away.rename(folder)
    ready.label_cells([1], 1)
    assert ready.counts()[1] == 2


def test_cells_found_in_many_images_are_one_undo(many: Session) -> None:
    for number in (4, 5, 6):
        many.set_labels(grid()[0, 0], number, continues=number > 4)
    many.undo()
    assert [state.cells for state in many.image_states()] == [9, 9, 9, 0, 0, 0]
    many.redo()
    assert [state.cells for state in many.image_states()] == [9] * 6
    many.undo()
    many.undo()
    assert many.counts()[1] == 0, "what was done before is a step of its own"


def test_labels_carried_over_in_many_images_are_one_undo(many: Session) -> None:
    moved, gone = np.roll(grid()[0, 0], 1, axis=1), np.where(grid()[0, 0] > 3, grid()[0, 0], 0)
    many.label_cells([8], 2, 1)
    before = [many.class_ids(i).tolist() for i in (1, 2)]
    many.set_labels(moved, 1)
    many.set_labels(gone, 2, continues=True)
    assert many.counts() == {1: 0, 2: 1, 3: 0}
    many.undo()
    assert [many.class_ids(i).tolist() for i in (1, 2)] == before
    many.redo()
    assert many.counts() == {1: 0, 2: 1, 3: 0}
    folder = many.project.folder  # type: ignore[union-attr]
    many.undo()
    many.close()
    many.open_project(folder)
    assert [many.class_ids(i).tolist() for i in (1, 2)] == before


def test_what_the_user_does_in_between_is_no_part_of_the_run(many: Session) -> None:
    many.set_labels(grid()[0, 0], 4)
    many.label_cells([0], 3, 1)
    many.set_labels(grid()[0, 0], 5, continues=True)
    many.set_labels(grid()[0, 0], 5, continues=True)  # the same image again is no run over many
    many.undo()
    many.undo()
    assert many.image_states()[4].cells == 0
    assert many.counts()[3] == 1
    many.undo()
    assert (many.counts()[3], many.image_states()[3].cells) == (0, 9)
