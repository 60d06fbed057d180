"""What a search has found so far: a table of its trials, the best of them with its interval, and it as a recipe."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellstage.core.safe_csv import write_csv
from napari_cellstage.core.scoring.intervals import CONFIDENCE_LEVEL, Interval
from napari_cellstage.core.whole_files import write_whole
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.search_study import FEWEST_FOR_IMPORTANCE, WHY

if TYPE_CHECKING:
    import optuna

    from napari_cellstage.learn.search_study import Study

BEST, TABLE = "best", "trials.csv"
OF_THE_MACHINE = ("device", "threads")  # which may be another one the next time
State = Literal["complete", "given up", "can't be", "ended in its midst", "running"]


@dataclass(frozen=True)
class TriedNetwork:
    """One trial.

    Parameters
    ----------
    number
        From 1, in the order of the file.
    state
        Only complete trials can be the best.
    layers, input_size, parameters
        The network; 0 parameters where they were not counted.
    accuracy
        Cross-validated, of all cells together; of the folds done where it was given up, NaN without any.
    folds
        Accuracy of each fold.
    seconds, reason
        How long it took; why it was not completed.
    """

    number: int
    state: State
    layers: str
    input_size: int
    parameters: int
    accuracy: float
    folds: tuple[float, ...]
    seconds: float
    reason: str

    @property
    def interval(self) -> Interval:
        """Student's interval of the mean over folds, within 0 to 1; NaN with fewer than two."""
        from scipy.stats import t

        count = len(self.folds)
        if count < 2:
            return (math.nan, math.nan)
        mean = sum(self.folds) / count
        spread = math.sqrt(sum((one - mean) ** 2 for one in self.folds) / (count - 1))
        reach = float(t.ppf((1 + CONFIDENCE_LEVEL) / 2, count - 1)) * spread / math.sqrt(count)
        return (max(0.0, min(mean - reach, self.accuracy)), min(1.0, max(mean + reach, self.accuracy)))


@dataclass(frozen=True)
class Found:
    """All trials of a search.

    Parameters
    ----------
    trials
        In their order.
    importance
        Share of the differences that each choice explains; empty where they are too few to say.
    """

    trials: tuple[TriedNetwork, ...]
    importance: dict[str, float]

    @cached_property
    def best(self) -> TriedNetwork | None:
        """The complete trial with the highest accuracy, the first of equals."""
        complete = [one for one in self.trials if one.state == "complete"]
        return max(complete, key=lambda one: one.accuracy, default=None)

    def count(self, state: State) -> int:
        """Return how many trials ended so."""
        return sum(one.state == state for one in self.trials)

    @property
    def tried(self) -> int:
        """How many networks were trained, to the end or until they were given up."""
        return self.count("complete") + self.count("given up")

    @property
    def text(self) -> str:
        """How many trials ended in which way."""
        ways: tuple[State, ...] = ("complete", "given up", "can't be", "ended in its midst")
        return ", ".join(f"{self.count(way)} {way}" for way in ways if self.count(way))

    @property
    def importance_text(self) -> str:
        """What each choice matters, or why nobody can say."""
        if not self.importance:
            return (
                f"What each choice matters is told from {FEWEST_FOR_IMPORTANCE} complete trials on, "
                f"which must not all be equally good; there are {self.count('complete')}."
            )
        parts = [f"{name} {share:.2f}" for name, share in self.importance.items()]
        return "How much of the differences each choice explains: " + ", ".join(parts) + "."


def found_so_far(study: Study, seed: int | None) -> Found:
    """Return the trials of a study; with a seed also what each choice matters, which takes a moment."""
    return Found(tuple(map(_tried, study.trials)), {} if seed is None else study.importance(seed))


def _tried(trial: optuna.trial.FrozenTrial) -> TriedNetwork:
    told = trial.user_attrs
    reason = str(told.get(WHY, ""))
    reached = max(trial.intermediate_values, default=None)
    accuracy = math.nan if reached is None else trial.intermediate_values[reached]
    return TriedNetwork(
        number=trial.number + 1,
        state=_state(trial.state.name, reason),
        layers=str(told.get("layers", "")),
        input_size=int(told.get("input size", 0)),
        parameters=int(told.get("parameters", 0)),
        accuracy=float(accuracy),
        folds=tuple(map(float, told.get("folds", ()))),
        seconds=float(told.get("seconds", math.nan)),
        reason=reason,
    )


def _state(name: str, reason: str) -> State:
    if name == "PRUNED":
        return "can't be" if reason.startswith("can't be") else "given up"
    states: dict[str, State] = {"COMPLETE": "complete", "FAIL": "ended in its midst"}
    return states.get(name, "running")


def write_trials(folder: Path, found: Found) -> None:
    """Write ``trials.csv``, a row a trial."""
    import pandas as pd

    write_csv(pd.DataFrame([_row(one) for one in found.trials]), folder / TABLE)


def _row(one: TriedNetwork) -> dict[str, Any]:
    low, high = one.interval
    return {
        "trial": one.number,
        "state": one.state,
        "accuracy": one.accuracy,
        "low": low,
        "high": high,
        "folds": " ".join(f"{fold:.4f}" for fold in one.folds),
        "layers": one.layers,
        "input_size": one.input_size,
        "parameters": one.parameters,
        "seconds": one.seconds,
        "reason": one.reason,
    }


def write_recipe(folder: Path, recipe: Recipe, found: Found) -> None:
    """Write the best as ``best.toml``, for ``train --recipe``."""
    if found.best is None:
        return
    head = (
        f"# The best of {found.tried} networks of a topology search, trial {found.best.number}.\n"
        f"# Its cross-validated accuracy, {found.best.accuracy:.4f}, flatters: it is the best of many.\n"
    )
    # A TOML string of one line is written as one of JSON; so are numbers and truth values.
    told = {name: value for name, value in recipe.to_dict().items() if name not in OF_THE_MACHINE}
    text = head + "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in told.items())
    write_whole(folder / f"{BEST}.toml", lambda file: _write(file, text))


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
