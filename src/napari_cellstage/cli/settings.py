"""Choices of a recipe as they are written on the command line, ``--set NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.recipe_base import Choices


def written(settings: Iterable[str], kind: type[Choices] = Recipe) -> dict[str, Any]:
    """Return choices of a recipe that are written as ``NAME=VALUE``.

    Parameters
    ----------
    settings
        What was written.
    kind
        The recipe whose choices these are.

    Raises
    ------
    TrainingError
        If one is not written so, has no such name, or is no number where one is needed.
    """
    kinds = {one.name: type(one.default) for one in fields(kind)}
    return dict(_choice(text, kinds) for text in settings)


def _choice(text: str, kinds: dict[str, type]) -> tuple[str, Any]:
    name, sign, value = (part.strip() for part in text.partition("="))
    if not sign or name not in kinds:
        raise TrainingError(
            f"'{text}' is no choice of a recipe. Write --set NAME=VALUE with one of these names: {', '.join(kinds)}."
        )
    kind = kinds[name]
    if kind is bool:
        return name, {"true": True, "false": False}.get(value.lower(), value)  # the recipe refuses all others
    try:
        return name, kind(value)
    except ValueError:
        needed = "a whole number" if kind is int else "a number"
        raise TrainingError(f"--set {text} needs {needed} after the '='. '{value}' is none.") from None
