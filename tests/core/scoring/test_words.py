from __future__ import annotations

import math

import numpy as np

from napari_cellstage.core.scoring.scores import Scores, score
from napari_cellstage.core.scoring.words import cells_words, figures_of, interval_words, number


def test_figures_are_written_with_their_intervals() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(300) % 3
    predicted = np.where(rng.random(300) < 0.8, truth, (truth + 1) % 3)
    scores = score(
        truth, predicted, ("a", "b", "c"), kind="ordered", groups=np.array([f"movie {i // 3 % 9}" for i in range(300)])
    )
    found = {one.key: one for one in figures_of(scores)}
    assert list(found) == ["accuracy", "balanced_accuracy", "macro_f1", "matthews", "kappa"]
    assert scores.text.startswith(found["accuracy"].text)
    low, high = scores.intervals["kappa"]
    assert found["kappa"].text == f"{scores.kappa:.2f} ({low:.2f}–{high:.2f})"
    assert "ordered" in found["kappa"].title
    assert "9 movies" in interval_words(scores)


def test_scores_of_an_earlier_version_have_fewer_figures() -> None:
    old = Scores(0.5, 0.1, 0.9, 0.5, 0.5, 2, np.eye(2, dtype=np.int64), ("a", "b"))
    assert [one.key for one in figures_of(old)] == ["accuracy", "balanced_accuracy", "macro_f1"]
    assert "each cell counted by itself" in interval_words(old)


def test_numbers_and_counts() -> None:
    assert (number(0.5), number(0.5, (0.25, 0.75)), number(math.nan)) == ("0.50", "0.50 (0.25–0.75)", "–")
    assert number(0.5, (math.nan, 1.0)) == "0.50"
    assert (cells_words(1), cells_words(0)) == ("1 cell", "0 cells")
