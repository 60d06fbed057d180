"""Whether a recipe's values can be: their kinds and limits, and lists of numbers written as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from napari_cellstage.core.errors import TrainingError


def numbers(name: str, text: str) -> tuple[float, ...]:
    """Return the numbers of a list such as ``"100, 120.5"``: one for all channels, or one a channel."""
    try:
        found = tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)):
        raise TrainingError(
            f"{name} is '{text}', but must be a number, or one number a channel with commas between. "
            "Change it in the recipe."
        )
    return found


def check_fixed(low: tuple[float, ...], high: tuple[float, ...]) -> None:
    """Raise `TrainingError` unless black is below white in every channel."""
    channels = max(len(low), len(high))
    if min(len(low), len(high)) not in (1, channels):
        raise TrainingError(
            f"fixed_low has {len(low)} numbers and fixed_high {len(high)}. Give both for the same channels."
        )
    for dark, bright in zip(_for_each(low, channels), _for_each(high, channels), strict=True):
        if not dark < bright:
            raise TrainingError(f"fixed_low is {dark:g} and fixed_high {bright:g}. Make fixed_high the larger one.")


def _for_each(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    return values * count if len(values) == 1 else values


def check_value(name: str, value: Any, default: Any, limits: Mapping[str, Any]) -> None:
    """Raise `TrainingError` unless a choice's value is of the default's kind and within its limits."""
    wanted = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, wanted) or (isinstance(value, bool) and not isinstance(default, bool)):
        kind = {bool: "true or false", int: "a whole number", float: "a number"}.get(type(default), "a text")
        raise TrainingError(f"{name} is {value!r}, but must be {kind}. Change it in the recipe.")
    low, high = limits.get("min"), limits.get("max")
    if low is not None and high is not None and not low <= value <= high:
        raise TrainingError(f"{name} is {value}, but must be from {low} to {high}. Change it in the recipe.")
    if "choices" in limits and value not in limits["choices"]:
        raise TrainingError(f"{name} is '{value}', but must be one of {', '.join(limits['choices'])}.")
