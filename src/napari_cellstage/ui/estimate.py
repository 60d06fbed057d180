"""How long a training will take, guessed before it begins from what was measured on this machine. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

from napari_cellstage.learn.recipe import Recipe, epochs_for
from napari_cellstage.ui.job_bar import clock


@dataclass(frozen=True)
class Work:
    """What there is to do: labelled cells to learn from, all cells to predict."""

    labelled: int
    cells: int


@dataclass(frozen=True)
class Speed:
    """What was measured: training images a second for a network, cells a second for its predictions and for features.

    The default is a small office computer without a graphics card, at crops of 64 pixels.
    """

    trained_per_second: float = 40.0
    predicted_per_second: float = 150.0
    features_per_second: float = 120.0


def expected_seconds(recipes: tuple[Recipe, ...], work: Work, speed: Speed) -> float:
    """Return how long these recipes, one after the other, should take."""
    return sum(_one(recipe, work, speed) for recipe in recipes)


def expected_text(seconds: float) -> str:
    """Return ``"about 40 s"``, rounded as roughly as it is known."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    if seconds < 3600:
        return f"about {round(seconds / 60):.0f} min"
    return f"about {clock(seconds)} hours"


def _one(recipe: Recipe, work: Work, speed: Speed) -> float:
    if recipe.kind == "quick":
        return 3.0 + work.cells / speed.features_per_second
    larger = (recipe.crop_size / 64) ** 2
    learnt_from = round(work.labelled * (1 - recipe.holdout))
    trained = learnt_from * (recipe.epochs or epochs_for(learnt_from)) / speed.trained_per_second
    trainings = 1 + (recipe.folds if recipe.folds > 1 else 0)  # cross-validation trains as often again
    return 2.0 + larger * (trainings * trained + work.cells * recipe.views / speed.predicted_per_second)
