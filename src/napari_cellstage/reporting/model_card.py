"""The model card: what a model is for, what it has seen, how it sees cells, and where not to trust it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_cellstage.core.predicted import predicted_among
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.scoring.words import cells_words
from napari_cellstage.reporting.run_facts import RunFacts

FEW = 20  # labelled cells of a class
POOR = 0.6  # share of a class that is found
_NORMALISED = {
    "dataset": "the same range for all cells, taken from the training cells",
    "fixed": "the same given range for all cells",
    "image": "the range of each image",
    "plate": "the range of each plate",
    "crop": "the range of each cell's own picture, so that how bright a cell is, is not seen",
}
Row = tuple[str, str]


def card_rows(facts: RunFacts) -> tuple[Row, ...]:
    """Return the card as pairs of what and its words."""
    card, recipe = facts.card, facts.recipe
    names = ", ".join(facts.classes.names)
    count = len(card["split"]["trained"])
    return (
        ("Intended use", f"Naming single cells in research images as one of: {names}. Not for diagnosis."),
        ("Suited for", "Images like those it was trained on: same stain, channels, magnification and kind of cell."),
        ("Trained on", f"{cells_words(count)}, labelled by the users of the project or the makers of the folders."),
        ("Kind", _kind(recipe)),
        *_members(card),
        ("Channels", ", ".join(map(str, card["channel_names"])) or "unnamed"),
        *_stains(card),
        ("Picture of a cell", _crop(card, recipe)),
        ("Brightness", _brightness(card["normalisation"])),
        ("Confidence", _confidence(card)),
    )


def _kind(recipe: dict[str, Any]) -> str:
    if recipe.get("kind") == "finetune":
        start = {"imagenet": "started from everyday photographs", "none": "started from nothing"}
        return f"Network {recipe['network']}, {start.get(recipe['weights'], 'started from weights of a file')}."
    if recipe.get("kind") == "ensemble":
        return "Several models trained on the same cells, whose probabilities are averaged."
    return "Measured features of each cell under a small classifier."


def _stains(card: dict[str, Any]) -> tuple[Row, ...]:
    """Return what rests on stains that nobody measured; nothing where none does."""
    seen = predicted_among([str(name) for name in card["channel_names"]])
    listed = card.get("found_in")
    found = ", ".join(map(str, listed)) if isinstance(listed, list) else ""
    told = (f"The model looks at {seen}." if seen else "", f"Cells were found in {found}." if found else "")
    text = " ".join(one for one in told if one)
    return (("Predicted stains", f"{text} Predicted from transmitted light, not measured."),) if text else ()


def _members(card: dict[str, Any]) -> tuple[Row, ...]:
    """Return what the members of an ensemble are, one a row."""
    members = [one for one in card.get("members", ()) if isinstance(one, dict)]
    return tuple((f"Member {number}", _member(one)) for number, one in enumerate(members, start=1))


def _member(one: dict[str, Any]) -> str:
    what = f"network {one['network']}" if one.get("network") else str(one.get("classifier") or "unknown")
    accuracy = one.get("accuracy")
    alone = f"; alone {accuracy:.2f} right of the held-out cells" if isinstance(accuracy, float) else ""
    return f"{one.get('recipe', 'unnamed')} (seed {one.get('seed', 'unknown')}): {what}{alone}."


def _crop(card: dict[str, Any], recipe: dict[str, Any]) -> str:
    size = {
        "micrometres": f"{recipe.get('crop_um', 0):g} µm wide",
        "cell": f"{recipe.get('margin', 0):g} times as wide as the cell",
    }.get(str(recipe.get("crop")), "at the image's own pixels")
    around = "neighbours painted over" if recipe.get("surroundings") == "masked" else "with what is around the cell"
    side = card["crop_size"]
    return f"{side} × {side} pixels, {size}, {around}; planes in z: {recipe.get('planes', 'nearest')}."


def _brightness(normalisation: dict[str, Any]) -> str:
    mode = str(normalisation["mode"])
    ends = zip(normalisation["low"], normalisation["high"], strict=True)
    ranges = ", ".join(f"{low:g} to {high:g}" for low, high in ends) if mode in ("dataset", "fixed") else ""
    words = _NORMALISED.get(mode, mode)
    return f"Black to white is {words}" + (f": {ranges} (one a channel)." if ranges else ".")


def _confidence(card: dict[str, Any]) -> str:
    temperature = card.get("temperature")
    if not isinstance(temperature, (int, float)):
        return "The model's own probability."
    return f"Top probability at temperature {temperature:.2f}, fitted on cells that were not trained on."


def limits(facts: RunFacts) -> tuple[str, ...]:
    """Return where not to trust the model, from what is known of this run."""
    found = [*(facts.scores.warnings if facts.scores else ()), *_of_labels(facts), *_of_scores(facts.scores)]
    found += _of_unlike(facts)
    found.append(
        "Other cell types, stains, treatments or microscopes were not tried here: label some of them and evaluate."
    )
    found.append("The labels count as the truth: where persons disagree, no score can say who is right.")
    return tuple(dict.fromkeys(found))


def _of_labels(facts: RunFacts) -> list[str]:
    labels = facts.card.get("labels") or {}
    rare = [f"{name} ({count})" for name, count in labels.items() if count < FEW]
    return [f"Classes with under {FEW} labelled cells are learnt from little: {_some(rare)}."] if rare else []


def _of_scores(scores: Scores | None) -> list[str]:
    if scores is None:
        return ["No cells were held out, so how often it is right is not known."]
    found = []
    poor = [f"{c.name} ({c.recall:.2f})" for c in scores.per_class if not math.isnan(c.recall) and c.recall < POOR]
    if poor:
        found.append(f"Of these classes many cells are missed (share found): {_some(poor)}.")
    if scores.interval_over == "cells" and not scores.by_cell:
        found.append("The intervals do not tell how much images differ from each other.")
    if scores.ece is not None and scores.ece > 0.05:
        found.append(f"The confidence is off by {scores.ece:.3f} on average: take it with care.")
    return found


def _of_unlike(facts: RunFacts) -> list[str]:
    unseen = facts.unseen
    if unseen is None or unseen.unlike is None or not len(unseen):
        return []
    count = int((np.nan_to_num(unseen.unlike) > 1).sum())
    return (
        [f"{count} of {cells_words(len(unseen))} scored are unlike the training cells; 1 % is usual."] if count else []
    )


def _some(names: list[str], shown: int = 12) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
