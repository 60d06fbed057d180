"""The choice of plan or recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.recipe import Recipe, recipe_names
from napari_cellstage.ui import recipe_box
from napari_cellstage.ui.recipe_box import OPEN, RecipeBox
from napari_cellstage.ui.recipe_form import RecipeForm
from napari_cellstage.ui.training import PLANS

OWN = 'name = "mine"\nabout = "My microscope."\nkind = "finetune"\nepochs = 7\nnetwork = "resnet18"\n'


@pytest.fixture
def box(qtbot):
    form = RecipeForm(Recipe.load("finetune"))
    made = RecipeBox(form)
    for widget in (made, form.seen, form.learning, form.more):
        qtbot.addWidget(widget)
    return made


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(OWN, encoding="utf-8")
    return file


def test_plans_come_first_then_every_recipe_then_a_file(box):
    texts = [box.itemText(place) for place in range(box.count())]
    assert texts[: len(PLANS)] == list(PLANS)
    assert texts[-1] == OPEN
    assert {*recipe_names()} - {"quick", "finetune"} <= {*texts}
    assert box.is_plan
    assert [one.name for one in box.recipes] == ["quick", "finetune"]


def test_a_recipe_file_fills_the_form_and_can_be_changed(box, own, qtbot):
    with qtbot.waitSignal(box.chosen):
        box.open_file(own)
    assert box.currentText() == "mine"
    assert box.about == "My microscope."
    assert box.itemData(box.currentIndex(), Qt.ItemDataRole.ToolTipRole) == f"My microscope.\n{own}"
    assert box.toolTip().startswith("mine: My microscope.")
    assert box.recipes == (Recipe.load(str(own)),)
    box._form.value = box._form.value.but(epochs=9)
    (recipe,) = box.recipes
    assert (recipe.name, recipe.epochs) == ("mine", 9)
    box.open_file(own)  # a second time: it is in the list once
    assert [box.itemText(place) for place in range(box.count())].count("mine") == 1


def test_what_was_changed_under_the_plans_is_there_again(box, own):
    box._form.value = box._form.value.but(epochs=33)
    box.open_file(own)
    box.setCurrentText("network only")
    (recipe,) = box.recipes
    assert (recipe.name, recipe.epochs) == ("finetune", 33)


def test_saving_writes_a_file_that_loads_again(box, tmp_path):
    box.setCurrentText("network only")
    box._form.value = box._form.value.but(epochs=12, network="resnet18")
    box.save_file(tmp_path / "of mine")
    (recipe,) = box.recipes
    assert recipe == Recipe.load(str(tmp_path / "of mine.toml"))
    assert (recipe.name, recipe.kind, recipe.epochs, box.currentText()) == ("of mine", "finetune", 12, "of mine")


def test_a_file_that_can_not_be_written_says_so(box, tmp_path):
    with pytest.raises(TrainingError, match=r"can't be written: .* Choose another place"):
        box.save_file(tmp_path / "nowhere" / "x.toml")


def test_a_file_that_is_no_recipe_changes_nothing(box, tmp_path, monkeypatch):
    (tmp_path / "bad.toml").write_text("colour = 3", encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "bad.toml"), ""))
    with notification_manager:
        box.setCurrentText(OPEN)
    assert "has no choice 'colour'" in notification_manager.records[-1].message
    assert box.currentText() == "quick, then network"


def test_files_are_asked_for(box, own, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_box.QFileDialog, "getOpenFileName", lambda *_: (str(own), ""))
    box.setCurrentText(OPEN)
    assert box.currentText() == "mine"
    monkeypatch.setattr(recipe_box.QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "b.toml"), ""))
    box.ask_where_to_save()
    assert box.currentText() == "b"
    monkeypatch.setattr(recipe_box.QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    box.setCurrentText(OPEN)
    assert box.currentText() == "b"


def test_an_ensemble_shows_its_members_and_keeps_them(box):
    box.setCurrentText("ensemble")
    (recipe,) = box.recipes
    assert recipe == Recipe.load("ensemble")
    assert not box._form.widgets["members"].native.isHidden()
    assert box._form.widgets["classifier"].native.isHidden()
    box._form.value = box._form.value.but(members="quick, quick")
    assert box.recipes[0].members == "quick, quick"


def test_a_published_recipe_that_was_changed_is_saved_as_what_it_is(box, tmp_path):
    box.setCurrentText("features-xgboost")
    box.save_file(tmp_path / "same")
    assert Recipe.load(str(tmp_path / "same.toml")).about == Recipe.load("features-xgboost").about
    box.setCurrentText("features-xgboost")
    box._form.value = box._form.value.but(trees=30)
    box.save_file(tmp_path / "fewer")
    assert Recipe.load(str(tmp_path / "fewer.toml")).about == "features-xgboost, changed."


def test_every_entry_says_what_it_is(box):
    for place in range(box.count()):
        if box.itemText(place) not in ("", OPEN):
            assert box.itemData(place, Qt.ItemDataRole.ToolTipRole)
    assert box.toolTip().startswith("quick, then network: Both")
