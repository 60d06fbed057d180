"""The recipe `ensemble` on mitocheck: 16 classes of HeLa nuclei, 5 folds by movie. 15 minutes on 2 free cores.

Without outside weights. The recipe is the package's own, chosen on one half of these cells. No fold chooses anything:
every temperature is of other movies, and each cell is predicted once, by models that saw none of its movie.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from benchmarks.mitocheck_finetune import FOLDS, MITOCHECK, MOVIE
from benchmarks.table import Row
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.scoring.scores import score_unseen
from napari_cellstage.learn.cross_validate import cross_validate
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.recipe import Recipe

ACCURACY, MACRO_F1 = 0.85, 0.77
EVERY = 60.0  # seconds between lines of progress


def rows() -> list[Row]:
    """Return accuracy and macro F1 over all folds, and the time."""
    what = "ensemble without outside weights, mitocheck, 5 folds by movie"
    if not MITOCHECK.is_dir():
        return [Row(what, "no data", f">= {ACCURACY}", None)]
    started = time.perf_counter()
    recipe = Recipe.load("ensemble").but(folds=FOLDS)
    scores = score_unseen(
        _told(cross_validate(TrainingSet.from_crops(read_class_folders(MITOCHECK, MOVIE), recipe), recipe))
    )
    low, high = scores.low, scores.high
    return [
        Row(
            f"{what}: accuracy",
            f"{scores.accuracy:.3f} ({low:.3f}–{high:.3f})",
            f">= {ACCURACY}",
            scores.accuracy >= ACCURACY,
        ),
        Row(f"{what}: macro F1", f"{scores.macro_f1:.3f}", f">= {MACRO_F1}", scores.macro_f1 >= MACRO_F1),
        Row(f"{what}: calibration error", f"{scores.ece:.3f}", "reported"),
        Row(f"{what}: minutes", f"{(time.perf_counter() - started) / 60:.1f}", "reported"),
    ]


def _told(work: Any) -> Any:
    """Run a generator to its end, telling now and then how far it is on standard error."""
    told = 0.0
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value
        if isinstance(event, BatchDone) and time.perf_counter() - told > EVERY:
            told = time.perf_counter()
            sys.stderr.write(f"  {event.what}: {event.done / event.total:.0%}\n")
            sys.stderr.flush()
