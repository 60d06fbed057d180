"""Predicted stains of a session: channels of their image, kept with the project, and never in the way of what was."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.errors import CellStageError, ImageError, ProjectError
from napari_cellstage.core.finding import blocks
from napari_cellstage.core.images import from_array, open_image
from napari_cellstage.core.segment import find_cells_in_stack
from napari_cellstage.core.steps import finished
from napari_cellstage.core.store import Project
from napari_cellstage.session import Session
from tests.core.stain_scene import prediction_for
from tests.session.scene import grid, stack_for, watch

DNA = "DNA (predicted)"


def own(session: Session) -> int:
    return session.own_channels


@pytest.fixture
def stained(ready: Session) -> Session:
    """A session whose image has a predicted DNA channel."""
    assert ready.current is not None
    assert ready.current_id is not None
    ready.add_stains(ready.current_id, prediction_for(ready.current), "first")
    return ready


def test_a_stain_is_one_more_channel_with_its_own_values(ready: Session) -> None:
    before, image_id = ready.current, ready.current_id
    assert before is not None
    assert image_id is not None
    heard = watch(ready, "stains_changed")
    prediction = prediction_for(before, ("DNA", "MAP2"))
    assert ready.add_stains(image_id, prediction, "first") == (DNA, "MAP2 (predicted)")
    after = ready.current
    assert after is not None
    assert heard == [("stains_changed", image_id)]
    count = before.shape[1]
    assert ready.channel_names == after.channel_names == (*before.channel_names, DNA, "MAP2 (predicted)")
    for channel in range(count):
        same = after.volume(0, channel)
        assert same.dtype == before.pixels.dtype
        assert np.array_equal(same, before.volume(0, channel))
    assert np.array_equal(after.volume(0, count + 1), prediction.mean[0, 1])
    assert [one.name for one in ready.stains()] == [DNA, "MAP2 (predicted)"]
    assert (ready.stains()[0].run, ready.stains()[0].verdict) == ("first", "like")


def test_choices_of_channels_stay_as_they_were(ready: Session) -> None:
    assert ready.current is not None
    assert ready.current_id is not None
    before = (ready.find_channel, ready.network_channels)
    ready.add_stains(ready.current_id, prediction_for(ready.current), "first")
    assert (ready.find_channel, ready.network_channels) == before
    assert own(ready) == len(ready.channel_names) - 1


def test_a_stain_can_be_chosen_by_name_and_is_another_channel_where_there_are_more(ready: Session) -> None:
    first, image_id = ready.current, ready.current_id
    assert first is not None
    assert image_id is not None
    ready.add_stains(image_id, prediction_for(first), "first")
    ready.find_channel = ready.channel_names.index(DNA)
    ready.network_channels = (0, ready.channel_names.index(DNA))
    other = ready.add_image(stack_for(grid(), name="other", seed=5))
    assert ready.current is not None
    assert ready.find_channel < own(ready), "it has no such channel"
    ready.add_stains(other, prediction_for(ready.current, ("MAP2", "DNA")), "second")
    assert ready.channel_names[ready.find_channel] == DNA
    assert ready.network_channels == (0, ready.channel_names.index(DNA))
    ready.set_current(image_id)
    assert ready.find_channel == own(ready)


def test_a_stain_is_there_again_when_the_project_is_opened(stained: Session, tmp_path: Path) -> None:
    project, current = stained.project, stained.current
    assert project is not None
    assert current is not None
    shown = current.volume(0, stained.channel_names.index(DNA))
    told = stained.stains()
    stained.close()
    again = Session(tmp_path)
    again.open_project(project.folder)
    assert again.channel_names[-1] == DNA
    assert again.stains() == told
    assert again.current is not None
    assert np.array_equal(again.current.volume(0, len(again.channel_names) - 1), shown)
    assert not again.problems
    again.close()


def test_an_image_with_a_stain_is_still_the_image_of_its_file(stained: Session) -> None:
    current = stained.current
    assert current is not None
    assert stained.add_image(current) == stained.current_id
    assert len(stained.images) == 1
    assert stained.images[0].record.shape == current.own_shape


def test_an_image_that_is_taken_to_another_project_goes_without(stained: Session, tmp_path: Path) -> None:
    current = stained.current
    assert current is not None
    stained.new_project(tmp_path / "other")
    stained.add_image(current)
    assert not stained.stains()
    assert stained.current is not None
    assert stained.current.shape == current.own_shape
    assert np.array_equal(stained.current.volume(0, 0), current.volume(0, 0))


def test_the_same_stain_of_another_run_stands_beside_it(stained: Session) -> None:
    image_id, current = stained.current_id, stained.current
    assert image_id is not None
    assert current is not None
    second = prediction_for(current, seed=2)
    assert stained.add_stains(image_id, second, "second") == ("DNA (predicted by second)",)
    assert [one.run for one in stained.stains()] == ["first", "second"]
    assert stained.stains()[0].colour != stained.stains()[1].colour
    third = prediction_for(current, seed=3)
    assert stained.add_stains(image_id, third, "third", replace=True) == (DNA,)
    assert [one.run for one in stained.stains()] == ["third", "second"]
    again = prediction_for(current, seed=4)
    assert stained.add_stains(image_id, again, "second") == ("DNA (predicted by second)",), "the same run again"
    assert stained.current is not None
    assert np.array_equal(stained.current.volume(0, own(stained) + 1), again.mean[0, 0])


def test_a_channel_of_the_file_that_is_called_so_stays_what_it_is(session: Session) -> None:
    pixels = np.zeros((2, 40, 40), dtype=np.uint8)
    image_id = session.add_image(from_array(pixels, "CYX", "predicted before", channel_names=("BF", DNA)))
    assert session.current is not None
    assert session.add_stains(image_id, prediction_for(session.current), "r") == ("DNA (predicted by r)",)
    session.find_channel = 2
    assert session.find_channel == 2


def test_a_second_channel_that_is_predicted_is_chosen_by_name(ready: Session) -> None:
    first = ready.current_id
    ready.add_stains(first, prediction_for(ready.current, ("MAP2", "NFH", "actin")), "r")

    def second() -> str:
        return ready.channel_names[ready.segment_settings.on(1, len(ready.channel_names)).second_channel]

    place = ready.channel_names.index("NFH (predicted)")
    ready.segment_settings = replace(ready.segment_settings, second_channel=place)
    ready.remove_stain(first, "MAP2 (predicted)")
    assert second() == "NFH (predicted)"
    other = from_array(np.zeros((5, 30, 30), dtype=np.uint8), "CYX", "more channels")
    image_id = ready.add_image(other)
    assert second() == other.channel_names[0], "it has no such stain"
    ready.add_stains(image_id, prediction_for(other, ("actin", "NFH")), "r")
    assert second() == "NFH (predicted)"
    ready.segment_settings = replace(ready.segment_settings, second_channel=3)
    assert second() == other.channel_names[3]
    ready.set_current(first)
    assert second() == "tubulin", "a number beyond those of the file is no stain"


def test_removing_one_touches_no_cell_and_no_label(stained: Session) -> None:
    image_id = stained.current_id
    assert image_id is not None
    stained.label_cells([0, 3], 2)
    before, cells = stained.class_ids().copy(), stained.cells()
    stained.find_channel = own(stained)
    stained.remove_stain(image_id, DNA)
    assert not stained.stains()
    assert DNA not in stained.channel_names
    assert np.array_equal(stained.class_ids(), before)
    assert stained.cells() is cells
    assert stained.find_channel < own(stained)
    with pytest.raises(ImageError, match="has no predicted stain 'DNA"):
        stained.remove_stain(image_id, DNA)


def test_files_of_what_was_removed_go_at_the_next_opening(stained: Session, tmp_path: Path) -> None:
    project, image_id, current = stained.project, stained.current_id, stained.current
    assert project is not None
    assert image_id is not None
    assert current is not None
    (file,) = (project.folder / "stains").glob("*.zarr")
    stained.remove_stain(image_id, DNA)
    assert file.is_dir()
    assert np.isfinite(current.volume(0, own(stained))).all(), "who still looks at it can"
    stained.add_stains(image_id, prediction_for(current), "next")
    assert len(list((project.folder / "stains").glob("*.zarr"))) == 2
    stained.close()
    Project(project.folder).close()
    assert not file.exists()
    assert len(list((project.folder / "stains").glob("*.zarr"))) == 1


@pytest.mark.parametrize("damage", ["gone", "no card", "cut off", "of another image"])
def test_an_image_opens_without_stains_that_cannot_be_read(stained: Session, tmp_path: Path, damage: str) -> None:
    project = stained.project
    assert project is not None
    (file,) = (project.folder / "stains").glob("*.zarr")
    stained.close()
    card = file / "zarr.json"
    if damage == "gone":
        shutil.rmtree(file)
    elif damage == "no card":
        card.unlink()
    elif damage == "cut off":
        card.write_text(card.read_text()[:40])
    else:
        told = json.loads(card.read_text())
        told["attributes"]["shape"][-1] += 7
        card.write_text(json.dumps(told))
    again = Session(tmp_path)
    again.open_project(project.folder)
    assert again.current is not None
    assert not again.stains()
    (problem,) = again.problems
    assert DNA in problem
    assert "predict" in problem.lower()
    assert again.current_id is not None
    again.add_stains(again.current_id, prediction_for(again.current, seed=9), "first")
    assert [one.name for one in again.stains()] == [DNA], "predicted again it takes its place"
    again.close()


def test_a_damaged_stain_can_be_removed(stained: Session, tmp_path: Path) -> None:
    project = stained.project
    assert project is not None
    shutil.rmtree(next((project.folder / "stains").glob("*.zarr")))
    stained.close()
    again = Session(tmp_path)
    again.open_project(project.folder)
    assert again.problems
    assert again.current_id is not None
    again.remove_stain(again.current_id, DNA)
    assert not again.problems
    again.close()


def test_all_stains_that_are_lost_are_named_and_many_images_at_once(session: Session, tmp_path: Path) -> None:
    for seed in range(4):
        image_id = session.add_image(stack_for(grid(), f"image {seed}", seed))
        session.add_stains(image_id, prediction_for(session.current, ("DNA", "MAP2")), "first")
    folder = session.project.folder
    session.close()
    for number in (1, 2, 3):
        shutil.rmtree(folder / "stains" / f"{number}-1.zarr")
    session.open_project(folder)
    assert len(session.problems) == 3
    assert all(f"without '{DNA}', 'MAP2 (predicted)'." in problem for problem in session.problems)
    session.add_stains(1, prediction_for(session.current, ("DNA", "MAP2")), "first")
    assert len(session.problems) == 2, "predicted again they are not lost"
    session.close()
    shutil.rmtree(folder / "stains")
    session.open_project(folder)
    (problem,) = session.problems
    assert problem.startswith("4 images are shown without predicted stains that can't be read. The first: 'image")


def test_a_lost_chunk_is_said_and_not_shown_as_nothing(stained: Session, tmp_path: Path) -> None:
    project = stained.project
    assert project is not None
    (file,) = (project.folder / "stains").glob("*.zarr")
    stained.close()
    shutil.rmtree(file / "mean-0" / "c")
    again = Session(tmp_path)
    again.open_project(project.folder)
    assert again.current is not None
    assert np.isfinite(again.current.volume(0, 0).astype(float)).all()
    with pytest.raises(ImageError, match="can't be read: a part of it is lost"):
        again.current.volume(0, own(again))
    again.close()


def test_a_prediction_of_another_size_is_refused_and_leaves_nothing(ready: Session) -> None:
    assert ready.project is not None
    assert ready.current_id is not None
    small = from_array(np.zeros((20, 20)), "YX", "small")
    with pytest.raises(ImageError, match="was predicted for Z, Y, X of"):
        ready.add_stains(ready.current_id, prediction_for(small), "first")
    assert not ready.stains()
    assert not list((ready.project.folder / "stains").glob("*"))


def test_an_answer_to_a_project_that_was_closed_is_dropped(ready: Session, tmp_path: Path) -> None:
    current = ready.current
    assert current is not None
    work = ready.stain_snapshot()
    kept = work.keep(work.images[0].image_id, prediction_for(current))
    ready.new_project(tmp_path / "other")
    ready.add_image(from_array(np.zeros((30, 30)), "YX", "something else"))
    assert ready.add_stains(work.images[0].image_id, kept, "first", version=work.version) == ()
    assert not ready.stains()


def test_a_worker_writes_what_the_session_then_only_moves(ready: Session) -> None:
    work = ready.stain_snapshot()
    (image,) = work.images
    stack = image.opened()
    assert stack is not None
    assert image.channel_names == stack.channel_names
    prediction = prediction_for(stack)
    kept = work.keep(image.image_id, prediction)
    assert kept.folder.is_relative_to(work.cache)
    ready.add_stains(image.image_id, kept, "first", version=work.version)
    assert not kept.folder.exists()
    assert ready.current is not None
    assert np.array_equal(ready.current.volume(0, own(ready)), prediction.mean[0, 0])


def test_a_snapshot_keeps_the_stains_of_its_moment(stained: Session) -> None:
    image_id, current = stained.current_id, stained.current
    assert image_id is not None
    assert current is not None
    work, frozen = stained.stain_snapshot(), stained.snapshot()
    then = current.volume(0, own(stained))
    stained.add_stains(image_id, prediction_for(current, seed=8), "first")
    stack = work.images[0].opened()
    assert stack is not None
    assert np.array_equal(stack.volume(0, own(stained)), then)
    assert np.array_equal(frozen.images[0].stack.volume(0, own(stained)), then)


def test_nothing_is_added_to_a_project_that_is_open_elsewhere(stained: Session, tmp_path: Path) -> None:
    assert stained.project is not None
    reader = Session(tmp_path)
    reader.open_project(stained.project.folder)
    assert reader.read_only
    assert reader.current is not None
    assert reader.current_id is not None
    assert [one.name for one in reader.stains()] == [DNA]
    with pytest.raises(ProjectError, match="read-only"):
        reader.add_stains(reader.current_id, prediction_for(reader.current), "second")
    with pytest.raises(ProjectError, match="read-only"):
        reader.remove_stain(reader.current_id, DNA)
    reader.close()


def test_a_copy_of_the_project_has_its_stains(stained: Session, tmp_path: Path) -> None:
    assert stained.current is not None
    before = stained.current.volume(0, own(stained))
    first = stained.project
    stained.save_project_as(tmp_path / "copy")
    assert first is not None
    shutil.rmtree(first.folder)
    assert [one.name for one in stained.stains()] == [DNA]
    assert stained.current is not None
    assert np.array_equal(stained.current.volume(0, own(stained)), before)


def test_a_prediction_goes_on_in_a_copy_of_the_project(stained: Session, tmp_path: Path) -> None:
    image_id, current, before = stained.current_id, stained.current, stained.project
    work = stained.stain_snapshot()
    kept = work.keep(image_id, prediction_for(current, ("MAP2",)))
    heard = watch(stained, "stains_changed")
    stained.save_project_as(tmp_path / "copy")
    assert heard == [("stains_changed", image_id)], "who shows a stain is to read that of the copy"
    assert stained.add_stains(image_id, kept, "second", version=work.version) == ("MAP2 (predicted)",)
    shutil.rmtree(before.folder)
    assert np.isfinite(stained.current.volume(0, len(stained.channel_names) - 1)).all()


def test_a_project_that_was_moved_is_not_begun_anew_at_its_old_place(stained: Session, tmp_path: Path) -> None:
    folder, prediction = stained.project.folder, prediction_for(stained.current)
    work = stained.stain_snapshot()
    kept = work.keep(stained.current_id, prediction)
    folder.rename(tmp_path / "moved.cellstage")
    for given in (prediction, kept):
        with pytest.raises(CellStageError, match=r"be written|be put into"):
            stained.add_stains(stained.current_id, given, "second")
    with pytest.raises(ImageError, match="can't be written"):
        work.keep(stained.current_id, prediction)
    assert not folder.exists()
    (tmp_path / "moved.cellstage").rename(folder)
    assert stained.add_stains(stained.current_id, kept, "second")


def test_an_image_that_was_removed_comes_back_with_its_stains(stained: Session) -> None:
    image_id = stained.current_id
    assert image_id is not None
    stained.remove_images([image_id])
    stained.undo()
    assert [one.name for one in stained.stains(image_id)] == [DNA]


def test_an_image_that_moved_keeps_its_stains(session: Session, tmp_path: Path) -> None:
    import tifffile

    file = tmp_path / "a.tif"
    tifffile.imwrite(file, np.arange(400, dtype=np.uint8).reshape(20, 20))
    image_id = session.add_image(open_image(file))
    assert session.current is not None
    session.add_stains(image_id, prediction_for(session.current), "r")
    file.rename(tmp_path / "b.tif")
    session.relocate(image_id, tmp_path / "b.tif")
    assert session.current is not None
    assert session.current.channel_names[-1] == DNA


def test_cells_are_found_in_a_stain(ready: Session) -> None:
    labels, current, image_id = grid(), ready.current, ready.current_id
    assert current is not None
    assert image_id is not None
    light = (labels[:, None] > 0) * 200.0 + 10
    mean = light.astype(np.float32) + np.random.default_rng(0).normal(0, 1, light.shape).astype(np.float32)
    ready.add_stains(image_id, prediction_for(current, mean=mean), "first")
    ready.find_channel = ready.channel_names.index(DNA)
    assert ready.current is not None
    settings = ready.segment_settings.on(ready.find_channel, len(ready.channel_names))
    ready.set_labels(finished(find_cells_in_stack(ready.current, settings)))
    assert len(ready.cells()) == len(np.unique(labels)) - 1


def test_cells_are_found_in_a_stain_block_by_block(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = grid(20)[:, :, :200, :200]
    image_id = session.add_image(stack_for(labels))
    light = ((labels[:, None] > 0) * 200.0 + 10).astype(np.float32)
    assert session.current is not None
    session.add_stains(image_id, prediction_for(session.current, mean=light), "first")
    settings = replace(session.segment_settings.on(2, 3), min_diameter=3, background=0, smoothing=0)
    whole = finished(find_cells_in_stack(session.current, settings))
    monkeypatch.setattr(blocks, "WHOLE", 20_000)
    monkeypatch.setattr(blocks, "CORE", 64)
    parts = finished(find_cells_in_stack(session.current, settings))
    assert np.array_equal(np.asarray(parts) > 0, np.asarray(whole) > 0)
    assert len(np.unique(np.asarray(parts))) == len(np.unique(labels)) == 401


def test_the_verdict_of_the_worst_time_point_counts(session: Session) -> None:
    image_id = session.add_image(from_array(np.zeros((3, 40, 40), dtype=np.uint8), "TYX", "movie"))
    assert session.current is not None
    session.add_stains(image_id, prediction_for(session.current, levels=("like", "unlike", "doubtful")), "r")
    assert (session.stains()[0].verdict, session.stains()[0].text) == ("unlike", "It is unlike.")


def test_predictions_that_nobody_took_over_are_gone_when_the_project_is_opened_again(stained: Session) -> None:
    assert stained.project is not None
    assert stained.current is not None
    assert stained.current_id is not None
    folder = stained.project.folder
    work = stained.stain_snapshot()
    kept = work.keep(stained.current_id, prediction_for(stained.current))
    assert kept.folder.is_dir()
    halves = [place.with_name(f".part-{place.name}") for place in (kept.folder, folder / "stains" / "1-7.zarr")]
    for half in halves:  # the program was killed while it wrote them
        half.mkdir()
    stained.close()
    project = Project(folder)
    assert not any(place.exists() for place in (kept.folder, *halves))
    assert (folder / "stains").is_dir()
    assert [one.name for one in project.journal.stains()[1]] == [DNA]
    project.close()
