"""Predict with a trained model of either kind: for crops, and for every cell of a project."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.feature_cache import FeatureCache
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.learn.cutting import Cutter, plates_of
from napari_cellstage.learn.data import cell_names
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.fit import never
from napari_cellstage.learn.model import TrainedModel

Pixel = TypeVar("Pixel", bound=np.generic)
CHUNK = 4096  # cells whose crops are in memory at a time


def predict(
    model: TrainedModel,
    crops: NDArray[np.generic],
    masks: NDArray[np.bool_] | None = None,
    should_stop: Callable[[], bool] = never,
    cache: FeatureCache | None = None,
    *,
    scaled: bool = False,
) -> Generator[BatchDone, None, NDArray[np.float32]]:
    """Predict the classes of crops.

    Parameters
    ----------
    model
        Of either kind.
    crops
        ``(N, C, H, W)`` raw intensities; cut or mirrored around the middle to the model's crop size.
    masks
        ``(N, H, W)`` bool, or None; used by the quick kind.
    should_stop
        Asked every batch.
    cache
        Where the quick kind finds features measured before.
    scaled
        The crops are as `cut` gives them: scaled by their image or plate where the model wants that.

    Returns
    -------
    ndarray
        ``(N, K)`` float32 probabilities that sum to 1; NaN in rows not reached before a stop.

    Raises
    ------
    ModelError
        If the crops have another number of channels than the model, or lack an image to be scaled by.
    """
    model.check_crops(crops.shape[1])
    if model.normalisation.by_image and not scaled:
        raise ModelError(
            f"The model was trained on cells that are as bright as their {model.normalisation.mode} lets them be, but "
            "these are crops without one. Predict the cells of an image, or train with normalise 'dataset'."
        )
    crops = resized(crops, model.crop_size)
    if model.kind == "finetune":
        from napari_cellstage.learn.network_predict import predict_network

        return (yield from predict_network(model, crops, should_stop))
    from napari_cellstage.learn.quick import predict_quick

    masks = None if masks is None else resized(masks, model.crop_size)
    return (yield from predict_quick(model, crops, masks, should_stop, cache))


def predict_snapshot(
    model: TrainedModel,
    snapshot: WorkSnapshot,
    should_stop: Callable[[], bool] = never,
    run: str = "",
    cache: FeatureCache | None = None,
) -> Generator[BatchDone, None, dict[int, Predictions]]:
    """Predict every cell of every image of a project, a few thousand crops in memory at a time.

    Parameters
    ----------
    model
        Of either kind.
    snapshot
        The project; its channels must be as many as the model's.
    should_stop
        Asked every batch; the cells not reached stay NaN, which reads as "not predicted".
    run
        Name of the run folder, for the predictions to say.
    cache
        Where the quick kind finds features measured before.

    Returns
    -------
    dict
        Image id to its predictions; ``part`` says which cells the model was trained on.
    """
    model.check_channels(len(snapshot.channels))
    plates = plates_of(snapshot.images, model.recipe)
    total = sum(len(image.cells) for image in snapshot.images)
    answers: dict[int, Predictions] = {}
    done = 0
    for image in snapshot.images:
        probabilities = np.full((len(image.cells), len(model.classes)), np.nan, dtype=np.float32)
        cutter = Cutter(image, snapshot.channels, model.cutting, plates.get(image.plate, ()))
        for rows in _chunks(cutter.in_order() if len(image.cells) else np.zeros(0, np.int64)):
            if should_stop():
                break
            work = predict(model, *cutter.cut(rows), should_stop, cache, scaled=True)
            probabilities[rows] = yield from _counted(work, done, total)
            done += len(rows)
        answers[image.image_id] = Predictions(probabilities, model.classes.ids, model.parts(cell_names(image)), run)
    return answers


def _chunks(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


def _counted(
    work: Generator[BatchDone, None, NDArray[np.float32]], before: int, total: int
) -> Generator[BatchDone, None, NDArray[np.float32]]:
    """Run the work of one chunk, counting cells of the whole."""
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        yield replace(event, done=before + event.done, total=total)


def resized(images: NDArray[Pixel], side: int) -> NDArray[Pixel]:
    """Cut or mirror images ``(..., H, W)`` around their middle; the longer of H and W becomes `side`.

    Crops that are not square keep being so only where their longer side fits already.
    """
    if max(images.shape[-2:]) == side:
        return images
    before = [(0, 0)] * (images.ndim - 2)
    more = [max(side - length, 0) for length in images.shape[-2:]]
    images = np.pad(images, [*before, *((m // 2, m - m // 2) for m in more)], mode="symmetric")
    top, left = ((length - side) // 2 for length in images.shape[-2:])
    return images[..., top : top + side, left : left + side]
