"""The two forms of a recipe: what does not count is hidden and keeps its value."""

from __future__ import annotations

from dataclasses import fields

import pytest

from napari_cellstage.learn.recipe import Recipe, recipe_names
from napari_cellstage.ui.recipe_form import NOT_SHOWN, RecipeForm


@pytest.fixture
def form(qtbot):
    made = RecipeForm(Recipe.load("finetune"))
    for part in (made.seen, made.learning):
        qtbot.addWidget(part)
    return made


def shown(form: RecipeForm) -> set[str]:
    return {name for name, widget in form.widgets.items() if not widget.native.isHidden()}


def test_every_choice_is_in_one_of_the_forms(form):
    assert set(form.widgets) == {f.name for f in fields(Recipe)} - set(NOT_SHOWN)
    assert not set(form.seen.widgets) & set(form.learning.widgets)


@pytest.mark.parametrize(
    ("other", "off", "on", "name"),
    [
        ("network", "resnet18", "layers", "layers"),
        ("network", "deepflow", "fastai-resnet34", "dropout"),
        ("optimiser", "adamw", "sgd", "momentum"),
        ("schedule", "one-cycle", "steps", "step_epochs"),
        ("stop_by", "validation", "cross-validation", "stop_folds"),
        ("rotate", False, True, "rotate_up_to"),
        ("upsample", True, False, "class_weights"),
        ("normalise", "dataset", "fixed", "fixed_low"),
    ],
)
def test_a_choice_is_shown_only_when_it_counts(form, other, off, on, name):
    form.widgets[other].value = off
    assert name not in shown(form)
    form.widgets[other].value = on
    assert name in shown(form)


def test_what_is_of_another_kind_is_hidden_until_such_a_recipe_is_shown(form):
    assert not {"members", "classifier", "trees"} & shown(form)
    form.value = Recipe(kind="ensemble")
    assert "members" in shown(form)
    assert "trees" not in shown(form)
    form.value = Recipe(kind="quick")
    assert {"classifier", "trees", "tree_rate"} <= shown(form)


def test_what_is_hidden_keeps_its_value(form):
    form.widgets["optimiser"].value = "sgd"
    form.widgets["momentum"].value = 0.5
    form.widgets["optimiser"].value = "adamw"
    assert "momentum" not in shown(form)
    assert form.value.momentum == 0.5


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_goes_in_and_comes_out_again(form, name):
    recipe = Recipe.load(name)
    form.value = recipe
    assert form.value == recipe
