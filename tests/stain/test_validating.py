"""What is looked at after each epoch: r over known pixels, the interval's factor, and the live picture."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.patches import Cutter, size_of
from napari_cellstage.stain.plan import plan_of
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.scaling import Scaling
from napari_cellstage.stain.splits import Region, whole
from napari_cellstage.stain.validating import Watch, calibration, pearson


def watch_of(data, regions=None, dimensions="2d", patch=16, **but) -> Watch:
    recipe = StainRecipe(dimensions=dimensions, levels=2, patch=patch, **but)
    regions = whole(data) if regions is None else regions
    plan = plan_of(recipe, 1, data.output, data.pairs[0].shape[0], None)
    cutter = Cutter(plan, size_of(whole(data), recipe, plan), recipe)
    return Watch.of(data, regions, cutter, Scaling.of(data, whole(data)), data.stain_names, 4)


def truth_itself(inputs, targets):
    """Answer with the truth."""
    return torch.stack([targets, targets - 0.1, targets + 0.1], dim=2), 0.25


def test_the_truth_has_r_1(make_pairs):
    looked = watch_of(make_pairs(3, stains=2)).look(truth_itself)
    assert looked.pearson == pytest.approx({"DNA": 1.0, "actin": 1.0})
    assert looked.loss == pytest.approx(0.25)
    assert np.abs(looked.picture.error).max() < 1e-2


def test_r_is_a_mean_over_images(make_pairs):
    data = make_pairs(2)
    watch = watch_of(data)

    def right_in_the_first_only(inputs, targets):
        said, loss = truth_itself(inputs, targets)
        rows = [number for number in range(len(inputs)) if not any(torch.equal(inputs[number], one) for one in first)]
        said[rows] *= -1
        return said, loss

    first = watch.inputs[watch.pairs == 0]
    assert watch.look(right_in_the_first_only).pearson["DNA"] == pytest.approx(0.0, abs=1e-6)


def test_small_images_are_side_by_side(make_pairs):
    picture = watch_of(make_pairs(5, side=16)).look(truth_itself).picture
    assert picture.input.shape == (32, 32)
    assert picture.truth.shape == (1, 32, 32)


def test_of_a_large_image_a_place_with_much_to_see(make_pairs):
    data = make_pairs(1, side=(64, 400))
    region = Region(0, 0, 100, 64, 400)
    picture = watch_of(data, [region]).look(truth_itself).picture
    assert picture.input.shape == (64, 256)
    whole_truth = data.pairs[0].read_target()[0, 0]
    columns = [
        left for left in range(100, 145) if np.allclose(whole_truth[:, left : left + 256], picture.truth[0], atol=2)
    ]
    assert len(columns) == 1


@pytest.mark.parametrize("dimensions", ["2d", "2.5d", "3d"])
def test_stacks_show_one_plane(make_pairs, dimensions):
    watch = watch_of(make_pairs(2, depth=6), dimensions=dimensions, patch_planes=3)
    looked = watch.look(truth_itself)
    assert looked.picture.truth.shape == (1, *looked.picture.input.shape)
    assert looked.pearson["DNA"] == pytest.approx(1.0)


def test_many_places_are_bounded(make_pairs):
    assert len(watch_of(make_pairs(1, side=400), patch=8)) == 256


def test_the_interval_is_made_to_hold_80_percent():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, (50, 1, 20, 20)).astype(np.float32)[:, 0]
    said = np.stack([np.zeros_like(truth), -np.ones_like(truth), 0.5 * np.ones_like(truth)], axis=1)
    factor = calibration(said, truth)
    held = (truth >= -factor) & (truth <= 0.5 * factor)
    assert held.mean() == pytest.approx(0.8, abs=0.01)
    assert calibration(said, np.full_like(truth, np.nan)) == 1.0


def test_r_leaves_out_what_is_not_known():
    a = np.array([1.0, 2.0, 3.0, np.nan], np.float32)
    assert pearson(a, np.array([2.0, 4.0, 6.0, -99.0], np.float32)) == pytest.approx(1.0)
    assert np.isnan(pearson(a, np.ones(4, np.float32)))
