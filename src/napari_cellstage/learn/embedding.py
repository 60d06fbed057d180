"""What a network sees in each cell: the values that come into its last layer, as an embedding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.predicted import predicted_among
from napari_cellstage.learn.augment import view
from napari_cellstage.learn.device import choose_device, cpu_threads
from napari_cellstage.learn.frozen import FrozenNetwork, frozen_network
from napari_cellstage.learn.inputs import shown
from napari_cellstage.learn.learner import torch_errors_said_plainly
from napari_cellstage.learn.model import CARD, TrainedModel
from napari_cellstage.learn.network_predict import network_of, view_numbers
from napari_cellstage.learn.networks import CellNetwork, last_linear
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch

BATCH = 64


@dataclass(frozen=True)
class Embedder:
    """A network without its last layer.

    Parameters
    ----------
    model
        What it was trained as: says how crops are cut and normalised.
    network
        In evaluation mode.
    source
        Where it is from, in words.
    """

    model: TrainedModel
    network: CellNetwork
    source: str

    def embed(self, crops: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return ``(N, E)`` of raw crops ``(N, C, H, W)``, averaged over the views the model was to predict by."""
        recipe = self.model.recipe
        numbers = view_numbers(recipe)[: recipe.views]
        normal = shown(crops, self.model.normalisation, recipe)
        with cpu_threads(recipe.threads), torch_errors_said_plainly(), torch.inference_mode():
            device = choose_device(recipe.device)
            network, parts = self.network.to(device), []
            for start in range(0, len(normal), BATCH):
                images = torch.from_numpy(np.ascontiguousarray(normal[start : start + BATCH])).to(device)
                seen = [network(view(images, number)).float() for number in numbers]
                parts.append(torch.stack(seen).mean(dim=0).cpu().numpy())
        values: NDArray[np.float32] = np.concatenate(parts)
        return values


def latest_embedder(runs: Path | None, channels: int, stains: str = "") -> Embedder | None:
    """Return the network of the latest run that looked at so many channels; None when there is no such run.

    Predicted ones among them are those of `stains`, as `predicted_among` names them.
    """
    folders = sorted(runs.iterdir(), reverse=True) if runs is not None and runs.is_dir() else []
    for folder in folders:
        if not (folder / CARD).is_file():
            continue
        try:
            model = TrainedModel.load(folder).network
            if model is None or model.channel_count != channels:
                continue
            if predicted_among([str(name) for name in model.card.get("channel_names", ())]) != stains:
                continue
            return Embedder(model, headless(network_of(model)), f"{model.recipe.network} of run {folder.name}")
        except CellStageError:
            continue  # a damaged run is no reason to do without those before it
    return None


def frozen_embedding(normal: NDArray[np.float32], recipe: Recipe) -> tuple[NDArray[np.float32] | None, str]:
    """Return what a pretrained network sees in normalised crops, and its name; None when no weights are at hand."""
    network = _frozen(recipe, normal.shape[1])
    return (None, "") if network is None else (network.features(normal, recipe), f"{network.name}, {network.source}")


@lru_cache(maxsize=1)
def _frozen(recipe: Recipe, channels: int) -> FrozenNetwork | None:
    return frozen_network(recipe, channels)


def headless(network: CellNetwork) -> CellNetwork:
    """Return the network without its last layer, ready to be used."""
    parent, _, name = last_linear(network.backbone)[0].rpartition(".")
    setattr(network.backbone.get_submodule(parent), name, nn.Identity())
    return network.eval()
