from __future__ import annotations

import pytest
import torch

from napari_cellstage.learn.networks import CellNetwork, make_network
from napari_cellstage.learn.optimisers import optimiser_of, set_rate
from napari_cellstage.learn.recipe import Recipe


def small() -> CellNetwork:
    torch.manual_seed(0)
    return make_network(Recipe(network="layers", layers="conv 2 3, dense 4"), 1, 2, 8)


@pytest.mark.parametrize(("name", "kind"), [("adamw", "AdamW"), ("sgd", "SGD"), ("nadam", "NAdam")])
def test_the_recipe_names_it_and_all_parameters_are_in_one_group(name: str, kind: str):
    network = small()
    made = optimiser_of(network, Recipe(optimiser=name, momentum=0.7), False)
    assert type(made).__name__ == kind
    grouped = [id(p) for group in made.param_groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in network.parameters())
    assert all((group["weight_decay"] > 0) == (group["params"][0].ndim > 1) for group in made.param_groups)
    if name == "sgd":
        assert {group["momentum"] for group in made.param_groups} == {0.7}


def test_filters_alone_are_pulled_where_the_recipe_says_so():
    network = small()
    made = optimiser_of(network, Recipe(decays="convolutions", weight_decay=0.3), False)
    pulled = {id(p) for group in made.param_groups if group["weight_decay"] for p in group["params"]}
    assert pulled == {id(m.weight) for m in network.modules() if isinstance(m, torch.nn.Conv2d)}


def test_a_share_of_each_groups_own_peak_is_set():
    made = optimiser_of(small(), Recipe(optimiser="sgd", learning_rate=0.5), pretrained=True)
    set_rate(made, 0.5)
    assert sorted({group["lr"] for group in made.param_groups}) == pytest.approx([0.05, 0.25])


@pytest.mark.parametrize("name", ["sgd", "nadam"])
def test_decay_is_coupled_twice_the_l2_of_keras(name: str):
    """A gradient of 0.02 times the weight is that of 0.01 times the sum of the squared weights."""
    decayed, plain = small(), small()
    a = optimiser_of(decayed, Recipe(optimiser=name, weight_decay=0.02, learning_rate=0.01), False)
    b = optimiser_of(plain, Recipe(optimiser=name, weight_decay=0.0, learning_rate=0.01), False)
    for network in (decayed, plain):
        network(torch.ones(2, 1, 8, 8)).square().sum().backward()
    penalty = 0.01 * sum(p.square().sum() for p in plain.parameters() if p.ndim > 1)
    penalty.backward()
    a.step()
    b.step()
    for one, other in zip(decayed.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
