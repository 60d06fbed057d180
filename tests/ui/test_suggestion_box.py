"""A list that also takes what is not in it."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_cellstage.learn.networks import network_names
from napari_cellstage.learn.recipe import NETWORKS, Recipe
from napari_cellstage.ui.settings_form import SettingsForm
from napari_cellstage.ui.suggestion_box import CHOOSE, SuggestionBox


@pytest.fixture
def box(qtbot):
    made = SuggestionBox("imagenet", ("imagenet", "none"), "tip", "Weights (*.pth)")
    qtbot.addWidget(made.native)
    made.told = []
    made.changed.connect(made.told.append)
    return made


def items(box):
    return [box.native.itemText(i) for i in range(box.native.count())]


def choose(box, place):
    box.native.setCurrentIndex(place)
    box.native.activated.emit(place)


def test_what_is_in_the_list_is_chosen_and_told(box):
    assert items(box) == ["imagenet", "none", CHOOSE]
    choose(box, 1)
    assert (box.value, box.told) == ("none", ["none"])


def test_a_file_joins_the_list_by_its_name_and_is_told_by_its_path(box, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/far/away/mine.pth", ""))
    choose(box, 2)
    assert (box.value, box.told) == ("/far/away/mine.pth", ["/far/away/mine.pth"])
    assert items(box) == ["imagenet", "none", "mine.pth", CHOOSE]
    assert box.native.currentText() == "mine.pth"
    choose(box, 0)
    choose(box, 2)
    assert box.value == "/far/away/mine.pth"


def test_choosing_no_file_changes_nothing(box, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    choose(box, 2)
    assert (box.value, box.told, box.native.currentText()) == ("imagenet", [], "imagenet")


def test_a_recipe_with_a_network_that_is_not_suggested_keeps_it(qtbot):
    form = SettingsForm(Recipe(network="resnet101", weights="my.pth"), ("network", "weights"))
    qtbot.addWidget(form)
    assert (form.value.network, form.value.weights) == ("resnet101", "my.pth")


def test_every_suggested_network_can_be_trained():
    assert set(NETWORKS) <= set(network_names())
