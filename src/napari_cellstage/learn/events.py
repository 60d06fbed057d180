"""What `fit`, `predict` and a training job report while they run. Plain values: safe to hand to another thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Note:
    """A sentence the user should see: which weights were used, a halved batch, which model was kept."""

    text: str


@dataclass(frozen=True)
class BatchDone:
    """One batch (or step) of some work is done.

    Parameters
    ----------
    what
        The work in words, such as ``"epoch 3/20"`` or ``"predicting"``.
    done, total
        Steps of the whole work, so that ``done / total`` is the share done.
    loss
        Training loss of the batch, or None.
    """

    what: str
    done: int
    total: int
    loss: float | None = None


@dataclass(frozen=True)
class EpochDone:
    """One epoch of training is done, and the validation part was looked at.

    Parameters
    ----------
    epoch, epochs
        From 1.
    train_loss
        Mean over the epoch.
    valid_loss, valid_accuracy
        On the validation part, or on training cells as networks beside say that were trained without them; where cells
        are too few for a validation part, on the held-out part, which is shown but chooses nothing; NaN without it.
    images_per_second
        Training images, augmentation included.
    member
        Which member of an ensemble it is of; empty for any other training.
    """

    epoch: int
    epochs: int
    train_loss: float
    valid_loss: float
    valid_accuracy: float
    images_per_second: float
    member: str = ""


def counted_from(before: int, total: int) -> Callable[[BatchDone], BatchDone]:
    """Return what tells steps of a part of some work as steps of the whole."""
    return lambda step: replace(step, done=before + step.done, total=total)


# Which part of a training some work is, so that the time left is right; all other work, such as epochs, counts as it
# is.
_PARTS = {
    "finding the learning rate": (0.0, 0.0),
    "measuring cells": (0.0, 0.1),
    "choosing a classifier": (0.1, 0.7),
    "training boosted trees": (0.1, 1.0),
}


def share_done(event: BatchDone) -> float:
    """Return how much of a training is done; looking at cells in between is no progress of its own."""
    if event.what in ("validating", "scoring"):
        return 0.0
    start, end = _PARTS.get(event.what, (0.0, 1.0))
    return start + (end - start) * event.done / max(event.total, 1)
