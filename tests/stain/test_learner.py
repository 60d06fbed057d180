"""One step of learning: what moves, what stays, and gradients that are no numbers."""

from __future__ import annotations

import pytest

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.learner import Stopped
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.learn.weight_averaging import EVERY
from napari_cellstage.stain.learner import MOST_LOST, StainLearner
from napari_cellstage.stain.networks import StainNetwork
from napari_cellstage.stain.plan import plan_of
from napari_cellstage.stain.recipe import StainRecipe

BATCH = torch.randn(2, 1, 16, 16), torch.rand(2, 1, 16, 16)


def learner(stains=(0,), pretrained=False, should_stop=lambda: False, **but) -> StainLearner:
    recipe = StainRecipe(filters=4, levels=2, precision="full", **but)
    torch.manual_seed(0)
    network = StainNetwork(plan_of(recipe, 1, "stack", 1, None), ("DNA", "actin"))
    return StainLearner(network, recipe, stains, pretrained, should_stop)


def state(network) -> dict:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def changed(before: dict, network) -> set[str]:
    return {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}


def test_only_heads_of_stains_that_are_there_move():
    one = learner(stains=(1,))
    before = state(one.network)
    one.step(*BATCH, 1.0)
    moved = changed(before, one.network)
    assert not any(name.startswith("heads.0") for name in moved)
    assert any(name.startswith("heads.1") for name in moved)
    assert any(name.startswith("body") for name in moved)


def test_a_frozen_body_stays_with_all_it_has_seen():
    one = learner(pretrained=True, freeze=True)
    before = state(one.network)
    one.step(*BATCH, 1.0)
    assert all(name.startswith("heads.0") for name in changed(before, one.network))


def test_nothing_is_frozen_where_nothing_is_known():
    one = learner(freeze=True)
    before = state(one.network)
    one.step(*BATCH, 1.0)
    assert any(name.startswith("body") for name in changed(before, one.network))


def test_a_gradient_that_is_no_number_is_not_learned_from():
    one = learner(average=0.0)
    weight = one.network.heads[0].mean.weight
    hook = weight.register_hook(lambda grad: grad * torch.nan)
    before = state(one.network)
    one.step(*BATCH, 1.0)
    assert not any("weight" in name for name in changed(before, one.network))
    hook.remove()
    one.step(*BATCH, 1.0)
    assert any("weight" in name for name in changed(before, one.network))


def test_many_such_gradients_in_a_row_are_said():
    one = learner(average=0.0)
    one.network.heads[0].mean.weight.register_hook(lambda grad: grad * torch.nan)
    for _ in range(MOST_LOST):
        one.step(*BATCH, 1.0)
    with pytest.raises(TrainingError, match="lower learning_rate"):
        one.step(*BATCH, 1.0)


def test_the_average_is_the_best_guess_once_there_is_one():
    one = learner(average=0.9)
    assert one.best_guess is one.network
    for _ in range(EVERY):
        one.step(*BATCH, 1.0)
    assert one.best_guess is not one.network


def test_a_stop_is_heard_while_learning_and_never_while_looking():
    one = learner(average=0.0, should_stop=lambda: True)
    before = state(one.network)
    with pytest.raises(Stopped):
        one.step(*BATCH, 1.0)
    assert not any("weight" in name for name in changed(before, one.network))
    said, loss = one.look(*BATCH)
    assert said.shape == (2, 1, 3, 16, 16)
    assert loss > 0
