"""How wrong a prediction is: pixels, structure, amount, interval; and what is not known never counts."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.learn.torch_start import torch
from napari_cellstage.stain.loss import StainLoss
from napari_cellstage.stain.recipe import StainRecipe


def said_of(mean: torch.Tensor, below: float = 0.1, above: float = 0.1) -> torch.Tensor:
    return torch.stack([mean, mean - below, mean + above], dim=2)


def loss(said, truth, **but) -> tuple[float, float]:
    return tuple(float(one) for one in StainLoss(StainRecipe(**but))(said, truth))


def test_an_error_counts_squared_or_as_it_is():
    truth = torch.zeros(2, 1, 4, 4)
    said = said_of(truth + 0.5)
    assert loss(said, truth, loss="mse")[0] == pytest.approx(0.25)
    assert loss(said, truth, loss="l1")[0] == pytest.approx(0.5)


def test_amounts_count_where_errors_do_not_cancel():
    truth = torch.zeros(1, 1, 4, 4)
    cancels = truth.clone()
    cancels[..., :2], cancels[..., 2:] = 0.5, -0.5
    plain = loss(said_of(cancels), truth)[0]
    assert loss(said_of(cancels), truth, content=1.0)[0] == pytest.approx(plain)
    assert loss(said_of(truth + 0.5), truth, content=1.0)[0] == pytest.approx(0.25 + 0.25)


def test_structure_counts():
    rng = torch.Generator().manual_seed(0)
    truth = torch.rand(1, 1, 16, 16, generator=rng)
    flat = torch.full_like(truth, float(truth.mean()))
    assert loss(said_of(truth), truth, structure=1.0)[0] == pytest.approx(0.0, abs=1e-4)
    assert loss(said_of(flat), truth, structure=1.0)[0] > loss(said_of(flat), truth)[0] + 0.5
    small = truth[..., :4, :4]
    assert loss(said_of(small), small, structure=1.0)[0] == 0.0


@pytest.mark.parametrize("but", [{}, {"loss": "l1"}, {"content": 1.0}, {"structure": 1.0}])
def test_what_is_not_known_moves_nothing(but):
    rng = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 1, 16, 16, generator=rng)
    truth[:, :, :, 8:] = torch.nan
    mean = torch.rand(2, 1, 16, 16, generator=rng).requires_grad_()
    found, interval = StainLoss(StainRecipe(**but))(said_of(mean), truth)
    (found + interval).backward()
    assert np.isfinite(float(found.detach()))
    assert mean.grad[..., 12:].abs().max() == 0
    assert mean.grad[..., :8].abs().max() > 0


def test_nothing_known_is_no_loss():
    nothing = torch.full((1, 1, 8, 8), torch.nan)
    assert loss(said_of(torch.ones(1, 1, 8, 8)), nothing, content=1.0, structure=1.0)[1] == 0.0
    assert np.isfinite(loss(said_of(torch.ones(1, 1, 8, 8)), nothing, content=1.0)[0])


def test_the_interval_is_best_at_the_quantiles():
    rng = torch.Generator().manual_seed(0)
    truth = torch.randn(1, 1, 100, 100, generator=rng)
    widths = {width: loss(said_of(torch.zeros_like(truth), width, width), truth)[1] for width in (0.8, 1.28, 2.0)}
    assert min(widths, key=widths.get) == 1.28
