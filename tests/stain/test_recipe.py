"""Recipes of stains load by name and from files, and say what a value may be."""

from __future__ import annotations

from dataclasses import fields

import pytest

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.stain.recipe import StainRecipe, recipe_names


def test_there_is_a_recipe_for_each_way_to_look_at_a_stack():
    made = {name: StainRecipe.load(name) for name in recipe_names()}
    assert {one.dimensions for one in made.values()} == {"2d", "2.5d", "3d"}
    assert all(one.name == name and one.about for name, one in made.items())


def test_every_choice_says_what_it_means():
    for one in fields(StainRecipe):
        assert one.metadata["tip"].endswith("."), one.name
        assert not isinstance(one.default, int | float) or isinstance(one.default, bool) or "max" in one.metadata


def test_a_recipe_comes_back_from_a_file(tmp_path):
    recipe = StainRecipe.load("stain-25d").but(epochs=7, structure=0.5)
    file = tmp_path / "mine.toml"
    file.write_text(recipe.to_toml(), encoding="utf-8")
    assert StainRecipe.load(str(file)) == recipe


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"dimensions": "4d"}, "one of 2d, 2.5d, 3d"),
        ({"epochs": 0}, "epochs is 0, but must be from 1"),
        ({"signal": 1.5}, "signal is 1.5"),
        ({"freeze": 1}, "true or false"),
        ({"planets": 3}, "no choice 'planets'"),
    ],
)
def test_values_that_can_not_be(changes, text):
    with pytest.raises(TrainingError, match=text):
        StainRecipe().but(**changes)


def test_an_unknown_recipe_names_those_there_are():
    with pytest.raises(TrainingError, match=r"no recipe 'quick'.*stain-2d, stain-3d"):
        StainRecipe.load("quick")


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("epochs = ", encoding="utf-8")
    with pytest.raises(TrainingError, match=r"mine\.toml' can't be read"):
        StainRecipe.load(str(file))
