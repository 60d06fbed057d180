"""Merged classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.studies.merging import has_classes, merged

NAMES = ("G1", "S", "G2", "Prophase", "Metaphase")


def unseen(seed: int = 0, n: int = 20) -> Unseen:
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(len(NAMES)), n).astype(np.float32)
    return Unseen(
        names=np.array([f"cell {i}" for i in range(n)]),
        truth=rng.integers(0, len(NAMES), n),
        groups=np.array([f"group {i % 3}" for i in range(n)]),
        fold=np.zeros(n, dtype=np.int64),
        probabilities=chances,
        raw=chances,
        classes=ClassScheme.from_names(NAMES),
    )


@given(st.integers(0, 1000), st.permutations(["g1", "S", "G2"]))
def test_probabilities_are_summed_and_truth_follows(seed: int, names: list[str]) -> None:
    before, after = unseen(seed), merged(unseen(seed), names, "interphase")
    assert after.classes.names == ("interphase", "Prophase", "Metaphase")
    assert after.probabilities.shape == (20, 3)
    np.testing.assert_allclose(after.probabilities[:, 0], before.probabilities[:, :3].sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(after.probabilities[:, 1:], before.probabilities[:, 3:])
    np.testing.assert_array_equal(after.truth == 0, before.truth < 3)
    np.testing.assert_array_equal(after.truth == 2, before.truth == 4)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["G1", "M"], "There is no class 'M' to merge. There are: G1, S, G2, Prophase, Metaphase."),
        (list(NAMES), "leaves one class only"),
    ],
)
def test_what_can_not_be_merged_is_said(names: Any, text: str) -> None:
    with pytest.raises(TrainingError, match=text):
        merged(unseen(), names, "all")


def test_classes_are_found_in_any_case() -> None:
    assert has_classes(unseen(), ("g1", "METAPHASE"))
    assert not has_classes(unseen(), ("G1", "Telophase"))
