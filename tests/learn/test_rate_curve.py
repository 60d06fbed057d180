"""What is read from a range test."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.rate_curve import curve_of

RATES = np.geomspace(1e-6, 1, 100)


def losses_of(steepest: float, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Losses that fall from 2 to 1 fastest at a rate, and explode beyond thirty times of it."""
    x = np.log10(RATES) - np.log10(steepest)
    fall = 2 - 1 / (1 + np.exp(-6 * x))
    return fall + np.where(x > 1.5, (x - 1.5) * 5, 0) + np.random.default_rng(seed).normal(0, noise, len(x))


@given(st.floats(1e-4, 1e-2), st.integers(0, 100))
def test_a_tenth_of_the_lowest_is_found_in_noise(steepest: float, seed: int) -> None:
    found = curve_of(RATES, losses_of(steepest, noise=0.03, seed=seed)).suggestion
    assert found is not None
    # The loss falls for good from three times below the steepest place on, and rises thirty times above it.
    assert steepest / 10 < found < steepest * 5


def test_it_is_a_tenth_of_the_lowest() -> None:
    losses = np.abs(np.log10(RATES) + 2) + 1
    assert curve_of(RATES, losses).suggestion == pytest.approx(1e-3, rel=0.1)


def test_nothing_is_suggested_where_the_loss_does_not_fall() -> None:
    for losses in (np.ones(100), np.linspace(1, 3, 100), np.random.default_rng(0).normal(2, 0.01, 100)):
        curve = curve_of(RATES, losses)
        assert curve.suggestion is None
        assert curve.text == "The loss does not fall at any learning rate, so none is suggested."


def test_too_few_steps_are_no_curve() -> None:
    with pytest.raises(TrainingError, match=r"made 9 steps, and 10 are needed\. Start it again"):
        curve_of(RATES[:9], np.ones(9))


def test_it_can_be_written_as_json() -> None:
    curve = curve_of(RATES, losses_of(1e-3))
    values = json.loads(json.dumps(curve.to_dict()))
    assert len(values["rates"]) == len(values["losses"]) == 100
    assert f"{values['suggestion']:.2g}" in curve.text
