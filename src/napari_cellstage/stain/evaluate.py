"""A model of stains scored on images, or on parts of them, that it had not learned from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.scores import StainScores

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel
    from napari_cellstage.stain.pairs import StainSet
    from napari_cellstage.stain.splits import Region


def evaluate_stain(
    model: StainModel,
    data: StainSet,
    regions: Sequence[Region] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    *,
    train: Sequence[Region] | None = None,
    labels: Sequence[NDArray[Any] | None] | None = None,
) -> Generator[Note | BatchDone, None, StainScores]:
    """Score a model on pairs of input and true stain.

    Parameters
    ----------
    model
        As it is.
    data
        Pairs; with its stains by name, or in the model's order.
    regions
        What is scored, such as ``split.held_out``; None: every pair, whole.
    should_stop
        Asked between batches; what was not reached is not scored.
    train
        Where the model has learned, on which the baseline is chosen; None: no baseline.
    labels
        ``(Z, Y, X)`` or ``(Y, X)`` integers a pair, or None: cells, of which each gets its own r.

    Raises
    ------
    ModelError
        If the pairs lack an input or all stains of the model.
    TrainingError
        If there is nothing to score.
    """
    raise NotImplementedError
    yield
