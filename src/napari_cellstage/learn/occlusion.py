"""What a model of any kind misses when a part of the cell is covered, by captum; slower than Grad-CAM."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.core.steps import finished
from napari_cellstage.learn.device import cpu_threads
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.predict import predict
from napari_cellstage.learn.torch_start import torch

CELLS = 8  # at a time
AT_ONCE = 25  # covered parts that are predicted together
ACROSS = 4  # a covered part is a quarter of the crop wide, and moves by half of that


def occlusion(
    model: TrainedModel,
    crops: NDArray[np.generic],
    masks: NDArray[np.bool_] | None,
    places: NDArray[np.integer[Any]],
    should_stop: Callable[[], bool],
) -> Generator[BatchDone, None, NDArray[np.float32]]:
    """Return ``(N, H, W)`` maps; see `napari_cellstage.learn.attention.attention`."""
    count, _, height, width = crops.shape
    found = np.zeros((count, height, width), dtype=np.float32)
    whole = np.ones((count, height, width), dtype=bool) if masks is None else masks
    for start in range(0, count, CELLS):
        if should_stop():
            break
        rows = slice(start, min(start + CELLS, count))
        with cpu_threads(model.recipe.threads):
            found[rows] = _of_batch(model, crops[rows].astype(np.float32), whole[rows], places[rows], masks is not None)
        yield BatchDone("covering parts of cells", rows.stop, count)
    return found


def _of_batch(
    model: TrainedModel,
    crops: NDArray[np.float32],
    masks: NDArray[np.bool_],
    places: NDArray[np.integer[Any]],
    with_masks: bool,
) -> NDArray[np.float32]:
    from captum.attr import Occlusion

    def forward(covered: Tensor, own: Tensor) -> Tensor:
        work = predict(model, covered.numpy(), own.numpy() if with_masks else None, scaled=True)
        return torch.from_numpy(finished(work))

    images, shapes = torch.from_numpy(np.nan_to_num(crops)), torch.from_numpy(masks)
    first = forward(images, shapes).argmax(dim=1)
    target = torch.where(torch.from_numpy(np.asarray(places)) < 0, first, torch.from_numpy(np.asarray(places)))
    side = max(2, crops.shape[2] // ACROSS)
    lost = Occlusion(forward).attribute(
        images,
        sliding_window_shapes=(crops.shape[1], side, side),
        strides=(crops.shape[1], side // 2, side // 2),
        baselines=torch.from_numpy(ground(crops)),
        target=target,
        additional_forward_args=(shapes,),
        perturbations_per_eval=AT_ONCE,
    )
    maps: NDArray[np.float32] = lost[:, 0].float().numpy()
    return maps


def ground(crops: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return pictures of what a part is covered with: what is commonly around each cell, channel by channel."""
    sides = (crops[:, :, 0], crops[:, :, -1], crops[:, :, :, 0], crops[:, :, :, -1])
    rim = np.concatenate(sides, axis=2)
    middle = np.median(np.nan_to_num(rim), axis=2).astype(np.float32)
    return np.asarray(np.broadcast_to(middle[:, :, None, None], crops.shape)).copy()
