"""`quick` on 2,818 real cells of 16 classes, split by movie: folds, seconds, and the curve from few labels.

python -m benchmarks.mitocheck_quick
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import Row, seconds
from napari_cellstage.core.folders import CropSet, read_class_folders
from napari_cellstage.core.scoring.scores import Scores, score
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.recipe import Recipe

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
MOVIE = r"^(?:.*/)?(.+?___.+?)___"
FOLDS = 5
LABELS_A_CLASS = (5, 10, 20, 50)
DRAWS = 5
RUNS = 5


def rows() -> list[Row]:
    """Measure; without the real images there is nothing to report."""
    if not (DATA / "mitocheck").is_dir():
        return [Row("quick, mitocheck", f"not measured: no images at {DATA}", "accuracy ≥ 0.77", None)]
    crops = read_class_folders(DATA / "mitocheck", MOVIE)
    took = all_seconds(crops)
    scores = cross_validated(crops)
    return [
        Row(
            "quick, mitocheck, 5 folds by movie, accuracy", f"{scores.accuracy:.3f}", "≥ 0.77", scores.accuracy >= 0.77
        ),
        Row("the same, macro F1 and balanced accuracy", f"{scores.macro_f1:.3f}, {scores.balanced_accuracy:.3f}", ""),
        Row(f"quick, features and head on {len(crops.labels)} cells", f"{took:.1f} s", "≤ 30 s", took <= 30),
        *(
            Row(f"quick from {count} labels a class, other movies, balanced accuracy", f"{mean:.3f} ± {spread:.3f}", "")
            for count, mean, spread in learning_curve(crops)
        ),
        *jurkat_rows(),
    ]


def jurkat_rows() -> list[Row]:
    """Measure five folds by cell: the files do not say which cells belong together."""
    if not (DATA / "jurkat").is_dir():
        return []
    crops = read_class_folders(DATA / "jurkat", None)
    scores = cross_validated(crops)
    figures = f"{scores.accuracy:.3f}, balanced {scores.balanced_accuracy:.3f}, macro F1 {scores.macro_f1:.3f}"
    return [Row("quick, Jurkat, 7 stages, 5 folds, accuracy", figures, "")]


def cross_validated(crops: CropSet) -> Scores:
    """Return the scores of all cells, each predicted by a model that saw none of its movie."""
    recipe = Recipe.load("quick").but(holdout=0.0, weights="none")
    fold = kfold(crops.labels, crops.groups, FOLDS, recipe.seed)
    predicted = np.zeros(len(crops.labels), dtype=np.int64)
    for number in range(FOLDS):
        model = finish(fit(TrainingSet.from_crops(part(crops, fold != number), recipe), recipe))
        predicted[fold == number] = predicted_by(model, crops, fold == number)
    return score(crops.labels, predicted, crops.classes)


def all_seconds(crops: CropSet) -> float:
    """Return how long features and head of all the cells take, on at most two cores."""
    recipe = Recipe.load("quick").but(holdout=0.0, weights="none", threads=min(2, os.cpu_count() or 1))
    data = TrainingSet.from_crops(crops, recipe)
    return statistics.median(seconds(lambda: finish(fit(data, recipe))) for _ in range(RUNS))


def learning_curve(crops: CropSet) -> list[tuple[int, float, float]]:
    """Return labels a class, and the balanced accuracy on other movies: mean and spread over draws."""
    recipe = Recipe.load("quick").but(holdout=0.0, weights="none")
    found = []
    for count in LABELS_A_CLASS:
        reached = []
        for draw in range(DRAWS):
            test = kfold(crops.labels, crops.groups, FOLDS, seed=100 + draw) == 0
            chosen = drawn(crops.labels, ~test, count, draw)
            model = finish(fit(TrainingSet.from_crops(part(crops, chosen), recipe), recipe))
            truth = crops.labels[test]
            reached.append(score(truth, predicted_by(model, crops, test), crops.classes).balanced_accuracy)
        found.append((count, float(np.mean(reached)), float(np.std(reached))))
    return found


def drawn(labels: NDArray[np.int64], allowed: NDArray[np.bool_], count: int, seed: int) -> NDArray[np.bool_]:
    """Choose up to `count` allowed cells of each class."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(allowed & (labels == label)))
        chosen[rows[:count]] = True
    return chosen


def part(crops: CropSet, rows: NDArray[np.bool_]) -> CropSet:
    """Return some of the cells."""
    return replace(
        crops,
        crops=crops.crops[rows],
        masks=None if crops.masks is None else crops.masks[rows],
        labels=crops.labels[rows],
        names=tuple(name for name, chosen in zip(crops.names, rows, strict=True) if chosen),
        groups=crops.groups[rows],
    )


def predicted_by(model: TrainedModel, crops: CropSet, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return predicted places in `crops.classes`."""
    masks = None if crops.masks is None else crops.masks[rows]
    chances = finish(predict(model, crops.crops[rows], masks))
    places = np.array([crops.classes.index(name) for name in model.classes.names])
    return places[chances.argmax(axis=1)]


def finish(work: Generator[Any, None, Any]) -> Any:
    """Run a generator to its end and return what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} {row.target}", flush=True)
