"""Networks that see predicted stains, and exports that say so: by name, in every image, or a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_cellstage.core.errors import ImageError, ModelError, ProjectError
from napari_cellstage.core.exporting.crops import export_crops
from napari_cellstage.core.exporting.geojson import features_of
from napari_cellstage.core.exporting.table import image_frame
from napari_cellstage.core.images import ImageStack, from_array, open_image
from napari_cellstage.core.journal import Journal
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.seeing import Seen, as_seen_by, check_stains, seeing
from napari_cellstage.core.steps import finished
from napari_cellstage.learn.cutting import Cutter
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.feature_tables import table_key
from napari_cellstage.learn.measure import Measure
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import save_predictions
from napari_cellstage.session import Session
from tests.core.stain_scene import prediction_for
from tests.session.scene import grid, predicted, stack_for

DNA = "DNA (predicted)"
MEASURE = Measure(Normalisation("dataset", (0.0, 0.0), (1.0, 1.0)), Recipe())


@pytest.fixture
def two(ready: Session) -> Session:
    """Two images with cells and labels; what is predicted lies in another order in each."""
    assert ready.current is not None
    first = ready.current_id
    ready.add_stains(first, prediction_for(ready.current, ("DNA",)), "run")
    second = ready.add_image(stack_for(grid(), "second", seed=3))
    ready.set_labels(grid())
    ready.add_stains(second, prediction_for(ready.current, ("MAP2", "DNA"), seed=4), "run")
    for image_id in (first, second):
        ready.label_cells(np.arange(9), 1, image_id)
        ready.label_cells([0, 1, 2], 2, image_id)
    ready.set_current(first)
    return ready


def see(session: Session, *names: str) -> None:
    session.network_channels = [session.channel_names.index(name) for name in names]


def test_the_network_sees_what_it_saw_before(two: Session) -> None:
    work = two.snapshot()
    assert work.channels == (0, 1)
    assert work.images[0].stack.channel_names[:2] == ("tubulin", "H2B")


def test_a_chosen_stain_is_the_same_channel_in_every_image(two: Session) -> None:
    see(two, "H2B", DNA)
    work = two.snapshot()
    assert work.channels == (0, 1)
    for image in work.images:
        assert [image.stack.channel_names[c] for c in work.channels] == ["H2B", DNA]
        entry = next(one for one in two.images if one.image_id == image.image_id)
        assert entry.stack is not None
        whole = entry.stack.volume(0, entry.stack.channel_names.index(DNA))
        assert np.array_equal(image.stack.volume(0, 1), whole)


def test_training_sets_and_crops_see_it(two: Session) -> None:
    see(two, DNA)
    work = two.snapshot()
    data = TrainingSet.from_snapshot(work, Recipe().but(crop_size=8))
    assert data.channel_names == (DNA,)
    assert len(data) == 18
    crop = Cutter(work.images[1], work.channels, Recipe().but(crop_size=8)).cut(np.array([4]))[0]
    assert crop.dtype == np.float32


def test_an_image_that_lacks_it_is_named(two: Session) -> None:
    two.add_image(stack_for(grid(), "third", seed=6))
    two.set_labels(grid())
    two.set_current(1)
    see(two, "tubulin", DNA)
    with pytest.raises(ImageError, match=r"'third' has no channel 'DNA \(predicted\)'.*Predict that stain"):
        two.snapshot()
    with pytest.raises(ImageError, match="'third' has no channel"):
        list(two.look().images)


def test_a_stain_that_no_image_has_any_more_is_none_that_was_chosen(two: Session) -> None:
    see(two, "tubulin", "H2B", DNA)
    for image_id in (1, 2):
        two.remove_stain(image_id, DNA)
    assert two.network_channels == (0, 1)
    assert two.snapshot().channels == (0, 1)


def test_a_model_sees_what_it_was_trained_on_whatever_is_chosen_now(two: Session) -> None:
    see(two, "H2B", DNA)
    work = two.snapshot()
    then = as_seen_by(work, (0, 1), ("tubulin", "H2B"))
    assert [then.images[1].stack.channel_names[c] for c in then.channels] == ["tubulin", "H2B"]
    see(two, "tubulin")
    back = as_seen_by(two.snapshot(), (0, 1), (DNA, "tubulin"))
    assert [back.images[1].stack.channel_names[c] for c in back.channels] == [DNA, "tubulin"]
    with pytest.raises(ImageError, match="has no channel 'NFH"):
        list(as_seen_by(work, (0,), ("NFH (predicted)",)).images)


def given(*names: str) -> tuple[ImageStack, range]:
    pixels = np.zeros((len(names), 4, 4), dtype=np.uint8)
    return from_array(pixels, "CYX", "given", channel_names=names), range(len(names))


def test_that_a_channel_is_not_there_is_left_to_whoever_reads_it() -> None:
    stack, _ = given("BF", "H2B")
    check_stains(["BF", DNA], stack, (0, 7))


def test_something_else_in_the_place_of_a_predicted_stain_is_refused() -> None:
    check_stains(["BF", DNA], *given("BF", "DNA"))
    check_stains(["BF", "DNA"], *given("BF", DNA))
    check_stains([DNA], *given("DNA (predicted by another)"))
    with pytest.raises(ModelError, match=r"looks at 'DNA \(predicted\)', but 'H2B' was given"):
        check_stains(["BF", DNA], *given("BF", "H2B"))


def test_images_of_other_numbers_of_channels_are_seen_alike(session: Session) -> None:
    for count, name in ((1, "one"), (3, "three")):
        pixels = np.zeros((count, 30, 30), dtype=np.uint8)
        names = tuple(f"c{i}" for i in range(count))
        image_id = session.add_image(from_array(pixels, "CYX", name, channel_names=names))
        session.set_labels(grid())
        session.add_stains(image_id, prediction_for(session.current), "run")
    see(session, DNA)
    work = session.snapshot()
    assert [one.stack.channel_names[0] for one in work.images] == [DNA, DNA]
    assert work.channels == (0,)


def test_features_measured_before_a_stain_came_are_found_again(ready: Session) -> None:
    def key(channels: tuple[int, ...]) -> str:
        return table_key(ready.look().images[0], channels, Recipe(), MEASURE, False)

    before = key((0, 1))
    ready.add_stains(ready.current_id, prediction_for(ready.current), "run")
    assert key((0, 1)) == before
    first = key((0, 2))
    ready.add_stains(ready.current_id, prediction_for(ready.current, seed=5), "run")
    assert len({before, first, key((0, 2))}) == 3


def test_exports_say_which_cells_were_found_in_one_and_which_models_look_at_one(two: Session, tmp_path: Path) -> None:
    two.set_labels(grid(), 2, found_in=DNA)
    assert (two.found_in(1), two.found_in(2)) == ("", DNA)
    folder = two.project.runs / "r"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps({"channel_names": ["tubulin", DNA]}))
    work = two.snapshot()
    two.set_current(1)
    two.set_predictions({1: predicted(two)}, work.version)
    source = two.export_source()
    tables = [image_frame(one, source, False) for one in source.images]
    assert [set(table["found_in"]) for table in tables] == [{""}, {DNA}]
    assert [set(table["model_sees"]) for table in tables] == [{DNA}, {""}]
    told = [next(features_of(one, source, False))["properties"]["metadata"] for one in source.images]
    assert (told[0].get("model sees"), told[0].get("found in")) == (DNA, None)
    assert (told[1].get("model sees"), told[1].get("found in")) == (None, DNA)


def test_a_training_notes_that_its_cells_were_found_in_a_stain(two: Session) -> None:
    recipe = Recipe().but(crop_size=8)
    assert TrainingSet.from_snapshot(two.snapshot(), recipe).found_in == ()
    two.set_labels(grid(), 2, found_in=DNA)
    data = TrainingSet.from_snapshot(two.snapshot(), recipe)
    assert data.found_in == (DNA,)
    assert data.take(np.arange(len(data))).found_in == (DNA,)


def test_undo_brings_back_what_cells_were_found_in(two: Session, tmp_path: Path) -> None:
    two.set_labels(grid(), 1, found_in=DNA)
    two.set_labels(grid(), 1)
    assert two.found_in(1) == ""
    two.undo()
    assert two.found_in(1) == DNA
    folder = two.project.folder
    two.close()
    again = Session(tmp_path)
    again.open_project(folder)
    assert again.found_in(1) == DNA
    again.close()


def test_an_act_that_failed_leaves_no_word_of_what_cells_were_found_in(
    two: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise ProjectError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", full)
        with pytest.raises(ProjectError, match="no space"):
            two.set_labels(grid(), 1, found_in=DNA)
    two.set_labels(grid(), 1)
    assert two.found_in(1) == ""


def test_tables_say_what_cells_were_found_in(two: Session, tmp_path: Path) -> None:
    two.set_labels(grid(), 2, found_in=DNA)
    assert [set(two.table(image_id)["found_in"]) for image_id in (1, 2)] == [{""}, {DNA}]
    work = two.snapshot()
    answers = {image.image_id: predicted(two, len(image.cells)) for image in work.images}
    save_predictions(tmp_path, work, answers)
    written = pd.read_csv(tmp_path / "predictions.csv", keep_default_na=False)
    assert written.groupby("image")["found_in"].unique().map(list).to_dict() == {"field": [""], "second": [DNA]}


def test_a_missing_file_that_lacks_the_stain_keeps_nobody_from_training(session: Session, tmp_path: Path) -> None:
    session.use_template("cell cycle")
    for name in ("there", "gone"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.full(grid().shape[2:], len(name), dtype=np.uint8))
        session.add_image(open_image(tmp_path / f"{name}.tif"))
        session.set_labels(grid())
    session.set_current(1)
    session.add_stains(1, prediction_for(session.current), "run")
    see(session, DNA)
    folder = session.project.folder
    session.close()
    (tmp_path / "gone.tif").unlink()
    session.open_project(folder)
    assert [image.image_id for image in session.snapshot().images] == [1]


def test_a_stain_that_is_predicted_again_keeps_its_place_before_the_network(ready: Session) -> None:
    image_id = ready.current_id
    ready.add_stains(image_id, prediction_for(ready.current, ("DNA", "MAP2")), "run")
    see(ready, "H2B", DNA, "MAP2 (predicted)")
    ready.remove_stain(image_id, DNA)
    ready.add_stains(image_id, prediction_for(ready.current), "run")
    assert ready.channel_names[-1] == DNA
    ready.network_channels = ready.network_channels  # as when a box is ticked
    work = ready.snapshot()
    names = work.images[0].stack.channel_names
    assert [names[c] for c in work.channels] == ["H2B", DNA, "MAP2 (predicted)"]


def test_a_stain_is_told_from_a_channel_of_the_file_that_is_called_so(session: Session) -> None:
    pixels = np.zeros((3, 30, 30), dtype=np.uint8)
    taken = ("BF", DNA, "DNA (predicted by run)")
    image_id = session.add_image(from_array(pixels, "CYX", "predicted before", channel_names=taken))
    session.set_labels(grid())
    (name,) = session.add_stains(image_id, prediction_for(session.current), "run")
    assert session.add_stains(image_id, prediction_for(session.current), "run") == (name,)
    see(session, name)
    work = session.snapshot()
    told = work.images[0].stack.stain(work.channels[0])
    assert told is not None
    assert told.name == name


def test_crops_that_are_written_say_which_channel_is_predicted(two: Session, tmp_path: Path) -> None:
    source = two.export_source()
    result: Any = finished(export_crops(source, tmp_path / "crops", 8, lambda: False))
    assert any("is no measured stain" in note for note in result.notes)
    with tifffile.TiffFile(next((tmp_path / "crops").rglob("*.tif"))) as file:
        told = file.shaped_metadata[0]
    assert DNA in told["channels"]
    assert "no measured stain" in told["predicted"][0]


def test_snapshots_of_scripts_are_seen_alike(two: Session) -> None:
    work = two.snapshot()
    fixed = replace(work, images=tuple(work.images))
    seen = seeing(fixed, Seen((1, DNA)))
    assert [one.stack.channel_names[:2] for one in seen.images] == [("H2B", DNA)] * 2
    assert Seen((1, DNA)).lacking(("BF",), 1) == "1"
