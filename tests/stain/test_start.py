"""A new stain learned from few images: what a model knows stays, as far as that is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.events import Note
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.fit import fit_stain
from napari_cellstage.stain.learned_from import fresh
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.recipe import StainRecipe

TINY = StainRecipe(filters=4, levels=2, epochs=1, patches=8, batch_size=4, threads=1, device="cpu")


def trained(data, recipe=TINY, start=None) -> StainModel:
    work = fit_stain(data, recipe, start=start)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def other(make_pairs):
    """Return pairs with another stain than `make_pairs` has."""
    return replace(make_pairs(3, seed=20), stain_names=("actin",))


@pytest.fixture(scope="module")
def model(make_pairs) -> StainModel:
    return trained(make_pairs(4))


def test_a_frozen_model_predicts_its_stains_exactly_as_before(model, other):
    more = trained(other, TINY.but(freeze=True, epochs=3), model)
    assert more.stain_names == ("DNA", "actin")
    x = torch.randn(2, 1, 32, 32)
    assert torch.equal(more.network()(x)[:, 0], model.network()(x)[:, 0])
    assert more.scaling.stains[0] == model.scaling.stains[0]
    assert more.calibration["DNA"] == model.calibration["DNA"]
    assert more.card["started_from"]["new"] == ["actin"]


def test_the_new_head_learns(model, other):
    few, many = (trained(other, TINY.but(freeze=True, epochs=epochs), model) for epochs in (1, 4))
    weights = [one.network().heads[1].hidden.weight for one in (few, many)]
    assert not torch.equal(*weights)


def test_otherwise_the_body_goes_on_and_old_heads_stay(model, other):
    more = trained(other, TINY, model).network()
    before = model.network()
    for name, array in before.heads[0].state_dict().items():
        assert torch.equal(array, more.heads[0].state_dict()[name])
    assert not torch.equal(before.body.down[0].conv1.conv.weight, more.body.down[0].conv1.conv.weight)
    x = torch.randn(1, 1, 32, 32)
    assert more(x)[:, 0].isfinite().all()


@pytest.mark.parametrize(("freeze", "said"), [(True, False), (False, True)])
def test_it_is_said_where_known_stains_may_change(model, other, freeze, said):
    work = fit_stain(other, TINY.but(freeze=freeze), start=model)
    notes = [one.text for one in work if isinstance(one, Note)]
    assert any("DNA may be predicted a little differently" in text for text in notes) is said


def test_going_on_with_the_same_stain_learns_more(model, make_pairs):
    more = trained(make_pairs(4), TINY.but(epochs=2), model)
    assert more.stain_names == ("DNA",)
    assert not np.array_equal(more.arrays["network0.heads.0.mean.weight"], model.arrays["network0.heads.0.mean.weight"])
    assert more.scaling == model.scaling


def test_what_was_learned_before_is_not_held_out(model, make_pairs):
    before = {one["image"] for one in model.card["split"]["train"]}
    more = trained(make_pairs(8), TINY.but(holdout=0.5, seed=5), model)
    split = more.card["split"]
    assert {one["image"] for one in split["earlier"]} == before
    held_out = {one["image"] for one in split["held_out"]}
    assert held_out
    assert not held_out & before
    assert before <= {one["image"] for one in split["train"]}
    again = trained(make_pairs(8), TINY.but(holdout=0.5, seed=6), more).card["split"]
    assert not {one["image"] for one in again["held_out"]} & (before | {one["image"] for one in split["train"]})
    left = fresh(more.card["split"], make_pairs(4)).left_out
    assert set(left) >= before


def test_a_new_stain_is_scored_on_images_of_which_only_the_light_is_known(model, make_pairs):
    data = replace(make_pairs(4), stain_names=("actin",))
    split = trained(data, TINY, model).card["split"]
    assert len(split["held_out"]) == 1


def test_what_the_network_is_like_comes_with_the_model(model, other):
    more = trained(other, TINY.but(filters=32, levels=4, members=5, dimensions="3d"), model)
    assert more.plan == model.plan
    assert (more.recipe.filters, more.recipe.dimensions, more.members) == (4, "2d", 1)


def test_a_new_stain_comes_back_from_disk(model, other, tmp_path):
    more = trained(other, TINY.but(freeze=True), model)
    more.save(tmp_path)
    x = torch.randn(1, 1, 16, 16)
    assert torch.equal(StainModel.load(tmp_path).network()(x), more.network()(x))


def test_data_that_do_not_fit_the_model(model, make_pairs):
    two = make_pairs(2)
    both = tuple(replace(pair, input_channels=(0, 1)) for pair in two.pairs)
    with pytest.raises(TrainingError, match=r"looks at 1 input channels \(bright field\), but 2"):
        trained(replace(two, pairs=both, input_names=("bright field", "DNA")), TINY, model)
    with pytest.raises(TrainingError, match=r"predicts of a stack: stack\. Here it would be: maximum"):
        trained(make_pairs(2, depth=3, output="maximum"), TINY, model)


def test_another_number_of_planes_does_not_fit(make_pairs):
    flat = TINY.but(dimensions="2.5d")
    model = trained(make_pairs(3, depth=4, output="plane"), flat)
    with pytest.raises(TrainingError, match="stacks of 4 planes, these have 5"):
        trained(make_pairs(3, depth=5, output="plane"), flat, model)


def test_inputs_in_another_order_than_the_models_are_refused(model, make_pairs):
    two = replace(model, input_names=("phase", "DIC"))
    data = replace(make_pairs(2), input_names=("dic", "Phase"))
    with pytest.raises(TrainingError, match="looks at phase, DIC, in this order, but the inputs are dic, Phase"):
        trained(data, TINY, two)
