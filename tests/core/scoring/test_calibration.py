"""Confidence that means what it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from napari_cellstage.core.scoring.calibration import (
    FEWEST_TO_BE_SURER,
    calibrated,
    cautious_temperature,
    cross_fitted,
    expected_calibration_error,
    fit_temperature,
    log_of,
    reliability,
)


def overconfident(cells: int = 4000, times: float = 3.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return probabilities that are too sure by a known temperature, the truth, and groups."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 1.5, (cells, 4))
    honest = softmax(scores, axis=1)
    truth = np.array([rng.choice(4, p=p) for p in honest])
    return (
        softmax(scores * times, axis=1).astype(np.float32),
        truth,
        np.char.add("m", (np.arange(cells) // 100).astype(str)),
    )


def test_the_temperature_that_was_put_in_is_found():
    raw, truth, _ = overconfident()
    assert fit_temperature(log_of(raw), truth) == pytest.approx(3, rel=0.08)
    assert fit_temperature(log_softmax(np.log(raw) + 5, axis=1), truth) == pytest.approx(3, rel=0.08)


def test_calibration_lowers_the_error_and_changes_no_prediction():
    raw, truth, groups = overconfident()
    after = cross_fitted(raw, truth, groups)
    assert expected_calibration_error(raw, truth) > 0.15
    assert expected_calibration_error(after, truth) < 0.03
    assert np.array_equal(after.argmax(axis=1), raw.argmax(axis=1))
    assert after.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert after.dtype == np.float32


def test_the_labels_of_a_group_have_no_say_in_its_own_confidence():
    raw, truth, groups = overconfident(800)
    mine = groups == "m3"
    other = truth.copy()
    other[mine] = (truth[mine] + 1) % 4
    before, after = cross_fitted(raw, truth, groups), cross_fitted(raw, other, groups)
    assert np.array_equal(before[mine], after[mine])
    assert not np.array_equal(before[~mine], after[~mine])


@pytest.mark.parametrize("cells", [0, 1, 2, 7])
def test_few_cells_of_one_group_are_calibrated_or_left_alone(cells):
    raw, truth, _ = overconfident(7)
    after = cross_fitted(raw[:cells], truth[:cells], np.full(cells, "one"))
    assert after.shape == (cells, 4)
    assert np.isfinite(after).all()
    assert cells > 1 or np.array_equal(after, raw[:cells])


def test_cells_that_are_all_right_make_nothing_surer():
    raw = np.array([[0.6, 0.4], [0.3, 0.7]], dtype=np.float32)
    assert fit_temperature(log_of(raw), np.array([0, 1])) == 1
    assert fit_temperature(np.zeros((0, 2)), np.zeros(0, int)) == 1


def test_few_cells_make_nothing_surer():
    raw, truth, _ = overconfident(cells=200, times=0.3)
    assert cautious_temperature(raw, truth) == fit_temperature(log_of(raw), truth) < 1
    few = slice(0, FEWEST_TO_BE_SURER - 1)
    assert fit_temperature(log_of(raw[few]), truth[few]) < 1
    assert cautious_temperature(raw[few], truth[few]) == 1


def test_probabilities_of_0_stay_finite():
    raw = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert np.isfinite(calibrated(raw, 2.0)).all()
    assert np.isfinite(cross_fitted(raw, np.array([0, 1, 1]), np.array(["a", "b", "c"]))).all()


def test_the_error_by_hand():
    # bins of 1/3: 0.5 and 0.6 are in the second (one of two right), 0.9 and 1.0 in the third (both right)
    sure = np.array([0.5, 0.6, 0.9, 1.0])
    probabilities = np.stack([sure, 1 - sure], axis=1)
    truth = np.array([0, 1, 0, 0])
    assert expected_calibration_error(probabilities, truth, bins=3) == pytest.approx(
        0.5 * abs(0.55 - 0.5) + 0.5 * abs(0.95 - 1)
    )
    curve = reliability(probabilities, truth, bins=3)
    assert curve.count.tolist() == [0, 2, 2]
    assert np.isnan(curve.accuracy[0])
    assert curve.accuracy[1:].tolist() == [0.5, 1.0]
    assert curve.low[1] < 0.5 < curve.high[1]
    assert curve.edges.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_no_cells_have_no_error():
    assert expected_calibration_error(np.zeros((0, 3)), np.zeros(0, int)) == 0
