"""What is known of trained stain models without loading them: from the cards of the run folders. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

KIND = "stain"


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
    """Return what is known of every stain model in a folder of runs, the newest first; damaged ones are among them."""
    raise NotImplementedError
