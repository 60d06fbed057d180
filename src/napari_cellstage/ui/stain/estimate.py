"""How long a training of a stain will take, guessed before it begins. No widgets."""

from __future__ import annotations

from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.recipe import StainRecipe

USUAL_SPEED = 30.0  # pieces of 64 pixels a second, 24 filters and 3 levels, on 2 cores
AROUND = 10.0  # seconds before the first piece and after the last
MOST_PIECES = 2000  # a round, where the recipe leaves it open
_USUAL = StainRecipe()


def expected_seconds(recipe: StainRecipe, pixels: int, speed: float) -> float:
    """Return how long a training should take.

    Parameters
    ----------
    recipe
        By which.
    pixels
        That are learned from; 0: nobody knows, so as many as there may be.
    speed
        Pieces a second of the usual size, as `measured` returns.
    """
    return AROUND + recipe.epochs * recipe.members * _pieces(recipe, pixels) * _cost(recipe) / speed


def measured(recipe: StainRecipe, epoch: StainEpoch, before: float) -> float:
    """Return the speed as an epoch has shown it to be, for a recipe of any size."""
    return epoch.patches_per_second * _cost(recipe) if epoch.patches_per_second > 0 else before


def _pieces(recipe: StainRecipe, pixels: int) -> int:
    if recipe.patches:
        return recipe.patches
    learned = pixels * (1 - recipe.holdout) * (1 - recipe.validation)
    return min(MOST_PIECES, max(1, round(learned / recipe.patch**2))) if pixels else MOST_PIECES


def _cost(recipe: StainRecipe) -> float:
    """Return how long a piece takes against one of the usual size."""
    planes = recipe.patch_planes if recipe.dimensions == "3d" else 1
    deeper = (1 + 0.3 * max(0, recipe.levels - _USUAL.levels)) * planes
    return (recipe.patch / _USUAL.patch) ** 2 * (recipe.filters / _USUAL.filters) ** 2 * deeper
