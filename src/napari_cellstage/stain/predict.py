"""Stains predicted for an image, block by block, with their uncertainty and where not to trust them. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.stain.prediction import StainPrediction

if TYPE_CHECKING:
    from napari_cellstage.stain.model import StainModel

__all__ = ["StainPrediction", "predict_many", "predict_stains"]


def predict_stains(
    model: StainModel,
    stack: ImageStack,
    *,
    inputs: Sequence[str | int] | None = None,
    times: Sequence[int] | None = None,
    into: Path | str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Note | BatchDone, None, StainPrediction]:
    """Predict the stains of an image.

    Parameters
    ----------
    model
        From `fit_stain` or `StainModel.load`.
    stack
        Read block by block, never as a whole where it is large.
    inputs
        Channels to look at, by name or number, in the order of the model's; None: those with the model's names, else
        the only ones there can be.
    times
        Time points; None: all.
    into
        Folder to make for a Zarr group with the arrays ``mean``, ``uncertainty`` and ``unlike``, there whole or not at
        all; None: memory, or a temporary folder that goes with the prediction where it is larger than 512 MB.
    should_stop
        Asked between batches. Time points that are whole by then are kept, the others left out.

    Yields
    ------
    Note
        A sentence to show: resampled, another channel taken, stopped.
    BatchDone
        How much of all time points is done.

    Raises
    ------
    ModelError
        If the image's channels or planes do not fit the model.
    ImageError
        If it can't be read, or there is no such time point.
    """
    raise NotImplementedError
    yield


def predict_many(
    models: Sequence[StainModel],
    stack: ImageStack,
    *,
    inputs: Sequence[str | int] | None = None,
    times: Sequence[int] | None = None,
    into: Path | str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Note | BatchDone, None, tuple[StainPrediction, ...]]:
    """Predict with several models on one image, one after the other; see `predict_stains`.

    `into` is a folder that gets one Zarr group a model, named ``0.zarr``, ``1.zarr`` ... After a stop there is a
    prediction for each model that had begun, the last one with the time points that are whole.
    """
    raise NotImplementedError
    yield
