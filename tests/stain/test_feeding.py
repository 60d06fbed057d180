"""Batches come in order, cut ahead or not; light and camera change each piece by its own amount."""

from __future__ import annotations

import pytest

from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.feeding import fed, relit
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
