"""What is learned from what: channels, images, recipe, and what is missing still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import tifffile
from qtpy.QtCore import Qt

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.session import Session
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.ui.stain.channel_choice import ChannelChoice
from napari_cellstage.ui.stain.recipe_choice import FLAT, PLANES, VOLUME
from napari_cellstage.ui.stain.recipe_groups import FIRST, GROUPS, NOT_SHOWN
from napari_cellstage.ui.stain.source_box import FOLDER, LAYERS, SourceBox
from napari_cellstage.ui.stain.sources import FolderFacts, FolderSource, LayerSource, ProjectSource, called, look_into
from napari_cellstage.ui.stain.stain_form import StainForm
from napari_cellstage.ui.workers import JobRunner
from tests.ui.stain.scene import image, prediction

Layers = dict[str, Callable[[], ImageStack]]


@pytest.fixture
def layers() -> Layers:
    """Image layers that are open."""
    return {}


@pytest.fixture
def box(qtbot: Any, session: Session, runner: JobRunner, layers: Layers) -> SourceBox:
    """The choices, for that session."""
    made = SourceBox(session, runner, lambda: layers, StainForm(StainRecipe.load(FLAT)))
    qtbot.addWidget(made)
    made.show()
    return made


def test_transmitted_light_is_told_by_its_name_and_the_rest_is_to_be_predicted(box: SourceBox) -> None:
    assert box.channels.input_names == ("phase",)
    assert box.channels.stain_names == ("DNA",)
    assert box.missing == ""


def test_images_that_lack_a_channel_are_listed_with_the_reason_and_not_learned_from(box: SourceBox) -> None:
    assert box.images.image_ids == (1, 2)
    plain = box.images.ticks.item(2)
    assert plain.flags() == Qt.ItemFlag.NoItemFlags
    assert "no channel 'DNA'" in plain.toolTip()
    assert "2 of 3" in box.images.folded.head.text()


def test_an_image_taken_out_stays_out_when_another_is_opened(box: SourceBox, session: Session) -> None:
    box.images.ticks.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert box.images.image_ids == (2,)
    session.add_image(image("stained 3"))
    box.refresh()
    assert box.images.image_ids == (2, 4)


def test_a_channel_is_never_looked_at_and_predicted_at_once(box: SourceBox) -> None:
    box.channels.stains.item(0).setCheckState(Qt.CheckState.Checked)
    assert box.channels.stain_names == ("phase", "DNA")
    assert box.channels.input_names == ()
    assert "Tick the transmitted light" in box.missing
    box.channels.inputs.item(0).setCheckState(Qt.CheckState.Checked)
    assert box.channels.stain_names == ("DNA",)


def test_what_was_chosen_stays_when_channels_come(qtbot: Any) -> None:
    choice = ChannelChoice()
    qtbot.addWidget(choice)
    choice.put({"a": 1, "b": 1}, 1)
    assert choice.input_names == choice.stain_names == ()  # no name says anything
    choice.choose(["a"], ["b"])
    choice.put({"a": 2, "b": 1, "c": 1}, 2)
    assert (choice.input_names, choice.stain_names) == (("a",), ("b",))
    assert choice.stains.item(1).text() == "b  (1 of 2)"


def test_predicted_stains_are_not_learned_from(box: SourceBox, session: Session) -> None:
    session.add_stains(3, prediction(image("plain", ("phase",))), "run 1")
    box.refresh()
    assert "DNA (predicted)" not in box.channels.inputs.keys
    assert box.images.image_ids == (1, 2)


def test_what_is_missing_is_said(box: SourceBox) -> None:
    box.channels.choose(["phase"], [])
    assert "Tick the stains" in box.missing
    box.channels.choose(["phase"], ["DNA"])
    box.images.ticks.tick([])
    assert "No image" in box.missing
    with pytest.raises(TrainingError, match="No image"):
        box.source()


def test_images_of_the_project_are_frozen_for_the_worker(box: SourceBox) -> None:
    source = box.source()
    assert isinstance(source, ProjectSource)
    data = source.pairs(lambda: False)
    assert [pair.name for pair in data.pairs] == ["stained 1", "stained 2"]
    assert (data.input_names, data.stain_names) == (("phase",), ("DNA",))
    assert box.pixels == 2 * 32 * 32


def test_layers_are_paired_by_their_own_names(box: SourceBox, layers: Layers) -> None:
    layers["light"] = lambda: image("light", ("channel 0",), planes=3)
    layers["DNA"] = lambda: image("DNA", ("channel 0",))
    box.use(LAYERS)
    box.channels.choose(["light"], ["DNA"])
    source = box.source()
    assert isinstance(source, LayerSource)
    data = source.pairs(lambda: False)
    assert (data.input_names, data.stain_names) == (("light",), ("DNA",))
    assert data.pairs[0].shape == (3, 32, 32)
    assert data.pairs[0].depth_out == 1


def test_a_layer_with_channels_of_its_own_is_refused(box: SourceBox, layers: Layers) -> None:
    layers["both"] = lambda: image("both")
    layers["DNA"] = lambda: image("DNA", ("channel 0",))
    box.use(LAYERS)
    box.channels.choose(["both"], ["DNA"])
    with pytest.raises(TrainingError, match="'both' has 2 channels"):
        box.source().pairs(lambda: False)


def test_a_folder_is_looked_into_and_its_channels_listed(box: SourceBox, qtbot: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        stack = image(name, ("Phase", "DAPI"))
        described = {"axes": "CYX", "Channel": {"Name": ["Phase", "DAPI"]}}
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", stack.pixels[0, :, 0], metadata=described)
    box.use(FOLDER)
    assert box.missing == "Choose the folder with the images."
    with qtbot.waitSignal(box.folders.changed, timeout=20_000):
        box.folders.look(tmp_path)
    assert box.channels.input_names == ("Phase",)
    source = box.source()
    assert isinstance(source, FolderSource)
    assert len(source.pairs(lambda: False)) == 2


def test_flat_images_are_2d_and_stacks_are_looked_at_whole(box: SourceBox, session: Session) -> None:
    assert box.recipe.recipe.currentData() == FLAT
    assert not box.recipe.output.isVisible()
    session.add_image(image("deep", planes=4))
    box.refresh()
    assert box.recipe.recipe.currentData() == PLANES
    assert box.recipe.output.isVisible()
    assert box.wanted.output == "auto"
    box.recipe.output.setCurrentIndex(box.recipe.output.findData("plane"))
    box.recipe.output.activated.emit(3)
    box.recipe.plane.setValue(2)
    assert (box.wanted.output, box.wanted.plane) == ("plane", 2)
    assert box.recipe.plane.maximum() == 3


def test_a_recipe_that_was_chosen_stays(box: SourceBox, session: Session) -> None:
    session.add_image(image("deep", planes=4))
    box.refresh()
    place = box.recipe.recipe.findData(VOLUME)
    box.recipe.recipe.setCurrentIndex(place)
    box.recipe.recipe.activated.emit(place)
    box.refresh()
    assert box.recipe.recipe.currentData() == VOLUME
    assert "volume" in box.recipe.recipe.toolTip()


def test_a_recipe_file_fills_the_form(box: SourceBox, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\nepochs = 7\n')
    box.recipe.choose(str(file))
    assert box.recipe._form.value.epochs == 7
    assert box.recipe.recipe.currentText() == "mine"


def test_every_choice_of_a_recipe_has_one_place() -> None:
    placed = [*FIRST, *(name for group in GROUPS.values() for name in group), *NOT_SHOWN]
    assert sorted(placed) == sorted(one.name for one in fields(StainRecipe))


def test_choices_that_do_not_count_are_hidden_and_keep_their_values(qtbot: Any) -> None:
    form = StainForm(StainRecipe.load(FLAT))
    for one in (form.first, form.more):
        qtbot.addWidget(one)
    assert not form.widgets["planes"].native.isVisibleTo(form.more)
    form.value = StainRecipe.load(PLANES)
    assert form.widgets["planes"].native.isVisibleTo(form.more)
    assert form.value == StainRecipe.load(PLANES)


def test_layers_and_folders_offer_no_predicted_stain(box: SourceBox, layers: Layers, tmp_path: Path) -> None:
    layers.update({name: lambda: image("x", ("channel 0",)) for name in ("phase", "DNA", "actin (predicted)")})
    box.use(LAYERS)
    assert box.channels.stains.keys == ("phase", "DNA")
    described = {"axes": "CYX", "Channel": {"Name": ["phase", "DNA (predicted)"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", image("a").pixels[0, :, 0], metadata=described)
    assert look_into(tmp_path).channels == ("phase",)


def test_any_plane_of_a_layer_can_be_chosen(box: SourceBox, layers: Layers) -> None:
    layers["light"] = lambda: image("light", ("channel 0",), planes=20)
    box.use(LAYERS)
    box.recipe.plane.setValue(17)
    assert box.recipe.plane.value() == 17


def test_a_channel_of_the_same_name_in_two_folders_is_in_one_list_when_one_folder_goes(qtbot: Any) -> None:
    choice = ChannelChoice()
    qtbot.addWidget(choice)
    choice.put({"channel 0": 1}, 1, {"channel 0": 1})
    assert choice.input_names == choice.stain_names == ("channel 0",)
    choice.put({"channel 0": 1}, 1)
    assert choice.stain_names == ()


def test_two_folders_of_files_without_channel_names_are_ready_to_learn_from(
    box: SourceBox, qtbot: Any, tmp_path: Path
) -> None:
    for name in ("phase", "DNA"):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", image(name).pixels[0, 0, 0])
    box.use(FOLDER)
    for name in ("phase", "DNA"):
        with qtbot.waitSignal(box.folders.changed, timeout=20_000):
            box.folders.look(tmp_path / name, for_stains=name == "DNA")
    assert box.missing == ""
    pairs = box.source().pairs(lambda: False)
    assert (pairs.input_names, pairs.stain_names) == (("phase",), ("DNA",))  # any file has a "channel 0"


def test_folders_of_one_name_keep_the_names_of_channels(tmp_path: Path) -> None:
    one, other = (FolderFacts(tmp_path / name / "images", ("channel 0",), 1) for name in ("light", "stain"))
    assert called(one, other) == (("channel 0",), ("channel 0",))


def test_what_is_guessed_is_in_one_image_together(box: SourceBox, session: Session, qtbot: Any) -> None:
    session.add_image(image("photograph", ("red", "green", "blue")))
    again = SourceBox(session, JobRunner(), dict, StainForm(StainRecipe.load(FLAT)))
    qtbot.addWidget(again)
    assert again.channels.stain_names == ("DNA",)
    assert again.images.image_ids == (1, 2)


def test_stains_in_another_folder_are_chosen_after_the_images(box: SourceBox, qtbot: Any, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", image("a").pixels[0, 0, 0])
    assert not box.folders.other.isEnabled()
    with qtbot.waitSignal(box.folders.changed, timeout=20_000):
        box.folders.look(tmp_path)
    assert box.folders.other.isEnabled()


def test_a_recipe_for_stacks_does_not_make_flat_the_users_choice(box: SourceBox) -> None:
    box.recipe.show_planes(4)
    place = box.recipe.recipe.findData(VOLUME)
    box.recipe.recipe.setCurrentIndex(place)
    box.recipe.recipe.activated.emit(place)
    box.recipe.show_planes(1)
    assert box.recipe.recipe.currentData() == FLAT
    box.recipe.show_planes(4)
    assert box.recipe.recipe.currentData() == PLANES
