"""How long a training will take, in words; guessed before it begins. No widgets."""

from __future__ import annotations

from dataclasses import replace

from napari_cellstage.learn.events import EpochDone
from napari_cellstage.learn.expected import Speed, Work, expected_seconds, may_end_early, picture_cost
from napari_cellstage.learn.recipe import Recipe

__all__ = ["Speed", "Work", "expected_seconds", "expected_text", "forecast", "measured"]


def forecast(recipes: tuple[Recipe, ...], work: Work, speed: Speed) -> str:
    """Return how long these recipes should take; the most, where one may end before its last epoch."""
    text = expected_text(expected_seconds(recipes, work, speed))
    return f"{text.replace('about', 'at most')}; it ends when it gets no better" if may_end_early(recipes) else text


def measured(speed: Speed, recipe: Recipe, epoch: EpochDone) -> Speed:
    """Return the speed as an epoch of a recipe's network has shown it to be."""
    if epoch.images_per_second <= 0 or epoch.member:  # which network a member is of is not told
        return speed
    return replace(speed, trained_per_second=epoch.images_per_second * picture_cost(recipe))


def expected_text(seconds: float) -> str:
    """Return ``"about 40 s"``, rounded as roughly as it is known."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    if seconds < 3570:
        return f"about {round(seconds / 60):.0f} min"
    if seconds < 10 * 3600:
        tens = round(seconds / 600)
        hours, minutes = tens // 6, tens % 6 * 10
        return f"about {hours} h {minutes} min" if minutes else f"about {hours} h"
    return f"about {round(seconds / 3600)} h"
