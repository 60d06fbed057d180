from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.scoring.gain import Gain, estimate_gain

COUNTS = np.array([100.0, 200.0, 300.0, 400.0])


def rightness(errors: np.ndarray, cells: int = 400) -> np.ndarray:
    """Return how often cells are predicted right, all alike."""
    return np.repeat(1 - errors[:, None], cells, axis=1)


def test_the_power_law_that_made_the_errors_is_gone_on_with():
    errors = 0.1 + 3 * COUNTS**-0.5

    gain = estimate_gain(COUNTS, rightness(errors), np.arange(400) % 4, np.arange(400) // 20)

    assert gain.gain == pytest.approx(3 * 400**-0.5 - 3 * 500**-0.5, rel=0.25)
    assert gain.now == pytest.approx(1 - errors[-1])
    assert gain.low <= gain.gain <= gain.high
    assert gain.labels == 400


def test_a_steep_fall_is_not_believed_to_go_on():
    counts = np.array([50.0, 100.0, 200.0, 400.0])
    errors = 100 * counts**-1.5
    gain = estimate_gain(counts, rightness(errors), np.arange(400) % 4, np.arange(400) // 20)
    assert 0 < gain.gain < errors[-1] / 2


def test_errors_that_do_not_fall_promise_nothing():
    for errors in (np.full(4, 0.2), np.array([0.1, 0.15, 0.2, 0.25]), np.zeros(4)):
        gain = estimate_gain(COUNTS, rightness(errors), np.zeros(400), np.arange(400))

        assert gain.gain == 0
        assert "will hardly help" in gain.text


def test_groups_that_differ_make_the_interval_wide():
    rng = np.random.default_rng(0)
    errors = 0.1 + 3 * COUNTS**-0.5
    slope = rng.normal(1, 0.8, 400 // 20).repeat(20)
    right = 1 - np.clip(0.1 + (errors[:, None] - 0.1) * slope, 0, 1)

    by_group = estimate_gain(COUNTS, right, np.zeros(400), np.arange(400) // 20)
    by_cell = estimate_gain(COUNTS, right, np.zeros(400), np.zeros(400))

    assert by_group.high - by_group.low > by_cell.high - by_cell.low


def test_what_is_said():
    assert Gain(0.86, 0.8, 0.021, 0.01, 0.034).text == ("About +0.02 (+0.01 to +0.03) from 100 more labels (now 0.86).")
    assert Gain(0.86, 0.8, 0.002, 0.0, 0.01).text == (
        "More labels of the same kind will hardly help (now 0.86); look at the errors."
    )


@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_any_scores_give_a_gain_that_is_possible(seed, cells, groups):
    rng = np.random.default_rng(seed)
    right = rng.random((4, cells))

    gain = estimate_gain(COUNTS, right, rng.integers(0, 3, cells), rng.integers(0, groups, cells))

    assert 0 <= gain.low <= gain.gain <= gain.high <= 1
    assert gain.gain <= 1 - gain.now + 1e-9
