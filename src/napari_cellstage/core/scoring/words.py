"""What each figure of `Scores` is called, what it means in a sentence, and how it is written: the same everywhere.

Command line, report and tables take their text from here, so that they agree to the last digit shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from napari_cellstage.core.scoring.scores import ClassScores, Interval, Scores

_KAPPAS = {
    "quadratic": ("weighted kappa (ordered)", "Agreement beyond chance; a mistake by two steps counts four times one."),
    "cyclic": ("weighted kappa (cyclic)", "Agreement beyond chance; the last stage is next to the first one again."),
}
_TITLES = {
    "accuracy": ("accuracy", "Share of cells that are predicted right. A common class alone can make it high."),
    "balanced_accuracy": (
        "balanced accuracy",
        "Mean over the classes of the share found, so that rare classes count as much as common ones.",
    ),
    "macro_f1": ("macro F1", "Mean over the classes of F1, which falls when cells are missed or wrongly added."),
    "matthews": ("Matthews correlation", "1: all right; 0: no better than guessing by how common classes are."),
}
ECE = (
    "calibration error",
    "How far the confidence is off on average; 0.05 means: of cells shown with 0.80, 0.75 to 0.85 are right.",
)


@dataclass(frozen=True)
class Figure:
    """One figure: its key in JSON, its name, its text such as ``"0.86 (0.79–0.91)"``, and what it means."""

    key: str
    title: str
    text: str
    meaning: str


def figures_of(scores: Scores) -> tuple[Figure, ...]:
    """Return the figures that are known, in the order in which to show them."""
    titles = dict(_TITLES)
    if scores.kappa is not None:
        titles["kappa"] = _KAPPAS[scores.kappa_kind or "quadratic"]
    found = [_with_interval(scores, key, *words) for key, words in titles.items()]
    return tuple(one for one in found if one is not None) + _calibration(scores)


def _with_interval(scores: Scores, key: str, title: str, meaning: str) -> Figure | None:
    value = getattr(scores, key)
    if value is None or math.isnan(value):
        return None
    interval = (scores.low, scores.high) if key == "accuracy" else scores.intervals.get(key)
    return Figure(key, title, number(value, interval), meaning)


def _calibration(scores: Scores) -> tuple[Figure, ...]:
    found = []
    if scores.ece is not None:
        found.append(Figure("ece", ECE[0], f"{scores.ece:.3f}", ECE[1]))
    if scores.ece_before is not None:
        meaning = "The same before the confidence was corrected on held-out cells."
        found.append(Figure("ece_before", f"{ECE[0]} before", f"{scores.ece_before:.3f}", meaning))
    return tuple(found)


def class_texts(one: ClassScores) -> tuple[str, str, str]:
    """Return precision, recall and F1 of a class as text."""
    return (
        number(one.precision, one.precision_interval),
        number(one.recall, one.recall_interval),
        number(one.f1, one.f1_interval),
    )


def number(value: float, interval: Interval | None = None) -> str:
    """Return a share with its interval, such as ``"0.86 (0.79–0.91)"``; a dash where it is undefined."""
    if math.isnan(value):
        return "–"
    low, high = (math.nan, math.nan) if interval is None else interval
    return f"{value:.2f}" if math.isnan(low) or math.isnan(high) else f"{value:.2f} ({low:.2f}–{high:.2f})"


def interval_words(scores: Scores) -> str:
    """Return what the brackets are, in a sentence."""
    over = scores.interval_over
    how = "each cell counted by itself" if over == "cells" else f"drawn again and again from {over}, each as a whole"
    return f"In brackets: 95 % intervals, {how}."


def cells_words(count: int) -> str:
    """Return ``"1 cell"`` or ``"212 cells"``."""
    return f"{count:,} cell{'s' if count != 1 else ''}"
