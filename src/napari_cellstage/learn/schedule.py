"""How large the steps of a training are as it goes on, as a share of the recipe's learning rate."""

from __future__ import annotations

import math

from napari_cellstage.learn.recipe import Recipe

WARM_UP = 0.25  # share of the training in which the rate of one cycle rises
LOWER = 0.1  # what is left of the rate after the step
NEARLY = 1e-9  # batches are counted as parts of an epoch


def rate_at(recipe: Recipe, epochs_done: float, epochs: int) -> float:
    """Return the share of the learning rate after so many of all epochs; a part of one counts too."""
    if recipe.schedule == "one-cycle":
        return one_cycle(epochs_done / epochs)
    if recipe.schedule == "steps":
        return LOWER if epochs_done + NEARLY >= recipe.step_epochs else 1.0
    return 1.0


def one_cycle(progress: float) -> float:
    """Return the share of the peak rate: up from 1/25 in the first quarter, down to almost 0 (Smith & Topin 2018)."""
    if progress < WARM_UP:
        return 1 / 25 + (1 - 1 / 25) * 0.5 * (1 - math.cos(math.pi * progress / WARM_UP))
    down = (min(progress, 1.0) - WARM_UP) / (1 - WARM_UP)
    return 1e-4 + (1 - 1e-4) * 0.5 * (1 + math.cos(math.pi * down))
