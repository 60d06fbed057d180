"""Probabilities from a network, batch by batch, each crop seen in several turned and mirrored views."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_cellstage.core.errors import CellStageError, ModelError, TrainingError
from napari_cellstage.learn.augment import view
from napari_cellstage.learn.device import choose_device, cpu_threads, half_precision
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.learner import Stopped, listen_for_stop, torch_errors_said_plainly
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.networks import CellNetwork, last_linear, make_network
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch

BATCH = 128


def predict_network(
    model: TrainedModel, crops: NDArray[np.generic], should_stop: Callable[[], bool]
) -> Generator[BatchDone, None, NDArray[np.float32]]:
    """Predict with the finetune kind; see `napari_cellstage.learn.predict.predict`."""
    with cpu_threads(model.recipe.threads), torch_errors_said_plainly():
        network = network_of(model).to(choose_device(model.recipe.device))
        listen_for_stop(network, should_stop)
        images = torch.from_numpy(model.normalisation.apply(crops))
        return (yield from network_probabilities(network, images, model.recipe, should_stop))


def network_probabilities(
    network: CellNetwork,
    crops: Tensor,
    recipe: Recipe,
    should_stop: Callable[[], bool],
    views: int | None = None,
    what: str = "predicting",
) -> Generator[BatchDone, None, NDArray[np.float32]]:
    """Return ``(N, K)`` probabilities of normalised crops ``(N, C, H, W)``, averaged over the recipe's views.

    The rows not reached before a stop are NaN. A graphics card without memory gets smaller batches.
    """
    numbers = view_numbers(recipe)[: views or recipe.views]
    width = _width(network)
    answer = np.full((len(crops), width), np.nan, dtype=np.float32)
    device = next(network.parameters()).device
    dtype = half_precision(device, network, recipe.precision)
    start, batch = 0, BATCH
    network.eval()
    while start < len(crops) and not should_stop():
        rows = slice(start, min(start + batch, len(crops)))
        try:
            answer[rows] = _averaged(network, crops[rows].to(device), numbers, dtype)
        except Stopped:
            break
        except torch.OutOfMemoryError as e:
            batch = halved(batch, e)
            continue
        start = rows.stop
        yield BatchDone(what, start, len(crops))
    return answer


def view_numbers(recipe: Recipe) -> list[int]:
    """Return the views a recipe allows: where orientation matters, cells are not turned or mirrored."""
    allowed = {(True, True): range(8), (True, False): (0, 3, 5, 6), (False, True): (0, 1, 2, 3), (False, False): (0,)}
    return list(allowed[recipe.rotate, recipe.flip])


def halved(batch: int, error: Exception) -> int:
    """Return half of a batch that did not fit, or raise `TrainingError` when it can't be halved."""
    if batch < 4:
        raise TrainingError(
            f"Not even {batch} cells at a time fit into the graphics memory: {error}. "
            "Close other programs that use it, choose a smaller crop size or network, or the CPU."
        ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return batch // 2


def network_arrays(network: CellNetwork) -> dict[str, NDArray[Any]]:
    """Return a network's parameters and buffers as arrays, for `TrainedModel.arrays`."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in network.state_dict().items()}


def network_of(model: TrainedModel) -> CellNetwork:
    """Build the network of a trained model.

    Raises
    ------
    ModelError
        If its weights don't fit the network its card names.
    """
    try:
        network = make_network(model.recipe.network, model.input_count, len(model.classes))
        network.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in model.arrays.items()})
    except (RuntimeError, TypeError, CellStageError) as e:
        reason = str(e).splitlines()[0]
        raise ModelError(
            f"The model's weights don't fit the {model.recipe.network} its card names: {reason} "
            "Copy the run folder again, or train anew."
        ) from e
    return network


def _averaged(
    network: CellNetwork, crops: Tensor, numbers: list[int], dtype: torch.dtype | None
) -> NDArray[np.float32]:
    total = torch.zeros(len(crops), _width(network), device=crops.device)
    with torch.inference_mode(), torch.autocast(crops.device.type, dtype, enabled=dtype is not None):
        for number in numbers:
            total += network(view(crops, number)).float().softmax(dim=1)
    probabilities: NDArray[np.float32] = (total / len(numbers)).cpu().numpy()
    return probabilities


def _width(network: CellNetwork) -> int:
    return last_linear(network.backbone)[1].out_features
