"""Run folders made by hand: what a training would have left, without training."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.calibration import calibrated
from napari_cellstage.core.scoring.scores import score_unseen
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.examples import save_examples
from napari_cellstage.learn.model import CARD
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_records import UNSEEN
from napari_cellstage.learn.runs import HISTORY

HISTORY_TEXT = """epoch,epochs,train_loss,valid_loss,valid_accuracy,images_per_second
1,3,1.9,1.7,0.4,800
2,3,1.2,1.3,0.6,810
3,3,0.8,,,805
"""


@dataclass(frozen=True)
class Made:
    """What a run folder was made of."""

    folder: Path
    data: TrainingSet
    unseen: Unseen
    card: dict[str, Any]


def answers(classes: ClassScheme, cells: int, images: int = 6, seed: int = 0) -> Unseen:
    """Answers that are right more often than not, too sure of themselves before calibration."""
    rng = np.random.default_rng(seed)
    count = len(classes)
    truth = np.arange(cells) % count
    scores = rng.normal(size=(cells, count)) * 2
    scores[np.arange(cells), truth] += 3
    raw = np.exp(scores * 1.5)
    raw = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
    groups = np.array([f"movie {place // count % images}" for place in range(cells)])
    return Unseen(
        names=np.array(
            [f"field {place // count % images}.tif#abc/{place // 50}/{place + 1}" for place in range(cells)]
        ),
        truth=truth.astype(np.int64),
        groups=groups,
        fold=np.zeros(cells, dtype=np.int64),
        probabilities=calibrated(raw, 2.0),
        raw=raw,
        classes=classes,
        unlike=rng.uniform(0.2, 1.1, cells).astype(np.float32),
    )


def training_set(unseen: Unseen, channels: tuple[str, ...], side: int = 40) -> TrainingSet:
    """Discs whose size is their class."""
    rng = np.random.default_rng(1)
    y, x = np.ogrid[:side, :side]
    far = np.hypot(y - side // 2, x - side // 2)
    radius = 4 + 10 * unseen.truth / max(len(unseen.classes), 1)
    one = 200 + 2000 * (far[None] <= radius[:, None, None]) + rng.normal(0, 60, (len(unseen), side, side))
    crops = np.stack([one / (1 + place) for place in range(len(channels))], axis=1).astype(np.uint16)
    return TrainingSet(
        crops=crops,
        masks=None,
        labels=unseen.truth,
        groups=unseen.groups,
        classes=unseen.classes,
        channels=tuple(range(len(channels))),
        channel_names=channels,
        names=tuple(unseen.names.tolist()),
    )


def card_of(data: TrainingSet, unseen: Unseen, recipe: Recipe) -> dict[str, Any]:
    """The card that a training of the dock would have written."""
    held = np.isin(np.array(data.names), unseen.names[: len(unseen) // 2])
    counts = np.bincount(data.labels, minlength=len(data.classes)).tolist()
    return {
        "format": 1,
        "made": "2026-11-21T15:00:00+00:00",
        "classes": data.classes.to_dict(),
        "channels": list(data.channels),
        "channel_names": list(data.channel_names),
        "crop_size": 40,
        "normalisation": {"mode": "dataset", "low": [100.0], "high": [2200.0]},
        "recipe": recipe.to_dict(),
        "seed": recipe.seed,
        "split": {
            "trained": [name for name, out in zip(data.names, held, strict=True) if not out],
            "held_out": [name for name, out in zip(data.names, held, strict=True) if out],
            "groups_held_out": ["movie 1"],
        },
        "scores": score_unseen(unseen).to_dict(),
        "labels": dict(zip(data.classes.names, counts, strict=True)),
        "moment": 412,
        "cross_validated": 5,
        "temperature": 2.0,
        "versions": {"napari-cellstage": "0.1.0", "numpy": "2.0"},
    }


def made_run(
    home: Path,
    names: tuple[str, ...] = ("interphase", "metaphase", "anaphase"),
    cells: int = 240,
    channels: tuple[str, ...] = ("H2B",),
    name: str = "2026-11-21_15-00-00_quick",
    recipe: Recipe | None = None,
    by_cell: bool = False,
) -> Made:
    """Make a run folder of so many cells of some classes."""
    classes = ClassScheme.from_names(names, "cyclic")
    unseen = replace(answers(classes, cells), by_cell=by_cell, how="out of fold")
    data = training_set(unseen, channels)
    folder = home / name
    folder.mkdir()
    card = card_of(data, unseen, recipe or Recipe.load("quick"))
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    (folder / HISTORY).write_text(HISTORY_TEXT, encoding="utf-8")
    (folder / "head.ubj").write_bytes(b"model")
    unseen.save(folder / UNSEEN)
    save_examples(folder, data, unseen)
    return Made(folder, data, unseen, card)
