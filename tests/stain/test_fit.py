"""A training of a stain: every way to look at a stack, what it tells, how it ends, and that it is repeatable."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_cellstage.core.errors import TrainingError, TrainingStopped
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.fit import fit_stain, split_for
from napari_cellstage.stain.learner import StainLearner
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.recipe import StainRecipe

TINY = StainRecipe(filters=4, levels=2, epochs=1, patches=8, batch_size=4, threads=1, device="cpu")


def trained(data, recipe=TINY, should_stop=lambda: False, start=None) -> tuple[list, StainModel]:
    work, events = fit_stain(data, recipe, should_stop, start), []
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            return events, end.value


def epochs_of(events) -> list[StainEpoch]:
    return [one for one in events if isinstance(one, StainEpoch)]


@pytest.mark.parametrize(
    ("dimensions", "output", "depth_out"),
    [
        ("2d", "stack", 1),
        ("2.5d", "stack", 1),
        ("2.5d", "plane", 1),
        ("2.5d", "maximum", 1),
        ("3d", "stack", 4),
        ("3d", "plane", 1),
        ("3d", "maximum", 1),
    ],
)
def test_every_way_to_look_at_a_stack(make_pairs, dimensions, output, depth_out):
    events, model = trained(make_pairs(4, depth=4, stains=2, output=output), TINY.but(dimensions=dimensions))
    (epoch,) = epochs_of(events)
    assert epoch.picture.predicted.shape == epoch.picture.truth.shape == (2, *epoch.picture.input.shape)
    assert set(epoch.pearson) == {"DNA", "actin"}
    deep = (4,) if dimensions == "3d" else ()
    x = torch.randn(1, model.plan.channels, *deep, 32, 32)
    assert model.network()(x).shape == (1, 2, 3, *((depth_out,) if deep else ()), 32, 32)
    assert (model.planes, model.output) == (4, output)


def test_it_learns(make_pairs):
    recipe = TINY.but(filters=8, epochs=12, patches=32, average=0.9)
    events, _model = trained(make_pairs(6), recipe)
    epochs = epochs_of(events)
    assert epochs[-1].train_loss < epochs[0].train_loss / 2
    assert epochs[-1].pearson["DNA"] > 0.6


def test_what_is_told(make_pairs):
    events, model = trained(make_pairs(4), TINY.but(epochs=2))
    assert "1 of 4 images held out at random (seed 0)" in next(one.text for one in events if isinstance(one, Note))
    batches = [one for one in events if isinstance(one, BatchDone) and one.what.startswith("epoch")]
    assert [one.done for one in batches] == [4, 8, 12, 16]
    assert {one.total for one in batches} == {16}
    assert [(one.epoch, one.epochs, one.chooses) for one in epochs_of(events)] == [(1, 2, False), (2, 2, False)]
    picture = epochs_of(events)[-1].picture
    np.testing.assert_allclose(picture.error, picture.predicted - picture.truth)
    assert 5000 < picture.input.mean() < 40_000  # the image's own units
    assert model.card["split"]["held_out"][0]["image"].startswith("image")


def test_a_validation_part_picks_the_epoch_where_there_are_images_enough(make_pairs):
    events, model = trained(make_pairs(24, side=16), TINY.but(epochs=2))
    assert all(one.chooses for one in epochs_of(events))
    assert len(model.card["split"]["validation"]) == 2
    assert model.card["calibrated_on"] == "validation"
    names = [{one["image"] for one in model.card["split"][part]} for part in ("train", "validation", "held_out")]
    assert len(set.union(*names)) == sum(map(len, names)) == 24


def test_one_image_is_cut(make_pairs):
    data = make_pairs(1, side=(32, 96))
    _events, model = trained(data)
    (train,), (held_out,) = (model.card["split"][part] for part in ("train", "held_out"))
    assert train["pixels"][3] < held_out["pixels"][1]
    assert split_for(data, TINY).validation == ()


def test_nothing_held_out_is_nothing_to_look_at(make_pairs):
    events, model = trained(make_pairs(3), TINY.but(holdout=0.0, validation=0.0))
    (epoch,) = epochs_of(events)
    assert epoch.picture is None
    assert math.isnan(epoch.pearson["DNA"])
    assert model.calibration == {"DNA": 1.0}


def test_the_same_again_is_the_same(make_pairs):
    recipe = TINY.but(noise=0.05, brightness=0.1, contrast=0.1, structure=0.1, content=0.1)
    first, second, other = (trained(make_pairs(4), recipe.but(seed=seed))[1] for seed in (3, 3, 4))
    assert first.arrays.keys() == second.arrays.keys()
    assert all(np.array_equal(first.arrays[name], second.arrays[name], equal_nan=True) for name in first.arrays)
    heads = [one.arrays["network0.heads.0.mean.weight"] for one in (first, other)]
    assert not np.array_equal(*heads)


def test_members_start_differently_and_are_averaged(make_pairs):
    events, model = trained(make_pairs(4), TINY.but(members=2))
    assert [one.epoch for one in epochs_of(events)] == [1, 2]
    one, other = model.networks()
    assert not torch.equal(one.heads[0].mean.weight, other.heads[0].mean.weight)
    x = torch.randn(1, 1, 16, 16)
    mean = (one(x) + other(x))[:, :, 0] / 2
    assert torch.allclose(model.network()(x)[:, :, 0], mean, atol=1e-5)


def test_a_stop_leaves_what_was_learned_so_far(make_pairs):
    steps = []
    recipe = TINY.but(epochs=50, members=3)
    work = fit_stain(make_pairs(4), recipe, lambda: len(steps) >= 3)
    while True:
        try:
            steps += [one for one in [next(work)] if isinstance(one, StainEpoch)]
        except StopIteration as end:
            model = end.value
            break
    assert len(steps) == 3
    assert model.card["stopped"]
    assert (model.members, model.card["epochs_done"]) == (1, [3])
    assert model.network()(torch.randn(1, 1, 8, 8)).isfinite().all()


def test_a_stop_before_anything_is_no_model(make_pairs):
    with pytest.raises(TrainingStopped, match="stopped before"):
        trained(make_pairs(4), TINY, lambda: True)


def test_full_graphics_memory_halves_the_batches(make_pairs, monkeypatch):
    step, sizes = StainLearner.step, []

    def small_card(self, inputs, targets, rate):
        sizes.append(len(inputs))
        if len(inputs) > 2:
            raise torch.OutOfMemoryError("full")
        return step(self, inputs, targets, rate)

    monkeypatch.setattr(StainLearner, "step", small_card)
    events, _model = trained(make_pairs(4))
    assert "batches are halved to 2 pieces" in " ".join(one.text for one in events if isinstance(one, Note))
    assert sizes == [4, 2, 2, 2, 2]


def test_a_card_too_small_for_one_piece(make_pairs, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(StainLearner, "step", full)
    with pytest.raises(TrainingError, match="Not even one piece"):
        trained(make_pairs(4))


def test_a_loss_that_is_no_number_is_said(make_pairs, monkeypatch):
    monkeypatch.setattr(StainLearner, "step", lambda *_: torch.tensor(torch.nan))
    with pytest.raises(TrainingError, match=r"The loss has become nan.*learning_rate"):
        trained(make_pairs(4))


def test_stacks_of_other_depths_make_no_plane_together(make_pairs):
    deep, flat = make_pairs(2, depth=5, output="maximum"), make_pairs(1, depth=3, output="maximum", seed=9)
    mixed = deep.take([0, 1])
    mixed = type(deep)(mixed.pairs + flat.pairs, deep.input_names, deep.stain_names)
    with pytest.raises(TrainingError, match=r"'image 9' has 3 planes, '.*' 5"):
        trained(mixed, TINY.but(dimensions="2.5d"))


def test_pixels_that_are_not_known_are_no_matter(make_pairs):
    events, model = trained(make_pairs(4, shift=(12, -9)))
    assert math.isfinite(epochs_of(events)[0].train_loss)
    assert np.isnan(epochs_of(events)[0].picture.truth).any()
    assert all(np.isfinite(array).all() for name, array in model.arrays.items() if name.startswith("network"))
