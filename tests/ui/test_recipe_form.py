"""The two forms of a recipe: what does not count is hidden and keeps its value."""

from __future__ import annotations

from dataclasses import fields

import pytest
from qtpy.QtWidgets import QLabel

from napari_cellstage.learn.recipe import Recipe, recipe_names
from napari_cellstage.ui.recipe_form import NOT_SHOWN, RecipeForm
from napari_cellstage.ui.recipe_groups import GROUPS


@pytest.fixture
def form(qtbot):
    made = RecipeForm(Recipe.load("finetune"))
    for part in (made.seen, made.learning, made.more):
        qtbot.addWidget(part)
    return made


def shown(form: RecipeForm) -> set[str]:
    return {name for name, widget in form.widgets.items() if not widget.native.isHidden()}


def heads(form: RecipeForm) -> list[str]:
    titles = [one for one in form.more.findChildren(QLabel) if one.text() in GROUPS and not one.isHidden()]
    return [one.text() for one in sorted(titles, key=lambda one: form.more.layout().getWidgetPosition(one)[0])]


def place(form: RecipeForm, name: str) -> int:
    return form.more.layout().getWidgetPosition(form.widgets[name].native)[0]


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
    form.value = Recipe(kind="quick", classifier="trees")
    assert {"classifier", "trees", "tree_rate"} <= shown(form)
    form.widgets["classifier"].value = "linear"
    assert not {"trees", "tree_rate"} & shown(form)


def test_of_a_recipe_without_a_network_no_choice_of_one_is_shown(form):
    form.value = Recipe.load("features-xgboost")
    assert not {"network", "epochs", "learning_rate", "rotate", "weight_decay", "patience"} & shown(form)
    assert {"weights", "class_weights", "folds", "seed", "crop_size"} <= shown(form)
    form.widgets["weights"].value = "imagenet"
    assert "network" in shown(form)


def test_an_ensemble_shows_only_what_its_members_take_over(form):
    form.value = Recipe.load("ensemble")
    assert {"members", "crop_size", "holdout", "seed"} <= shown(form)
    assert not {"network", "epochs", "weights", "classifier", "flip"} & shown(form)


def test_the_choices_that_come_first_are_few_and_the_others_are_in_groups(form):
    first = {"network", "epochs", "batch_size", "learning_rate"}
    assert shown(form) & set(form.learning.widgets) == first
    assert heads(form) == list(GROUPS)
    form.value = Recipe.load("ensemble")
    assert heads(form) == ["Score", "Machine"]
    form.value = Recipe.load("finetune")
    assert heads(form) == list(GROUPS)
    rows = [place(form, name) for group in GROUPS.values() for name in group if name in shown(form)]
    assert rows == sorted(rows)


@pytest.mark.parametrize("name", recipe_names())
def test_the_forms_fit_into_the_dock(form, name):
    form.value = Recipe.load(name)
    for part in (form.seen, form.learning, form.more):
        assert part.minimumSizeHint().width() <= 290


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
