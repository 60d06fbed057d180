"""Flipped labels found again: 5 % of mitocheck's labels are flipped at random, and how many are the most suspicious.

How suspicion is measured was settled on seeds 100 and 101; reported are others. A flipped label is any of the other
classes, by lot. Flipped labels train too, as they would in a project.

python -m benchmarks.label_errors
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.mitocheck_quick import DATA, FOLDS, finish
from benchmarks.queue import Measured, measured
from benchmarks.table import Row
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.review.suspects import find_errors, suspicion
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.chosen import probabilities
from napari_cellstage.learn.heads import choose_head
from napari_cellstage.learn.recipe import Recipe

SEEDS = (0, 1, 2)
SHARE = 0.05
TARGET = 0.6


def rows() -> list[Row]:
    """Measure; without the real images there is nothing to report."""
    what = f"mitocheck, 5 % of labels flipped: share of them among the 5 % most suspicious, mean of {len(SEEDS)}"
    if not (DATA / "mitocheck").is_dir():
        return [Row(what, f"not measured: no images at {DATA}", f"≥ {TARGET}")]
    cells = measured(DATA / "mitocheck")
    results = [found_again(cells, seed) for seed in SEEDS]
    found = float(np.mean([one[0] for one in results]))
    each = ", ".join(f"{one[0]:.2f}" for one in results)
    lists = "; ".join(f"{size} cells, {share:.2f} of the flips" for _, size, share in results)
    return [
        Row(what, f"{found:.2f} ({each})", f"≥ {TARGET}", found >= TARGET),
        Row("the same: the list of probable errors, each seed", lists, ""),
    ]


def found_again(cells: Measured, seed: int) -> tuple[float, int, float]:
    """Flip labels; return the share found in the top, how long the list of errors is, and which share it has."""
    rng = np.random.default_rng(seed)
    flipped = rng.permutation(len(cells.labels))[: round(SHARE * len(cells.labels))]
    labels = cells.labels.copy()
    labels[flipped] = (labels[flipped] + rng.integers(1, cells.classes, len(flipped))) % cells.classes
    unseen = out_of_fold(cells, labels, seed)
    top = np.argsort(-suspicion(unseen), kind="stable")[: len(flipped)]
    errors = find_errors(unseen)
    return float(np.isin(flipped, top).mean()), len(errors), float(np.isin(flipped, errors).mean())


def out_of_fold(cells: Measured, labels: NDArray[np.int64], seed: int) -> Unseen:
    """Return what quick models say about movies that they had not seen."""
    recipe = Recipe.load("quick").but(holdout=0.0, weights="none", seed=seed)
    fold = kfold(labels, cells.movies, FOLDS, seed)
    chances = np.zeros((len(labels), cells.classes), dtype=np.float32)
    for number in range(FOLDS):
        rest, held = fold != number, fold == number
        work = choose_head(cells.features[rest], labels[rest], cells.movies[rest], cells.classes, recipe, lambda: False)
        chosen = finish(work)
        chances[held] = probabilities(chosen.head.scores(cells.features[held]), chosen.temperature)
    names = np.arange(len(labels)).astype(str)
    classes = ClassScheme.from_names([f"class {k}" for k in range(cells.classes)])
    return Unseen(names, labels, cells.movies, fold, chances, chances, classes, "out of fold")


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} {row.target}", flush=True)
