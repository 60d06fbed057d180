"""Networks of stains: shapes, bounds that never cross, heads that do not disturb each other."""

from __future__ import annotations

import pytest

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.networks import HIGH, LOW, MEAN, Averaged, StainNetwork
from napari_cellstage.stain.plan import plan_of
from napari_cellstage.stain.recipe import StainRecipe


def network(dimensions="2d", output="stack", depth=5, stains=("DNA", "actin"), **but) -> StainNetwork:
    recipe = StainRecipe(dimensions=dimensions, filters=4, levels=2, **but)
    torch.manual_seed(0)
    return StainNetwork(plan_of(recipe, 2, output, depth, None), stains).eval()


@pytest.mark.parametrize("size", [(8, 8), (9, 13)])
def test_planes_come_out_as_large_as_they_go_in(size):
    assert network()(torch.randn(3, 2, *size)).shape == (3, 2, 3, *size)
    assert network("2.5d", "plane")(torch.randn(1, 10, *size)).shape == (1, 2, 3, *size)


@pytest.mark.parametrize(("output", "planes"), [("stack", 5), ("plane", 1), ("maximum", 1)])
def test_volumes_come_out_as_deep_as_is_asked(output, planes):
    assert network("3d", output)(torch.randn(1, 2, 5, 9, 8)).shape == (1, 2, 3, planes, 9, 8)


def test_bounds_lie_around_the_mean():
    said = network()(20 * torch.randn(4, 2, 16, 16))
    assert (said[:, :, LOW] <= said[:, :, MEAN]).all()
    assert (said[:, :, HIGH] >= said[:, :, MEAN]).all()


def test_the_interval_moves_nothing_but_itself():
    made = network()
    made(torch.randn(2, 2, 8, 8))[:, :, LOW:].square().sum().backward()
    moved = {name for name, p in made.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert moved
    assert all(".interval." in name for name in moved)


def test_a_start_is_near_the_mean():
    made = network()
    made.start_at([0.3, 0.7], [1, 0])
    said = made(torch.randn(2, 2, 16, 16))[:, :, MEAN].mean(dim=(0, 2, 3))
    assert said.tolist() == pytest.approx([0.7, 0.3], abs=0.1)


def test_a_new_stain_leaves_the_others_as_they_are():
    made, x = network(), torch.randn(1, 2, 8, 8)
    more = made.with_stain("tubulin").eval()
    assert more.stain_names == ("DNA", "actin", "tubulin")
    assert torch.equal(more(x)[:, :2], made(x))
    with pytest.raises(TrainingError, match="predicts 'DNA' already"):
        made.with_stain("DNA")


def test_a_multi_scale_input_sees_further():
    x = torch.zeros(1, 2, 64, 64)
    far = x.clone()
    far[..., :12] = 9.0
    for multi_scale, differs in ((False, False), (True, True)):
        made = network(multi_scale=multi_scale)
        changed = (made(far) - made(x))[..., 32:].abs().max() > 0
        assert bool(changed) is differs
    assert network("3d", multi_scale=True)(torch.randn(1, 2, 5, 8, 8)).shape == (1, 2, 3, 5, 8, 8)


def test_networks_that_disagree_are_less_certain():
    one, other, x = network(), network(), torch.randn(1, 2, 8, 8)
    same = Averaged([one, other])(x)
    assert torch.allclose(same, one(x), atol=1e-5)
    other.start_at([1.0, 1.0], [0, 1])
    said = Averaged([one, other])(x)
    assert torch.allclose(said[:, :, MEAN], (one(x) + other(x))[:, :, MEAN] / 2, atol=1e-5)
    assert (said[:, :, HIGH] - said[:, :, LOW] > same[:, :, HIGH] - same[:, :, LOW]).all()
