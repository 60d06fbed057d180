"""What a network says of crops, batch by batch, each seen in several turned and mirrored views."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_cellstage.core.errors import CellStageError, ModelError, TrainingError
from napari_cellstage.core.review.space import PREFIX
from napari_cellstage.core.scoring.calibration import calibrated
from napari_cellstage.learn.augment import view
from napari_cellstage.learn.device import choose_device, cpu_threads, half_precision
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.inputs import input_side, shown
from napari_cellstage.learn.learner import Stopped, listen_for_stop, torch_errors_said_plainly
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.networks import CellNetwork, last_linear, make_network
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.learn.verdicts import Verdicts

BATCH = 128


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network says of N crops, and what comes into its last layer; NaN in rows not reached before a stop."""

    probabilities: NDArray[np.float32]
    features: NDArray[np.float32]

    @property
    def reached(self) -> int:
        """How many crops it got to."""
        return int(np.isfinite(self.probabilities[:, 0]).sum())


class NetworkJudge:
    """A trained network made ready once, for crops that come in several parts."""

    def __init__(self, model: TrainedModel, should_stop: Callable[[], bool]) -> None:
        self._model, self._should_stop = model, should_stop
        self._network: CellNetwork | None = None

    def judge(self, crops: NDArray[np.generic]) -> Generator[BatchDone, None, Verdicts]:
        """Say what the network makes of raw crops."""
        model = self._model
        with cpu_threads(model.recipe.threads), torch_errors_said_plainly():
            if self._network is None:
                self._network = network_of(model).to(choose_device(model.recipe.device))
                listen_for_stop(self._network, self._should_stop)
            images = torch.from_numpy(shown(crops, model.normalisation, model.recipe))
            seen = yield from look(self._network, images, model.recipe, self._should_stop)
        temperature = float(model.card.get("temperature", 1.0))  # models of earlier versions have none
        reached = seen.reached
        probabilities = seen.probabilities.copy()
        probabilities[:reached] = calibrated(seen.probabilities[:reached], temperature)
        return Verdicts.made(probabilities, seen.features[:reached], model.space)


def judge_by_network(
    model: TrainedModel, crops: NDArray[np.generic], should_stop: Callable[[], bool]
) -> Generator[BatchDone, None, Verdicts]:
    """Say what the finetune kind makes of raw crops; see `napari_cellstage.learn.predict.judge`."""
    return (yield from NetworkJudge(model, should_stop).judge(crops))


def look(
    network: CellNetwork,
    crops: Tensor,
    recipe: Recipe,
    should_stop: Callable[[], bool],
    views: int | None = None,
    what: str = "predicting",
) -> Generator[BatchDone, None, Seen]:
    """Return probabilities and features of crops ``(N, C, H, W)`` that `shown` gave, averaged over the recipe's views.

    The probabilities are not calibrated. A graphics card without memory gets smaller batches.
    """
    numbers = view_numbers(recipe)[: views or recipe.views]
    last = last_linear(network.backbone)[1]
    said = np.full((len(crops), last.out_features), np.nan, dtype=np.float32)
    features = np.full((len(crops), last.in_features), np.nan, dtype=np.float32)
    device = next(network.parameters()).device
    dtype = half_precision(device, network, recipe.precision)
    start, batch = 0, BATCH
    network.eval()
    while start < len(crops) and not should_stop():
        rows = slice(start, min(start + batch, len(crops)))
        try:
            said[rows], features[rows] = _averaged(network, last, crops[rows].to(device), numbers, dtype)
        except Stopped:
            break
        except torch.OutOfMemoryError as e:
            batch = halved(batch, e)
            continue
        start = rows.stop
        yield BatchDone(what, start, len(crops))
    return Seen(said, features)


def view_numbers(recipe: Recipe) -> list[int]:
    """Return the views a recipe allows: where orientation matters, cells are not turned or mirrored."""
    turns = recipe.quarter_turns or (recipe.rotate and recipe.rotate_up_to >= 90)
    allowed = {(True, True): range(8), (True, False): (0, 3, 5, 6), (False, True): (0, 1, 2, 3), (False, False): (0,)}
    return list(allowed[turns, recipe.flip])


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
        side = input_side(model.recipe, model.crop_size)
        network = make_network(model.recipe, model.input_count, len(model.classes), side)
        own = {name: array for name, array in model.arrays.items() if not name.startswith(PREFIX)}
        network.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in own.items()})
    except (RuntimeError, TypeError, CellStageError) as e:
        reason = str(e).splitlines()[0]
        raise ModelError(
            f"The model's weights don't fit the {model.recipe.network} its card names: {reason} "
            "Copy the run folder again, or train anew."
        ) from e
    return network


def _averaged(
    network: CellNetwork, last: nn.Linear, crops: Tensor, numbers: list[int], dtype: torch.dtype | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return probabilities, and what came into the last layer in the same pass."""
    inputs: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda _layer, given: inputs.append(given[0].float()))
    total = torch.zeros(len(crops), last.out_features, device=crops.device)
    try:
        with torch.inference_mode(), torch.autocast(crops.device.type, dtype, enabled=dtype is not None):
            for number in numbers:
                total += network(view(crops, number)).float().softmax(dim=1)
            features = torch.stack(inputs).mean(dim=0)
    finally:
        hook.remove()
    return (total / len(numbers)).cpu().numpy(), features.cpu().numpy()
