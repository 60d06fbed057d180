"""What the members of an ensemble say, averaged and calibrated."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.scoring.calibration import calibrated
from napari_cellstage.core.steps import relayed
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.verdicts import Verdicts

Values = NDArray[np.float32]
Judged = Generator[BatchDone, None, Verdicts]
Judging = Callable[[TrainedModel], Judged]


def mean_of(parts: Sequence[Values]) -> Values:
    """Return the mean of several ``(N, K)`` probabilities; NaN in rows that one of them lacks."""
    values: Values = np.mean(np.stack(parts).astype(np.float64), axis=0).astype(np.float32)
    return values


def judged_by_members(model: TrainedModel, judging: Judging) -> Judged:
    """Say what an ensemble makes of cells.

    Parameters
    ----------
    model
        The ensemble.
    judging
        Begins the work of one member on these cells; its progress is counted in them.

    Returns
    -------
    Verdicts
        Rows that a member did not reach before a stop are NaN. Where cells lie is told by the first member that knows.
    """
    parts = []
    for number, member in enumerate(model.members):
        counted = partial(_counted, number, len(model.members))
        parts.append((yield from relayed(judging(member), counted)))
    said = mean_of([one.probabilities for one in parts])
    reached = np.isfinite(said[:, 0])
    said[reached] = calibrated(said[reached], float(model.card["temperature"]))
    placed = next((one for one in parts if one.embedding is not None), parts[0])
    return replace(placed, probabilities=said)


def _counted(number: int, members: int, step: BatchDone) -> BatchDone:
    """Tell the step of one member as part of the whole."""
    return replace(step, done=(number * step.total + step.done) // members)
