"""The recipes of the published trainings: what they say, and that each trains, is kept, and predicts the same again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_cellstage.learn.attention import attention
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.embedding import Embedder, headless
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.grad_cam import LEAST_PLACES, block_of
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.network_predict import network_of
from napari_cellstage.learn.networks import last_linear, make_network
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.recipe import Recipe

MICROTUBULES = ("microtubule-cnn", "microtubule-cnn-t", "microtubule-cnn-t-s")
ALL = (*MICROTUBULES, "deepflow", "fastai-resnet34")
SIDE = 24
# Two epochs of two networks beside, of 16 cells; no finder, no outside weights.
QUICK = {"epochs": 2, "stop_folds": 2, "find_rate": False, "weights": "none", "batch_size": 8, "threads": 1}


def quick(name: str) -> Recipe:
    recipe = Recipe.load(name).but(**QUICK, device="cpu")
    return recipe.but(input_size=20) if recipe.input_size else recipe


@pytest.mark.parametrize("name", ALL)
def test_it_is_named_and_says_what_it_is(name: str):
    recipe = Recipe.load(name)
    assert recipe.name == name
    assert recipe.about.endswith(".")
    assert recipe.kind == "finetune"
    assert (recipe.label_smoothing, recipe.class_weights, recipe.average, recipe.views) == (0, False, 0, 1)


def test_t_and_s_differ_from_the_plain_one_in_one_choice_each():
    plain, turned, sharp = (Recipe.load(name).to_dict() for name in MICROTUBULES)
    about = {"name", "about"}
    assert {key for key in plain if plain[key] != turned[key]} - about == {"quarter_turns"}
    assert {key for key in plain if turned[key] != sharp[key]} - about == {"sharpen"}


def test_the_microtubule_recipe_is_as_published():
    recipe = Recipe.load("microtubule-cnn")
    assert (recipe.optimiser, recipe.learning_rate, recipe.batch_size, recipe.dropout) == ("nadam", 0.002, 32, 0.5)
    assert (recipe.weight_decay, recipe.decays) == (2 * 0.01, "convolutions")
    assert (recipe.stop_by, recipe.stop_folds, recipe.patience) == ("cross-validation", 10, 2)
    assert (recipe.crop_size, recipe.input_size, recipe.normalise) == (300, 300, "fixed")
    assert (recipe.fixed_low, recipe.fixed_high) == ("0", "255")
    network = make_network(recipe, 1, 3, 300)
    assert sum(p.numel() for p in network.parameters()) == 10_924_339


def test_the_deepflow_recipe_is_as_published():
    recipe = Recipe.load("deepflow")
    assert (recipe.optimiser, recipe.learning_rate, recipe.momentum) == ("sgd", 0.01, 0.9)
    assert (recipe.weight_decay, recipe.batch_size, recipe.step_epochs) == (0.0005, 128, 85)
    assert (recipe.schedule, recipe.standardise, recipe.input_size) == ("steps", "mean image", 64)
    assert recipe.random_crop > 0
    assert recipe.upsample
    assert (recipe.flip, recipe.rotate, recipe.rotate_up_to) == (True, True, 180)
    assert make_network(recipe, 3, 7, 64).mean.shape == (1, 3, 64, 64)


def test_the_fastai_recipe_is_as_published():
    recipe = Recipe.load("fastai-resnet34")
    assert (recipe.weights, recipe.standardise, recipe.schedule) == ("imagenet", "imagenet", "one-cycle")
    assert recipe.find_rate
    assert (recipe.flip, recipe.rotate, recipe.rotate_up_to) == (True, True, 90)
    assert recipe.brightness == recipe.contrast > 0


@pytest.mark.parametrize("name", ALL)
def test_it_trains_is_kept_and_predicts_the_same_again(make_crops, run, tmp_path, name: str):
    recipe = quick(name)
    data = TrainingSet.from_crops(make_crops(count=20, classes=2, side=SIDE), recipe)
    _, model = run(fit(data, recipe))
    assert model.scores.n == model.held_out.sum() > 0
    _, before = run(predict(model, data.crops))
    model.save(tmp_path)
    again = TrainedModel.load(tmp_path)
    _, after = run(predict(again, data.crops))
    assert np.array_equal(before, after)
    assert np.allclose(after.sum(axis=1), 1, atol=1e-5)
    assert again.space is not None, "where cells lie in what it sees"
    last = last_linear(network_of(again).backbone)[1]
    values = Embedder(again, headless(network_of(again)), "").embed(data.crops[:3])
    assert values.shape == (3, last.in_features)
    events, maps = run(attention(again, data.crops[:2]))
    assert events
    assert maps.shape == (2, SIDE, SIDE)
    assert np.isfinite(maps).all()


@pytest.mark.parametrize(("name", "side"), [("microtubule-cnn", 300), ("deepflow", 64), ("fastai-resnet34", 64)])
def test_where_it_looks_has_enough_places(name: str, side: int):
    network = make_network(Recipe.load(name), 1, 2, side).eval()
    seen = []
    block = block_of(network, torch.zeros(1, 1, side, side))
    block.register_forward_hook(lambda _m, _i, out: seen.append(min(out.shape[2:])))
    network(torch.zeros(1, 1, side, side))
    assert seen[0] >= LEAST_PLACES
