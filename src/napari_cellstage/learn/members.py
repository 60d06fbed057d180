"""The recipes of an ensemble's members: named in its own, looking at the same cells in the same way."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields
from typing import Any

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.recipe import Recipe

# What decides which cells there are and how they are cut out: the same for all members.
CUT_BY = (
    "crop_size", "crop", "crop_um", "margin", "surroundings", "planes", "planes_count", "normalise", "fixed_low",
    "fixed_high",
)  # fmt: skip
# What members take over from the ensemble; all else is in their own recipes.
TAKEN_OVER = (*CUT_BY, "holdout", "seed", "device", "precision", "threads")
_SETTING = re.compile(r"\s+(\w+)=(\S+)")
OF_ENSEMBLE = ("name", "about", "kind", "members", "folds", *TAKEN_OVER)


def member_names(recipe: Recipe) -> tuple[str, ...]:
    """Return the names or files that an ensemble's recipe gives its members."""
    return tuple(one.strip() for one in recipe.members.split(",") if one.strip())


def member_recipes(recipe: Recipe) -> tuple[Recipe, ...]:
    """Return the recipes that an ensemble averages, one or more.

    A recipe that is named again gets the next seed, so that it starts from other random numbers.

    Parameters
    ----------
    recipe
        Of an ensemble; its `members` are names of recipes or TOML files, with commas between. Choices of a member may
        follow its name: ``quick classifier=trees``.

    Raises
    ------
    TrainingError
        If none is named, one can't be loaded, is an ensemble itself, or has a choice that can't be.
    """
    names = member_names(recipe)
    if not names:
        raise TrainingError(
            f"The ensemble '{recipe.name}' has no members. Name recipes in members, with commas between: "
            "quick, finetune."
        )
    shared = {name: getattr(recipe, name) for name in TAKEN_OVER}
    made, before = [], Counter[str]()
    for name in names:
        member = _member(name)
        if member.kind == "ensemble":
            raise TrainingError(
                f"'{name}' is an ensemble, but members of an ensemble can't be one. Name its own members instead: "
                f"{member.members or 'it has none'}."
            )
        made.append(member.but(**shared | {"seed": (recipe.seed + before[name]) % 2**31}))
        before[name] += 1
    return tuple(made)


def _member(text: str) -> Recipe:
    """Return the recipe of one member, with the choices that follow its name; these are in the name it is shown by."""
    settings = dict(_SETTING.findall(text))
    recipe = Recipe.load(_SETTING.sub("", text).strip())
    for name in settings:
        if name in OF_ENSEMBLE:
            raise TrainingError(
                f"The member '{text}' has a {name} of its own, but that is the ensemble's for all members. Set it "
                "there."
            )
    shown = " ".join([recipe.name, *(f"{name}={value}" for name, value in settings.items())])
    return recipe.but(name=shown, **{name: _value(name, value) for name, value in settings.items()})


def _value(name: str, text: str) -> Any:
    """Return a choice that is written as text; as it is where it can't be, which the recipe then says."""
    kinds: dict[str, type] = {one.name: type(one.default) for one in fields(Recipe)}
    kind = kinds.get(name, str)
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


def without_effect(recipe: Recipe) -> tuple[str, ...]:
    """Return the choices of an ensemble's recipe that someone has made, but that its members have of their own."""
    usual = Recipe().to_dict()
    return tuple(name for name, value in recipe.to_dict().items() if name not in OF_ENSEMBLE and value != usual[name])
