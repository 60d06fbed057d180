"""`finetune` from scratch on mitocheck: 16 classes of HeLa nuclei, 5 folds by movie. 25 minutes on 2 free cores.

The recipe is the package's own but for what is in `RECIPE`. No fold chooses anything: the number of epochs is fixed,
the last (averaged) weights are kept, and each cell is predicted once, by the model that saw none of its movie.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.table import Row
from napari_cellstage.core.folders import CropSet, read_class_folders
from napari_cellstage.core.scoring.scores import Scores, score
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import EpochDone
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.recipe import Recipe

MITOCHECK = Path(__file__).resolve().parents[2] / "shared" / "data" / "mitocheck"
MOVIE = r"^(.*?___P\d+_\d+)___"
FOLDS = 5
ACCURACY, MACRO_F1 = 0.83, 0.74
# Half the time of resnet34; held-out and validation parts are not needed, as the fold measures and nothing chooses.
RECIPE: dict[str, Any] = {"network": "resnet18", "weights": "none", "epochs": 30, "validation": 0.0, "holdout": 0.0}
T = TypeVar("T")


def rows() -> list[Row]:
    """Return accuracy and macro F1 over all folds, and the time."""
    if not MITOCHECK.is_dir():
        return [Row("finetune from scratch, mitocheck, 5 folds by movie", "no data", f">= {ACCURACY}", None)]
    started = time.perf_counter()
    cells = read_class_folders(MITOCHECK, MOVIE)
    fold = kfold(cells.labels, cells.groups, FOLDS, seed=0)
    predicted = np.zeros(len(cells), dtype=np.int64)
    for number in range(FOLDS):
        predicted[fold == number] = predict_fold(cells, fold == number)
    return _table(score(cells.labels, predicted, cells.classes), time.perf_counter() - started)


def predict_fold(cells: CropSet, held_out: np.ndarray) -> np.ndarray:
    """Train on the other cells and predict these."""
    recipe = Recipe.load("finetune").but(**RECIPE)
    model = _told(fit(TrainingSet.from_crops(_take(cells, ~held_out), recipe), recipe))
    answer = _told(predict(model, cells.crops[held_out])).argmax(axis=1)
    scores = score(cells.labels[held_out], answer, cells.classes)
    _say(f"fold: accuracy {scores.accuracy:.3f}, macro F1 {scores.macro_f1:.3f}, {scores.n} cells")
    return answer


def _table(scores: Scores, seconds: float) -> list[Row]:
    what = "finetune from scratch (resnet18, 30 epochs), mitocheck, 5 folds by movie"
    return [
        Row(f"{what}: accuracy", f"{scores.accuracy:.3f}", f">= {ACCURACY}", scores.accuracy >= ACCURACY),
        Row(f"{what}: macro F1", f"{scores.macro_f1:.3f}", f">= {MACRO_F1}", scores.macro_f1 >= MACRO_F1),
        Row(f"{what}: minutes", f"{seconds / 60:.1f}", "reported"),
    ]


def _take(cells: CropSet, keep: np.ndarray) -> CropSet:
    names = tuple(name for name, kept in zip(cells.names, keep, strict=True) if kept)
    return CropSet(cells.crops[keep], None, cells.labels[keep], cells.classes, names, cells.groups[keep])


def _told(work: Generator[Any, None, T]) -> T:
    """Run a generator to its end, telling each epoch on standard error."""
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value
        if isinstance(event, EpochDone):
            _say(
                f"epoch {event.epoch}/{event.epochs}: loss {event.train_loss:.3f}, "
                f"{event.images_per_second:.0f} cells/s"
            )


def _say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} (to reach: {row.target})")
