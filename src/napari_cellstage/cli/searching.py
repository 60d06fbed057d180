"""`napari-cellstage search`: layers of a network found by trying many."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from napari_cellstage.cli.answers import score_lines, table_lines, write_json
from napari_cellstage.cli.progress import Reporter, stop_on_interrupt
from napari_cellstage.cli.sources import read_data
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.scoring.words import number
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.search import Searched, search_topology
from napari_cellstage.learn.search_report import TABLE, Found
from napari_cellstage.learn.search_space import SearchChoices, SearchSpace
from napari_cellstage.learn.search_study import check_optuna

SHOWN = 5  # trials on the terminal
_RANGES = tuple(one.name for one in fields(SearchSpace) if one.name not in ("pooling", "input_step"))


@dataclass(frozen=True)
class SearchOptions:
    """What the user chose.

    Parameters
    ----------
    recipe, choices
        A named recipe or TOML file, and values that replace its own.
    classes, group_from
        As for `train`.
    search
        How is searched.
    """

    recipe: str
    choices: dict[str, Any] = field(default_factory=dict)
    classes: str | None = None
    group_from: str | None = None
    search: SearchChoices = field(default_factory=SearchChoices)


def search_layers(path: Path, out: Path, options: SearchOptions, *, as_json: bool) -> None:
    """Search, or go on with a search, and say what was found."""
    check_optuna()  # before a thousand pictures are read
    recipe = Recipe.load(options.recipe).but(**options.choices)
    data, reporter = read_data(path, options.group_from, options.classes), Reporter()
    for note in data.notes:
        reporter.say(note)
    training = data.training_set(recipe)
    with stop_on_interrupt(reporter.say) as should_stop:
        done = reporter.follow(search_topology(training, recipe, out, options.search, should_stop))
    for line in _lines(done, path, out):
        reporter.say(line)
    if as_json:
        write_json(_figures(done, out))


def read_ranges(written: Sequence[str]) -> SearchSpace:
    """Return the published ranges with those that are written as ``NAME=LOW-HIGH`` instead.

    Raises
    ------
    TrainingError
        If one is not written so, or has no such name.
    """
    given: dict[str, Any] = {}
    for text in written:
        name, _, value = (part.strip() for part in text.partition("="))
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", value)
        if name == "pooling" and value in ("yes", "no", "both"):
            given[name] = {"yes": (True,), "no": (False,), "both": (True, False)}[value]
        elif name in _RANGES and found:
            given[name] = (int(found[1]), int(found[2] or found[1]))
        else:
            raise TrainingError(
                f"--range '{text}' can't be read. Write NAME=LOW-HIGH with one of the names {', '.join(_RANGES)}, or "
                "pooling=yes, no or both."
            )
    low, high = given.get("input_size", (100, 300))
    step = 20 if high - low >= 100 else max((high - low) // 5, 1)
    return replace(SearchSpace(), **given, input_step=step)


def _lines(done: Searched, path: Path, out: Path) -> list[str]:
    found = done.found
    if found.best is None or done.recipe is None:
        return [f"No trial is complete: {found.text or '0 trials'}. Run the same command again to go on."]
    low, high = found.best.interval
    lines = [
        "",
        *table_lines(_leaders(found)),
        "",
        f"{len(found.trials)} trials: {found.text}.",
        f"best: trial {found.best.number}, {found.best.layers}; pictures of {found.best.input_size} pixels",
        f"cross-validated accuracy {number(found.best.accuracy, (low, high))}, interval over {len(found.best.folds)} "
        f"folds. It flatters: it is the best of {found.tried}.",
        found.importance_text,
    ]
    if done.scores is not None:
        lines += ["", *score_lines(done.scores, "accuracy of the best on cells held out from the whole search:")]
    else:
        lines += ["It was not scored on the cells held out from the search, as this was stopped."]
    line = shlex.join(["napari-cellstage", "train", str(path), "--recipe", str(out / "best.toml"), "--out", "RUN"])
    return [*lines, "", f"train it with: {line}"]


def _leaders(found: Found) -> Any:
    import pandas as pd

    complete = [one for one in found.trials if one.state == "complete"]
    first = sorted(complete, key=lambda one: -one.accuracy)[:SHOWN]
    rows = [
        {"trial": one.number, "accuracy": f"{one.accuracy:.3f}", "pixels": one.input_size, "layers": one.layers}
        for one in first
    ]
    return pd.DataFrame(rows)


def _figures(done: Searched, out: Path) -> dict[str, Any]:
    found = done.found
    best = None
    if found.best is not None:
        best = {
            "trial": found.best.number,
            "layers": found.best.layers,
            "input_size": found.best.input_size,
            "parameters": found.best.parameters,
            "accuracy": found.best.accuracy,
            "low": found.best.interval[0],
            "high": found.best.interval[1],
            "folds": list(found.best.folds),
        }
    held_out = None
    if (scores := done.scores) is not None:
        held_out = {"accuracy": scores.accuracy, "low": scores.low, "high": scores.high, "n": scores.n}
    return {
        "trials": len(found.trials),
        "complete": found.count("complete"),
        "given_up": found.count("given up"),
        "impossible": found.count("can't be"),
        "interrupted": found.count("ended in its midst"),
        "best": best,
        "held_out": held_out,
        "importance": found.importance,
        "recipe": str(out / "best.toml") if best else None,
        "table": str(out / TABLE),
    }
