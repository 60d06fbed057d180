"""How long members of an ensemble should take; the time of other recipes is tested with the dock that tells it."""

from __future__ import annotations

import pytest

from napari_cellstage.learn.expected import Speed, Work, expected_seconds
from napari_cellstage.learn.recipe import Recipe

WORK, MANY, SPEED = Work(labelled=200, cells=600), Work(labelled=2000, cells=10), Speed()


def seconds(recipe, work=WORK):
    return expected_seconds((recipe,), work, SPEED)


def test_an_ensemble_takes_as_long_as_its_members():
    quick, network = Recipe.load("quick").but(folds=0), Recipe.load("finetune")
    ensemble = Recipe.load("ensemble").but(members="quick, finetune, finetune")
    assert seconds(ensemble) == pytest.approx(seconds(quick) + 2 * seconds(network))


def test_members_that_can_not_be_told_take_no_time():
    assert seconds(Recipe.load("ensemble").but(members="gone.toml")) == 0


def test_many_trees_networks_beside_and_quarter_turns_take_longer():
    quick, network = Recipe.load("quick"), Recipe.load("finetune").but(epochs=10)
    assert seconds(quick.but(classifier="trees", trees=600)) > seconds(quick.but(classifier="linear", trees=600))
    assert seconds(network.but(quarter_turns=True), MANY) > 3 * seconds(network, MANY)
    assert seconds(network.but(stop_by="cross-validation", stop_folds=4), MANY) > 4 * seconds(network, MANY)
