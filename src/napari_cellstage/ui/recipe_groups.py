"""Which choices of a recipe come first, how the rest is grouped, and which of them count for a kind of recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_cellstage.learn.members import OF_ENSEMBLE
from napari_cellstage.learn.recipe import Recipe

# What the network sees of a cell.
SEEN = (
    "crop_size",
    "crop",
    "crop_um",
    "margin",
    "surroundings",
    "planes",
    "planes_count",
    "normalise",
    "fixed_low",
    "fixed_high",
)
# What a newcomer may want to change.
FIRST = (
    "members",
    "classifier",
    "trees",
    "tree_rate",
    "network",
    "layers",
    "epochs",
    "batch_size",
    "learning_rate",
)
# All the rest, under what it is about.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Start and picture": ("weights", "dropout", "input_size", "random_crop", "standardise", "sharpen"),
    "Steps": ("optimiser", "momentum", "find_rate", "schedule", "step_epochs", "weight_decay", "decays", "average"),
    "Classes": ("class_weights", "upsample", "label_smoothing"),
    "Cells shown turned and changed": (
        "quarter_turns",
        "rotate",
        "rotate_up_to",
        "flip",
        "scale",
        "shift",
        "brightness",
        "contrast",
        "noise",
        "views",
    ),
    "When it ends": ("validation", "patience", "stop_by", "stop_folds"),
    "Score": ("holdout", "folds"),
    "Machine": ("seed", "device", "precision"),
}
# Choices that are made elsewhere in the window, or for the machine.
NOT_SHOWN = ("name", "about", "kind", "threads")
_OF_QUICK = (
    *SEEN,
    "classifier",
    "trees",
    "tree_rate",
    "network",
    "weights",
    "class_weights",
    "holdout",
    "folds",
    "seed",
    "device",
)
_WHEN: Mapping[str, tuple[Any, ...] | None] = {
    name: one.metadata.get("when") for name, one in Recipe.__dataclass_fields__.items()
}


def counts(name: str, kind: str, values: Mapping[str, Any]) -> bool:
    """Return whether a choice counts as things are.

    Parameters
    ----------
    name
        Of the choice.
    kind
        Of the recipe.
    values
        Of all choices that are shown.
    """
    if kind == "ensemble":
        return name in OF_ENSEMBLE and _asked_for(name, kind, values)
    if kind == "quick" and (name not in _OF_QUICK or _without_effect_on_quick(name, values)):
        return False
    return _asked_for(name, kind, values)


def _asked_for(name: str, kind: str, values: Mapping[str, Any]) -> bool:
    when = _WHEN[name]
    return when is None or (kind if when[0] == "kind" else values[when[0]]) in when[1:]


def _without_effect_on_quick(name: str, values: Mapping[str, Any]) -> bool:
    """Return whether a choice of the quick recipe changes nothing: trees where none grow, a network with no weights."""
    if name in ("trees", "tree_rate"):
        return bool(values["classifier"] != "trees")
    return name == "network" and values["weights"] == "none"
