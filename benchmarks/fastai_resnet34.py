"""The recipe `fastai-resnet34` against fastai 2.8 itself, on real cells: same pictures, epochs, rate and batches.

Without outside weights. Accuracy on the cells of one fold that neither was trained on; images a second in one run.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.table import Row
from napari_cellstage.core.folders import CropSet, read_class_folders
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.scoring.paired import Paired, compare
from napari_cellstage.core.scoring.splits import kfold
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.device import cpu_count
from napari_cellstage.learn.events import EpochDone
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch

JURKAT = Path(__file__).resolve().parents[2] / "shared" / "data" / "jurkat"
EPOCHS, BATCH, RATE, FOLDS, SEED = 8, 64, 1e-3, 5, 0
FASTER = 1.2


def rows() -> list[Row]:
    """Return both accuracies with the interval of their difference, and the ratio of the speeds."""
    what = f"fastai-resnet34 against fastai 2.8, Jurkat, {EPOCHS} epochs"
    if not JURKAT.is_dir():
        return [Row(what, "no data", "equal within the interval", None)]
    cells = _pictures(read_class_folders(JURKAT))
    test = kfold(cells.labels, cells.groups, FOLDS, SEED) == 0
    try:
        theirs, their_speed = _fastai(cells, test)
    except ImportError:
        return [Row(what, "fastai is not installed", f">= {FASTER}", None)]
    ours, our_speed = _ours(cells, test)
    found, ratio = compare(cells.labels[test], theirs, ours), our_speed / their_speed
    return [
        Row(f"{what}: accuracy", _accuracies(found), "equal within the interval", _equal(found)),
        Row(
            f"{what}: images a second",
            f"{ratio:.2f} ({our_speed:.0f}/{their_speed:.0f})",
            f">= {FASTER}",
            ratio >= FASTER,
        ),
    ]


def _accuracies(found: Paired) -> str:
    low, high = found.interval
    both = f"{found.accuracy_b:.3f} against {found.accuracy_a:.3f}"
    return f"{both}; difference {found.difference:+.3f} ({low:+.3f} to {high:+.3f}), {found.n} cells"


def _equal(found: Paired) -> bool:
    """Return whether the interval holds 0, or ours is the better."""
    return found.interval[1] >= 0


def _pictures(cells: CropSet) -> CropSet:
    """Return the cells as 8-bit pictures in colour, black and white fixed for all: what fastai reads from files."""
    shown = Normalisation.of(cells.crops, "dataset").apply(cells.crops).clip(0, 1)
    return CropSet((shown * 255).round().astype(np.uint8), None, cells.labels, cells.classes, cells.names, cells.groups)


def _ours(cells: CropSet, test: np.ndarray) -> tuple[np.ndarray, float]:
    choices: dict[str, Any] = {"weights": "none", "epochs": EPOCHS, "batch_size": BATCH, "find_rate": False}
    fixed: dict[str, Any] = {"learning_rate": RATE, "validation": 0.0, "normalise": "fixed", "views": 1, "seed": SEED}
    recipe = Recipe.load("fastai-resnet34").but(**choices, **fixed)
    speeds, work = [], fit(TrainingSet.from_crops(cells, recipe), recipe, held_out=test)
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value.unseen.predicted, float(np.median(speeds))
        if isinstance(event, EpochDone):
            speeds.append(event.images_per_second)


def _fastai(cells: CropSet, test: np.ndarray) -> tuple[np.ndarray, float]:
    """Train by fastai's own means, as its users do it: picture files, batch transforms, `vision_learner`, one cycle."""
    from fastai.vision import all as fa

    torch.set_num_threads(cpu_count())
    fa.set_seed(SEED, reproducible=True)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{row}.png" for row in range(len(cells))]
        for file, crop in zip(files, cells.crops, strict=True):
            fa.PILImage.create(np.ascontiguousarray(crop.transpose(1, 2, 0))).save(file)
        block = fa.DataBlock(
            blocks=(fa.ImageBlock, fa.CategoryBlock),
            get_x=lambda row: files[row],
            get_y=lambda row: int(cells.labels[row]),
            splitter=fa.IndexSplitter(np.flatnonzero(test).tolist()),
            batch_tfms=fa.aug_transforms(flip_vert=True, max_rotate=90.0, max_zoom=1.0, max_warp=0.0),
        )
        loaders = block.dataloaders(list(range(len(cells))), bs=BATCH, num_workers=0, device=torch.device("cpu"))
        learner = fa.vision_learner(loaders, fa.resnet34, pretrained=False)
        clock = _epoch_clock(fa)
        with learner.no_bar(), learner.no_logging():
            learner.fit_one_cycle(EPOCHS, RATE, cbs=clock)
            said = learner.get_preds(dl=loaders.test_dl(np.flatnonzero(test).tolist()))[0]
        known = [int(one) for one in loaders.vocab]
    trained = len(loaders.train) * BATCH  # fastai leaves out the last batch of an epoch unless it is full
    return np.array(known)[said.argmax(dim=1).numpy()], trained / float(np.median(clock.seconds))


def _epoch_clock(fa: Any) -> Any:
    """Return a callback that times the training part of each epoch, as `EpochDone` does here."""

    class EpochClock(fa.Callback):
        def __init__(self) -> None:
            self.seconds: list[float] = []

        def before_train(self) -> None:
            self.began = time.perf_counter()

        def after_train(self) -> None:
            self.seconds.append(time.perf_counter() - self.began)

    return EpochClock()
