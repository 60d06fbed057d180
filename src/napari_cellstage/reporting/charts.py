"""The charts of a report: learning curves, reliability, how sure right and wrong answers are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.calibration import ReliabilityCurve, reliability
from napari_cellstage.reporting.plot import INK, Plot, ticks

# Blue and orange of Okabe & Ito, told apart by everybody and in gray print.
BLUE, ORANGE, GRAY = "#0072b2", "#d55e00", "#8c959f"
BINS = 20
TENTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
Epochs = Sequence[dict[str, float]]


def loss_curve(epochs: Epochs) -> Markup:
    """Return the loss of each epoch, on training and validation cells."""
    known = [one[name] for one in epochs for name in ("train_loss", "valid_loss") if np.isfinite(one[name])]
    top = max([*known, 1e-3]) * 1.05
    plot = _over_epochs("Loss of each epoch: training cells (blue), validation cells (orange)", "loss", epochs, top)
    plot.grid(_whole(epochs), ticks(0.0, top), (0, 2))
    for name, color in (("train_loss", BLUE), ("valid_loss", ORANGE)):
        for points in _points(epochs, name):
            plot.line(points, color)
    return plot.markup()


def accuracy_curve(epochs: Epochs) -> Markup:
    """Return the accuracy on validation cells after each epoch."""
    plot = _over_epochs("Accuracy on validation cells after each epoch", "accuracy", epochs, 1.0)
    plot.grid(_whole(epochs), TENTHS, (0, 1))
    for points in _points(epochs, "valid_accuracy"):
        plot.line(points, ORANGE)
    return plot.markup()


def _over_epochs(title: str, what: str, epochs: Epochs, top: float) -> Plot:
    last = max(*(one["epoch"] for one in epochs), 2.0)
    return Plot(title, "epoch", what, (1.0, last), (0.0, top))


def _whole(epochs: Epochs) -> tuple[float, ...]:
    last = max(*(one["epoch"] for one in epochs), 2.0)
    return tuple(sorted({1.0, *(value for value in ticks(1.0, last) if value == round(value))}))


def _points(epochs: Epochs, name: str) -> list[list[tuple[float, float]]]:
    """Return a line for each training: of an ensemble's members one begins where the epochs begin anew."""
    begins = [place for place, one in enumerate(epochs) if place and one["epoch"] <= epochs[place - 1]["epoch"]]
    ends = zip([0, *begins], [*begins, len(epochs)], strict=True)
    parts = [[(one["epoch"], one[name]) for one in epochs[start:end] if np.isfinite(one[name])] for start, end in ends]
    return [part for part in parts if len(part) > 1 or len(parts) == 1]


def reliability_chart(unseen: Unseen) -> Markup:
    """Return how often answers of like confidence are right, before and after calibration."""
    title = "Share of right answers by confidence; on the dashed line confidence means what it says"
    plot = Plot(title, "confidence", "share that is right")
    plot.grid(TENTHS, TENTHS)
    plot.line([(0.0, 0.0), (1.0, 1.0)], INK, dashed=True)
    _dots(plot, reliability(unseen.raw, unseen.truth), GRAY, "before")
    _dots(plot, reliability(unseen.probabilities, unseen.truth), BLUE, "after")
    return plot.markup()


def _dots(plot: Plot, curve: ReliabilityCurve, color: str, when: str) -> None:
    some = np.flatnonzero(curve.count)
    plot.line([(curve.confidence[i], curve.accuracy[i]) for i in some], color)
    for i in some:
        sure, right = float(curve.confidence[i]), float(curve.accuracy[i])
        hint = f"{when} calibration: {int(curve.count[i])} cells, confidence {sure:.2f}, right {right:.2f}"
        plot.dot((sure, right), color, float(curve.low[i]), float(curve.high[i]), hint)


def confidence_chart(unseen: Unseen) -> Markup:
    """Return how many right and wrong answers have which confidence, wrong ones on top of right ones."""
    sure = unseen.probabilities.max(axis=1, initial=0.0)
    hit = unseen.predicted == unseen.truth
    edges = np.linspace(0, 1, BINS + 1)
    right, wrong = (np.histogram(sure[mask], bins=edges)[0] for mask in (hit, ~hit))
    top = float(max((right + wrong).max(), 1))
    plot = Plot("Cells by confidence: right answers (blue), wrong answers (orange) on top", "confidence", "cells")
    plot.ys = (0.0, top * 1.05)
    plot.grid(TENTHS, [value for value in ticks(0.0, top) if value == round(value)], (1, 0))
    for place in range(BINS):
        start, end = float(edges[place]), float(edges[place + 1])
        plot.bar(start, end, 0.0, float(right[place]), BLUE)
        plot.bar(start, end, float(right[place]), float(right[place] + wrong[place]), ORANGE)
    return plot.markup()
