from __future__ import annotations

import pytest

from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.schedule import one_cycle, rate_at


def test_one_cycle_rises_and_falls():
    rates = [one_cycle(step / 100) for step in range(101)]
    assert rates[0] == pytest.approx(1 / 25)
    assert max(rates) == rates[25] == pytest.approx(1)
    assert rates[100] == pytest.approx(1e-4)
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)
    assert rate_at(Recipe(), 5, 20) == one_cycle(0.25)


def test_steps_are_a_tenth_from_the_first_batch_after():
    recipe = Recipe(schedule="steps", step_epochs=85)
    for batches in (3, 7, 49):
        rates = [rate_at(recipe, epoch - 1 + batch / batches, 100) for epoch in (85, 86) for batch in range(batches)]
        assert rates == [1.0] * batches + [0.1] * batches
        # As the loop counts: what is left of the epoch taken off.
        assert rate_at(recipe, 86 - batches / batches, 100) == 0.1


def test_constant():
    recipe = Recipe(schedule="constant")
    assert {rate_at(recipe, done / 10, 10) for done in range(100)} == {1.0}
