"""What is known of trained stain models without loading them: from the cards of the run folders. Loads no torch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_cellstage.learn.card import CARD, STAIN
from napari_cellstage.learn.model_files import WEIGHTS

SCORES = "scores.json"


@dataclass(frozen=True)
class StainRun:
    """One trained stain model, as its folder tells it.

    Parameters
    ----------
    folder
        Where it is.
    made
        When, as text of ISO 8601 in UTC; empty where the card does not say.
    recipe
        Name of its recipe.
    inputs, stains
        Names of the channels it looks at, and of the stains it predicts.
    pearson
        Mean r over images it was not trained on, by stain; empty where nobody scored it.
    interval
        95 % of it, by stain.
    has_model
        Its weights are there.
    problem
        What is wrong with the folder, in a sentence; empty when nothing is.
    """

    folder: Path
    made: str = ""
    recipe: str = ""
    inputs: tuple[str, ...] = ()
    stains: tuple[str, ...] = ()
    pearson: dict[str, float] = field(default_factory=dict)
    interval: dict[str, tuple[float, float]] = field(default_factory=dict)
    has_model: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """Name of the run: its folder's."""
        return self.folder.name


def list_stain_runs(runs: Path) -> tuple[StainRun, ...]:
    """Return what is known of every stain model in a folder of runs, the newest first; damaged ones are among them.

    Runs of other kinds are left out; so are folders without a card, as nobody knows what they were to be.
    """
    try:
        folders = [one for one in runs.iterdir() if one.is_dir()]
    except OSError:
        return ()
    found = [one for folder in folders if (one := read_stain_run(folder)) is not None]
    return tuple(sorted(found, key=lambda one: (one.made, one.name), reverse=True))


def read_stain_run(folder: Path) -> StainRun | None:
    """Return what is known of one model; None where the folder holds none, or one of another kind."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if not isinstance(card, dict) or card.get("kind") != STAIN:
            return None
    except (OSError, ValueError):
        return None
    has_model = (folder / WEIGHTS).is_file()
    problem = "" if has_model else f"{WEIGHTS} is gone, so the model can't predict any more. Copy the folder again."
    try:
        return StainRun(folder, **_told(card), **_scores(folder), has_model=has_model, problem=problem)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        return StainRun(folder, problem=f"{CARD} can't be read: {e!r}. Copy the folder again, or train anew.")


def _told(card: dict[str, Any]) -> dict[str, Any]:
    return {
        "made": str(card.get("made", "")),
        "recipe": str(card["recipe"]["name"]),
        "inputs": tuple(map(str, card["input_names"])),
        "stains": tuple(map(str, card["stain_names"])),
    }


def _scores(folder: Path) -> dict[str, Any]:
    """Return r by stain and its interval; nothing where nobody scored it."""
    try:
        told = json.loads((folder / SCORES).read_text(encoding="utf-8"))["stains"]
        each = told if isinstance(told, dict) else {one["name"]: one for one in told}
        r = {str(name): float(one["pearson"]) for name, one in each.items() if one["pearson"] is not None}
        ends = {str(name): one.get("pearson_interval") for name, one in each.items() if name in r}
        intervals = {n: (float(e[0]), float(e[1])) for n, e in ends.items() if e and None not in e}
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return {}  # they can be made again: `stain evaluate`
    return {"pearson": r, "interval": intervals}
