"""What `fit`, `predict` and a training job report while they run. Plain values: safe to hand to another thread."""

from __future__ import annotations

from dataclasses import dataclass


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
        On the validation part; where cells are too few for one, on the held-out part, which is shown but chooses
        nothing; NaN without either.
    images_per_second
        Training images, augmentation included.
    """

    epoch: int
    epochs: int
    train_loss: float
    valid_loss: float
    valid_accuracy: float
    images_per_second: float
