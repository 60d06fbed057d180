"""How long members of an ensemble should take; the time of other recipes is tested with the dock that tells it."""

from __future__ import annotations

import pytest

from napari_cellstage.learn.expected import Speed, Work, expected_seconds, may_end_early, picture_cost
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


def test_a_finder_and_slow_networks_take_longer():
    network = Recipe.load("finetune").but(epochs=2)
    assert seconds(network.but(find_rate=True)) > seconds(network) + 50
    assert seconds(network.but(network="deepflow"), MANY) > 2 * seconds(network, MANY)
    assert seconds(network.but(network="cellnet"), MANY) < seconds(network, MANY) / 4
    assert picture_cost(network.but(network="densenet121")) == 1
    assert picture_cost(network.but(input_size=128)) == 4


def test_the_network_of_the_microtubule_study_takes_as_long_as_eleven_of_its_kind():
    study = Recipe.load("microtubule-cnn")
    plain = study.but(stop_by="validation")
    trained = seconds(study, MANY) / seconds(plain, MANY)
    assert trained == pytest.approx(1 + study.stop_folds, rel=0.05)


def test_only_a_recipe_with_patience_may_end_early():
    assert may_end_early((Recipe.load("quick"), Recipe.load("microtubule-cnn")))
    assert may_end_early((Recipe.load("finetune").but(patience=3),))
    assert not may_end_early((Recipe.load("finetune").but(patience=3, validation=0.0),))
    assert not may_end_early((Recipe.load("deepflow"), Recipe.load("features-xgboost")))
