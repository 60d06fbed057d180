"""Training of a stain and its scores on what was held out, for benchmarks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.table import Row
from napari_cellstage.core.steps import finished
from napari_cellstage.stain.evaluate import evaluate_stain
from napari_cellstage.stain.fit import fit_stain, split_for
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pairs import StainSet
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.scores import StainScore

MINUTES, WORST = 15, 0.3


@dataclass(frozen=True, eq=False)
class Outcome:
    """A model, how well it predicts what was held out, and how long its training took."""

    model: StainModel
    stains: tuple[StainScore, ...]
    minutes: float


def trained(data: StainSet, recipe: StainRecipe) -> Outcome:
    """Train as the recipe says, and score on what it holds out."""
    began = time.perf_counter()
    model: StainModel = finished(fit_stain(data, recipe))
    minutes = (time.perf_counter() - began) / 60
    split = split_for(data, recipe)
    scores = finished(evaluate_stain(model, data, split.held_out, train=split.train))
    return Outcome(model, scores.stains, minutes)


def r_text(stain: StainScore) -> str:
    """Return r with its interval."""
    low, high = stain.pearson_interval
    return f"{stain.pearson:.4f} ({low:.4f} to {high:.4f})"


def at_least(what: str, reached: float, wanted: float, text: str = "") -> Row:
    """Return the row of a figure that must not be lower than what is wanted."""
    return Row(what, text or f"{reached:.3f}", f">= {wanted:g}", reached >= wanted)


def training_row(what: str, minutes: float) -> Row:
    """Return the row of a training's length."""
    return Row(f"{what}: training", f"{minutes:.1f} minutes", f"<= {MINUTES} minutes", minutes <= MINUTES)
