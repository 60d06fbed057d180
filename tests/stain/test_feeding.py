"""Batches come in order, cut ahead or not; light and camera change each piece by its own amount."""

from __future__ import annotations

import pytest

from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.feeding import fed, relit, turned
from napari_cellstage.stain.recipe import StainRecipe


class Numbers:
    """Cuts nothing: its batches are the places themselves."""

    def cut(self, held, places):
        return torch.tensor(places), torch.tensor(places)


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("dealt", [[[1]], [[1, 2], [3], [4, 5]]])
def test_batches_come_in_order(ahead, dealt):
    assert [inputs.tolist() for inputs, _ in fed(Numbers(), [], dealt, ahead)] == dealt


def test_an_error_beside_is_raised_here():
    class Broken:
        def cut(self, held, places):
            raise ValueError("no such place")

    with pytest.raises(ValueError, match="no such place"):
        next(fed(Broken(), [], [[1]], True))


def test_nothing_is_changed_where_all_is_off():
    x = torch.randn(2, 1, 4, 4)
    assert torch.equal(relit(x, StainRecipe(), torch.Generator().manual_seed(0)), x)


@pytest.mark.parametrize("change", ["brightness", "contrast", "noise"])
def test_each_piece_is_changed_by_its_own_amount(change):
    x = torch.ones(3, 2, 5, 4, 4)
    made = relit(x, StainRecipe(**{change: 0.1}), torch.Generator().manual_seed(0))
    assert len({round(float((one - 1).abs().max()), 6) for one in made}) == 3
    assert (made - x).abs().max() < (1.5 if change == "noise" else 0.21)
    if change != "noise":
        assert torch.equal(made[:, 0], made[:, 1])
    assert torch.equal(made, relit(x, StainRecipe(**{change: 0.1}), torch.Generator().manual_seed(0)))


def seeded():
    return torch.Generator().manual_seed(0)


def test_pieces_and_targets_are_turned_alike_each_by_its_own_angle():
    down, across = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    spot = torch.exp(-8 * ((down - 0.5) ** 2 + across**2)).repeat(3, 2, 1, 1)
    recipe = StainRecipe(rotate=True)
    seen, truth = turned(spot, 5 * spot[:, :1], recipe, seeded())
    assert torch.allclose(truth, 5 * seen[:, :1], atol=1e-6)
    assert torch.equal(seen, turned(spot, spot[:, :1], recipe, seeded())[0])
    places = [divmod(int(one[0].argmax()), 32) for one in seen]
    assert len(set(places)) == 3
    middle = [((row - 15.5) ** 2 + (column - 15.5) ** 2) ** 0.5 for row, column in places]
    assert middle == pytest.approx([middle[0]] * 3, abs=1.5), "turned about the middle"
    assert float(seen.sum()) == pytest.approx(float(spot.sum()), rel=0.05)


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (2, 2, 3, 8, 8), (2, 1, 8, 16)])
def test_turning_keeps_the_shape_and_what_is_even(shape):
    x = torch.full(shape, 0.7)
    for made in turned(x, x, StainRecipe(rotate=True, flip=False), seeded()):
        assert made.shape == shape
        assert torch.allclose(made, x)


def test_an_oblong_piece_is_turned_and_not_sheared():
    x = torch.zeros(1, 1, 16, 64)
    x[..., 8, 28:36] = 1  # a bar that has to keep its length
    recipe = StainRecipe(rotate=True)
    for seed in range(3):
        made, _ = turned(x, x, recipe, torch.Generator().manual_seed(seed))
        rows, columns = torch.nonzero(made[0, 0] > 0.3, as_tuple=True)
        length = ((rows.max() - rows.min()) ** 2 + (columns.max() - columns.min()) ** 2) ** 0.5
        assert 5 <= float(length) <= 10


def test_pixels_that_are_not_known_stay_so_and_spread_by_no_more_than_their_neighbours():
    x = torch.zeros(1, 1, 16, 16)
    x[..., 8, 8] = float("nan")
    _, truth = turned(x, x, StainRecipe(rotate=True), seeded())
    assert 1 <= int(truth.isnan().sum()) <= 9


def test_nothing_is_turned_unless_the_recipe_says_so():
    x = torch.randn(2, 1, 8, 8)
    assert turned(x, x, StainRecipe(), seeded())[0] is x
