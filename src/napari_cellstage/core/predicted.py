"""Predicted stains: what is known of them, and how they are named. A stain that nobody measured is never nameless.

Each is one more channel of its image, after those of the file; see `stain_channels` for its pixels.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Protocol

from napari_cellstage.core.channel_names import named_channel

LEVELS = ("like", "doubtful", "unlike")  # of a verdict, from good to bad
BLUE = "#4f8fff"
COLOURS = (BLUE, "#3fd07f", "#ff5f5f", "#ffb020", "#d070ff", "#30d0d0")
_NAME = re.compile(r"(?P<stain>.*) \(predicted(?: by (?P<run>.+))?\)", re.DOTALL)


@dataclass(frozen=True)
class PredictedStain:
    """What is known of one predicted stain of one image, without its pixels.

    Parameters
    ----------
    name
        Of the channel, such as ``"DNA (predicted)"``.
    stain
        What it stands for, such as ``"DNA"``.
    run
        Name of the run whose model predicted it; of a model from elsewhere, whatever its folder is called.
    verdict
        One of `LEVELS`: the worst of all time points; empty where nobody judged.
    text
        The verdict in words, of the time point that is worst.
    at
        When it was predicted, ISO 8601 in UTC.
    version
        Number of its files within the image; two stains of one prediction share it.
    place
        Which of the stains in these files it is.
    colour
        ``"#rrggbb"`` in which it is shown.
    """

    name: str
    stain: str
    run: str = ""
    verdict: str = ""
    text: str = ""
    at: str = ""
    version: int = 0
    place: int = 0
    colour: str = ""

    @property
    def note(self) -> str:
        """A sentence that says that it is predicted, by what, and what was thought of it; for files and exports."""
        by = f" by the model '{self.run}'" if self.run else ""
        judged = f" Against its training images this one is {self.verdict}." if self.verdict else ""
        return f"'{self.name}' is no measured stain: it was predicted from transmitted light{by}.{judged}"


class Judged(Protocol):
    """What this needs of a verdict; see `stain.verdicts.Verdict`."""

    @property
    def level(self) -> str:
        """One of `LEVELS`."""

    @property
    def text(self) -> str:
        """In words."""


class Prediction(Protocol):
    """What this needs of a prediction; see `stain.predict.StainPrediction`."""

    @property
    def stain_names(self) -> Sequence[str]:
        """One a stain."""

    @property
    def mean(self) -> Any:
        """``(T, S, Z, Y, X)``, in memory or on disk."""

    @property
    def uncertainty(self) -> Any:
        """The same shape."""

    @property
    def unlike(self) -> Any:
        """``(T, 1, 1, h, w)``, coarse."""

    @property
    def step(self) -> tuple[float, float]:
        """How many pixels of the image one of `unlike` is high and wide."""

    @property
    def times(self) -> Sequence[int]:
        """Which time points of the image these are."""

    @property
    def verdicts(self) -> Sequence[Judged]:
        """One a time point."""


def predicted_name(stain: str, run: str = "") -> str:
    """Return what a predicted stain is called, everywhere: ``"DNA (predicted)"``, or ``"DNA (predicted by RUN)"``."""
    return f"{stain} (predicted by {run})" if run else f"{stain} (predicted)"


def is_predicted(name: str) -> bool:
    """Tell whether a channel is called a predicted one, also in a file."""
    return _NAME.fullmatch(name) is not None


def predicted_among(names: Sequence[str]) -> str:
    """Return the predicted channels among these, in words; empty where there is none."""
    return ", ".join(name for name in names if is_predicted(name))


def stain_of(name: str) -> str:
    """Return what a predicted channel stands for: ``"DNA"`` of ``"DNA (predicted)"``; any other name as it is."""
    found = _NAME.fullmatch(name)
    return name if found is None else found["stain"]


def free_name(stain: str, run: str, taken: Iterable[str]) -> str:
    """Return the name for a stain where others are there: with its run, and a number, where that is taken."""
    known = set(taken)
    by_run = (predicted_name(stain, run if n == 1 else f"{run} {n}".strip()) for n in count(1))
    return next(name for name in chain((predicted_name(stain),), by_run) if name not in known)


def colour_of(stain: str, taken: Collection[str]) -> str:
    """Return the colour a stain is shown in, ``"#rrggbb"``: nuclei blue, others in their turn, none twice."""
    free = [one for one in COLOURS if one not in taken] or list(COLOURS)
    nuclear = named_channel((stain,)) is not None
    return BLUE if nuclear and BLUE in free else next((one for one in free if one != BLUE), BLUE)


def worst(verdicts: Sequence[Judged]) -> tuple[str, str]:
    """Return level and words of the worst verdict; empty where there is none."""
    known = [one for one in verdicts if one.level in LEVELS]
    found = max(known, key=lambda one: LEVELS.index(one.level), default=None)
    return ("", "") if found is None else (found.level, found.text)
