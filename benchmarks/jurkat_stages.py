"""`quick` against `features-xgboost` on the Jurkat cells, 5 folds: seven stages, and five (G1, S and G2 as one).

`quick` was designed on one half of these cells; docs/studies.md gives the figures of the other half, too.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.fastai_resnet34 import JURKAT
from benchmarks.table import Row
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.scoring.scores import Scores, score_unseen
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.studies.comparing import against
from napari_cellstage.studies.jurkat import BASELINE, BEST, FOLDS, INTERPHASE
from napari_cellstage.studies.merging import merged
from napari_cellstage.studies.method import Method, Outcome, run_method

SEVEN, FIVE, BALANCED = 0.95, 0.96, 0.90


def rows() -> list[Row]:
    """Return accuracies and balanced accuracies of seven and five classes, and the paired comparison."""
    if not JURKAT.is_dir():
        return [Row("quick, Jurkat, 5 folds", "no data", f">= {SEVEN}", None)]
    data = TrainingSet.from_crops(read_class_folders(JURKAT), Recipe())
    with tempfile.TemporaryDirectory() as folder:
        trees, best = (_outcome(data, name, Path(folder)).unseen for name in (BASELINE, BEST))
    seven, five = score_unseen(best), score_unseen(merged(best, INTERPHASE, "interphase"))
    return [
        *_rows("quick, Jurkat, 5 folds, 7 classes", seven, SEVEN),
        *_rows("quick, Jurkat, 5 folds, 5 classes", five, FIVE),
        Row(f"quick against {BASELINE}, 7 classes, per cent", against(trees, best), "above, by a paired test"),
    ]


def _rows(what: str, scores: Scores, wanted: float) -> list[Row]:
    found = {"accuracy": (scores.accuracy, wanted), "balanced accuracy": (scores.balanced_accuracy, BALANCED)}
    return [Row(f"{what}: {name}", f"{one:.3f}", f">= {least}", one >= least) for name, (one, least) in found.items()]


def _outcome(data: TrainingSet, name: str, folder: Path) -> Outcome:
    fold = kfold(data.labels, data.groups, FOLDS, 0)
    method = Method(name, Recipe.load(name).but(folds=0), FOLDS)
    work: Any = run_method(data, method, [fold == number for number in range(FOLDS)], folder / name, lambda: False)
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
