"""Kappas of classes that have an order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.scoring.kappas import kappa_weights
from napari_cellstage.core.scoring.scores import score

NAMES = ("G1", "S", "G2", "prophase", "metaphase", "anaphase")
K = len(NAMES)


def kappa(truth: np.ndarray, predicted: np.ndarray, kind: str) -> float | None:
    return score(truth, predicted, NAMES, kind=kind).kappa  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.integers(1, K - 1))
def test_turning_the_ring_leaves_the_cyclic_kappa_unchanged(seed, turn):
    truth, predicted = np.random.default_rng(seed).integers(0, K, (2, 40))
    before, after = kappa(truth, predicted, "cyclic"), kappa((truth + turn) % K, (predicted + turn) % K, "cyclic")
    assert before == pytest.approx(after)


def test_the_last_stage_is_next_to_the_first_on_the_ring_only():
    truth = np.array([0, 0, 0, 3, 3, 3, 5, 5])
    wraps, across = truth.copy(), truth.copy()
    wraps[0], across[0] = 5, 3
    assert kappa(truth, wraps, "cyclic") > kappa(truth, across, "cyclic")  # type: ignore[operator]
    assert kappa(truth, wraps, "ordered") < kappa(truth, across, "ordered")  # type: ignore[operator]


def test_nominal_classes_have_none_and_one_class_alone_is_undefined():
    assert kappa(np.array([0, 1]), np.array([0, 1]), "nominal") is None
    assert np.isnan(kappa(np.zeros(3, int), np.zeros(3, int), "ordered"))  # type: ignore[arg-type]


def test_weights_are_squared_distances_from_0_to_1():
    assert kappa_weights("quadratic", 3).tolist() == [[0, 0.25, 1], [0.25, 0, 0.25], [1, 0.25, 0]]  # type: ignore[union-attr]
    assert kappa_weights("cyclic", 4)[0].tolist() == [0, 0.25, 1, 0.25]  # type: ignore[union-attr]
    assert kappa_weights("cyclic", 1).tolist() == [[0]]  # type: ignore[union-attr]
