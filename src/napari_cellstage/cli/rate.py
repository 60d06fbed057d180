"""`napari-cellstage find-rate`: the learning-rate finder with its curve as text, CSV and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from napari_cellstage.cli.answers import aligned, write_json, write_table
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.sources import read_data
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.finetune import find_rate
from napari_cellstage.learn.rate_curve import RateCurve
from napari_cellstage.learn.recipe import Recipe

LINES = 25  # of the curve as text
WIDTH = 50


def show_rate(
    path: Path,
    recipe_name: str,
    choices: dict[str, Any],
    *,
    group_from: str | None,
    classes: str | None = None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find the learning rate for labelled cells and a recipe, and print the curve.

    Parameters
    ----------
    path
        Data.
    recipe_name, choices
        A recipe and values that replace its own.
    group_from
        Regular expression for the group of a crop.
    classes
        The classes to be told apart, with commas between; None: all.
    out
        CSV to write, or None.
    as_json
        Whether to end with a line of JSON.

    Raises
    ------
    TrainingError
        If the recipe trains no network.
    """
    recipe = Recipe.load(recipe_name).but(**choices)
    if recipe.kind != "finetune":
        raise TrainingError(
            f"The recipe '{recipe.name}' trains no network, so it has no learning rate. "
            "Choose one of the kind finetune."
        )
    reporter, data = Reporter(), read_data(path, group_from, classes)
    for note in data.notes:
        reporter.say(note)
    with stop_on_interrupt(reporter.say) as should_stop:
        curve = reporter.follow(find_rate(data.training_set(recipe), recipe, should_stop))
    for line in (*lines_of(curve), "", curve.text, _what_to_do(curve)):
        reporter.say(line)
    if out is not None:
        write_table(pd.DataFrame({name: getattr(curve, name) for name in ("rates", "losses", "smooth")}), out)
        reporter.say(f"curve in {out}")
    if as_json:
        write_json(curve.to_dict() | {"recipe": recipe.name})


def lines_of(curve: RateCurve) -> list[str]:
    """Return the curve as lines of text: rate, smoothed loss, and a bar as long as the loss is high."""
    step = max(1, len(curve.rates) // LINES)
    low, high = float(curve.smooth.min()), float(curve.smooth.max())
    rows = [
        (f"{rate:.1e}", f"{loss:.3f}", "█" * round(WIDTH * (loss - low) / max(high - low, 1e-9)))
        for rate, loss in zip(curve.rates[::step], curve.smooth[::step], strict=True)
    ]
    return aligned([("rate", "loss", ""), *rows])


def _what_to_do(curve: RateCurve) -> str:
    if curve.suggestion is None:
        return "Look at the labels, or try --set batch_size=64: more cells a step are less noisy."
    return f"To train with it: --set learning_rate={curve.suggestion:g}"
