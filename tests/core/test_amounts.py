"""Sums of light above background."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.amounts import amounts
from napari_cellstage.core.filters import gaussian
from napari_cellstage.core.foreground import find_foreground


def cell(
    radius: float, total: float, blur: float = 1.5, level: float = 0.2, side: int = 40, seed: int = 0
) -> np.ndarray:
    """A blurred disc whose light sums up to a total, on a noisy background."""
    y, x = np.ogrid[:side, :side]
    disc = ((y - side / 2) ** 2 + (x - side / 2) ** 2 <= radius**2).astype(np.float32)
    disc = gaussian(disc[None], blur)[0]
    noise = np.random.default_rng(seed).normal(0, 0.002, (side, side))
    return (level + total * disc / disc.sum() + noise).astype(np.float32)


def measured(*crops: np.ndarray) -> dict[str, np.ndarray]:
    planes = np.stack(crops)
    return amounts(planes, find_foreground(planes))


@given(st.floats(5, 10), st.floats(0.5, 2.5), st.floats(0, 0.5), st.integers(0, 50))
def test_the_amount_does_not_depend_on_size_blur_or_background(
    radius: float, blur: float, level: float, seed: int
) -> None:
    found = measured(cell(7, 60), cell(radius, 60, blur, level, seed=seed), cell(radius, 120, blur, level, seed=seed))
    one, other, twice = np.expm1(found["amount"])
    assert other == pytest.approx(one, rel=0.06)
    assert twice == pytest.approx(2 * other, rel=0.06)


def test_what_is_darker_counts_where_it_is_asked_for() -> None:
    bright, dark = cell(7, 60), cell(7, -60)
    found = measured(bright, dark)
    np.testing.assert_allclose(found["amount either way"][0], found["amount either way"][1], rtol=0.02)
    assert found["amount"][1] == 0
    np.testing.assert_allclose(found["background level"], 0.2, atol=0.01)


@pytest.mark.parametrize("shape", [(2, 8, 8), (1, 5, 9), (3, 3, 3)])
def test_small_and_blank_crops_give_numbers(shape: tuple[int, int, int]) -> None:
    found = amounts(np.zeros(shape, np.float32), find_foreground(np.zeros(shape, np.float32)))
    for values in found.values():
        assert values.shape == shape[:1]
        assert np.isfinite(values).all()
