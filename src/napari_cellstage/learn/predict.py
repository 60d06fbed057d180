"""Predict with a trained model of any kind: for crops, and for every cell of a project."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.seeing import check_stains
from napari_cellstage.core.snapshot import WorkSnapshot
from napari_cellstage.core.steps import relayed
from napari_cellstage.learn.averaging import judged_by_members
from napari_cellstage.learn.cutting import plates_of
from napari_cellstage.learn.data import cell_names
from napari_cellstage.learn.events import BatchDone, counted_from
from napari_cellstage.learn.feature_tables import FeatureTables
from napari_cellstage.learn.fit import never
from napari_cellstage.learn.measure import KnownFeatures
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict_image import ImageWork
from napari_cellstage.learn.verdicts import Verdicts

Pixel = TypeVar("Pixel", bound=np.generic)


def predict(
    model: TrainedModel,
    crops: NDArray[np.generic],
    masks: NDArray[np.bool_] | None = None,
    should_stop: Callable[[], bool] = never,
    cache: KnownFeatures | None = None,
    *,
    scaled: bool = False,
) -> Generator[BatchDone, None, NDArray[np.float32]]:
    """Predict the classes of crops.

    Parameters
    ----------
    model
        Of any kind.
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
    return (yield from judge(model, crops, masks, should_stop, cache, scaled=scaled)).probabilities


def judge(
    model: TrainedModel,
    crops: NDArray[np.generic],
    masks: NDArray[np.bool_] | None = None,
    should_stop: Callable[[], bool] = never,
    cache: KnownFeatures | None = None,
    *,
    scaled: bool = False,
) -> Generator[BatchDone, None, Verdicts]:
    """Say what a model makes of crops: their classes, and where they lie in what it sees; see `predict`."""
    model.check_crops(crops.shape[1])
    if model.normalisation.by_image and not scaled:
        raise ModelError(
            f"The model was trained on cells that are as bright as their {model.normalisation.mode} lets them be, but "
            "these are crops without one. Predict the cells of an image, or train with normalise 'dataset'."
        )
    crops = resized(crops, model.crop_size)
    if model.members:
        return (
            yield from judged_by_members(model, lambda one: judge(one, crops, masks, should_stop, cache, scaled=scaled))
        )
    if model.kind == "finetune":
        from napari_cellstage.learn.network_predict import judge_by_network

        return (yield from judge_by_network(model, crops, should_stop))
    from napari_cellstage.learn.quick import judge_quick

    masks = None if masks is None else resized(masks, model.crop_size)
    return (yield from judge_quick(model, crops, masks, should_stop, cache))


def predict_snapshot(
    model: TrainedModel,
    snapshot: WorkSnapshot,
    should_stop: Callable[[], bool] = never,
    run: str = "",
    cache: KnownFeatures | None = None,
    tables: FeatureTables | None = None,
) -> Generator[BatchDone, None, dict[int, Predictions]]:
    """Predict every cell of every image of a project, a few thousand crops in memory at a time.

    Parameters
    ----------
    model
        Of any kind.
    snapshot
        The project; its channels must be as many as the model's.
    should_stop
        Asked every batch; the cells not reached stay NaN, which reads as "not predicted".
    run
        Name of the run folder, for the predictions to say.
    cache
        Where the quick kind finds features measured before.
    tables
        Where it finds those of whole images.

    Returns
    -------
    dict
        Image id to its predictions; ``part`` says which cells the model was trained on.
    """
    model.check_channels(len(snapshot.channels))
    plates = plates_of(snapshot.images, model.recipe)
    total, done = sum(len(image.cells) for image in snapshot.images), 0
    answers: dict[int, Predictions] = {}
    for image in snapshot.images:
        plate = plates.get(image.plate, ())
        check_stains(model.card["channel_names"], image.stack, snapshot.channels)
        work = ImageWork(model, image, snapshot.channels, plate, should_stop, cache, tables).judge()
        said = yield from relayed(work, counted_from(done, total))
        done += len(image.cells)
        part = model.parts(cell_names(image))
        answers[image.image_id] = Predictions(
            said.probabilities, model.classes.ids, part, run, said.embedding, said.unlike
        )
    return answers


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
