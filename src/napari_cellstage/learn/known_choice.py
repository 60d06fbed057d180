"""Whether an earlier training's choice of a classifier still holds, so that a round of corrections takes seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.predicted import predicted_among
from napari_cellstage.learn.chosen import KnownChoice
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.model import label_counts, read_card
from napari_cellstage.learn.recipe import Recipe

FEWEST = 500  # labelled cells; with fewer, trying everything takes a second
FEW_CHANGED = 0.05  # share of the labels by which the classes' counts may differ
MOST_TIMES = 5  # a choice is taken over before everything is tried again
LOOKED_AT = 20  # latest runs
_NO_MATTER = ("folds", "device", "threads", "name")


def known_choice(runs: Path, data: TrainingSet, recipe: Recipe) -> KnownChoice | None:
    """Return the choice of the latest run by the same recipe on nearly the same labels; None to choose anew.

    Parameters
    ----------
    runs
        Folder of the project's runs.
    data, recipe
        What is to be trained.
    """
    if len(data) < FEWEST or not runs.is_dir():
        return None
    for folder in sorted(runs.iterdir(), reverse=True)[:LOOKED_AT]:
        try:
            card = read_card(folder)
            if card["recipe"]["kind"] != "quick":
                continue
            return _still_holds(card, data, recipe)
        except (CellStageError, KeyError, TypeError, ValueError, AttributeError):
            continue  # a damaged run, or one of an earlier version
    return None


def _still_holds(card: dict[str, Any], data: TrainingSet, recipe: Recipe) -> KnownChoice | None:
    choice = card["choice"]
    then, now = choice["labels"], label_counts(data)
    same = (
        # A card of an earlier version lacks the choices that there were not then.
        _deciding(Recipe().to_dict() | card["recipe"]) == _deciding(recipe.to_dict())
        and list(card["channels"]) == list(data.channels)
        and predicted_among(card["channel_names"]) == predicted_among(data.channel_names)
        and list(then) == list(now)
    )
    if not same or choice["reused"] >= MOST_TIMES:
        return None
    held_out = _same_held_out(card["split"], data)
    if held_out is None:
        return None
    changed = np.abs(np.array(list(then.values())) - np.array(list(now.values()))).sum()
    if changed > FEW_CHANGED * len(data):
        return None
    known = KnownChoice.of(choice | {"reused": int(choice["reused"]) + 1}, held_out)
    return known if known.fits(recipe) else None  # a training of trees that was stopped has left a linear head


def _same_held_out(split: dict[str, Any], data: TrainingSet) -> NDArray[np.bool_] | None:
    """Return the cells that were held out then, with others of their groups.

    None where the cells are divided in another way by now, so that some that chose would measure, or where training
    would lack a class.
    """
    names, groups = np.asarray(data.names, dtype=np.str_), list(split["groups_held_out"])
    if (len(np.unique(data.groups)) > 1) != bool(groups or not split["held_out"]):
        return None
    before = np.isin(names, split["held_out"])
    now = np.isin(data.groups, groups) if groups else before
    known = before | np.isin(names, split["trained"])
    if not np.array_equal(before[known], now[known]) or now.any() != bool(split["held_out"]):
        return None
    return now if len(np.unique(data.labels[~now])) == len(data.classes) else None


def _deciding(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _NO_MATTER}
