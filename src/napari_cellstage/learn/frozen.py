"""A pretrained network that is not trained any more: what its last layer but one sees in each cell, as features."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from napari_cellstage.core.errors import CellStageError, ModelError
from napari_cellstage.learn.augment import view
from napari_cellstage.learn.device import choose_device, cpu_threads
from napari_cellstage.learn.learner import torch_errors_said_plainly
from napari_cellstage.learn.nets.names import LAYERS
from napari_cellstage.learn.network_predict import network_arrays
from napari_cellstage.learn.networks import CellNetwork, last_linear, make_network
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.learn.weights import load_into, read_weights, weights_at_hand

# The same for all data, so that features measured before stay valid: ImageNet's, averaged over colours.
MEAN, SPREAD = 0.449, 0.226
VIEWS = (0, 3)  # as it is, and turned by half
LARGEST_SIDE = 128  # larger crops are reduced to this
PREFIX = "frozen."


@dataclass(frozen=True)
class FrozenNetwork:
    """Features from a pretrained network.

    Parameters
    ----------
    network
        In evaluation mode, its last layer gives features.
    name
        The torchvision name.
    source
        Where its weights are from, in words.
    key
        Changes with the weights: part of what names a measured cell in the cache.
    """

    network: CellNetwork
    name: str
    source: str
    key: str

    @classmethod
    def from_file(cls, recipe: Recipe, file: Path, channels: int) -> FrozenNetwork:
        """Make the recipe's network with the weights of a file.

        Raises
        ------
        WeightsError
            If the file can't be used for this network.
        """
        with torch.random.fork_rng(devices=[]), torch_errors_said_plainly():
            torch.manual_seed(recipe.seed)  # what the file does not give is random, and must be the same each time
            network = make_network(recipe.but(standardise="channel"), channels, classes=1)
        network.mean.fill_(MEAN)
        network.spread.fill_(SPREAD)
        load_into(network, read_weights(file), str(file))
        return cls(_headless(network), recipe.network, file.name, _key(network))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], name: str, source: str, channels: int) -> FrozenNetwork:
        """Make the network that `arrays` gave.

        Raises
        ------
        ModelError
            If the arrays are not this network's.
        """
        own = {key.removeprefix(PREFIX): np.array(a) for key, a in arrays.items() if key.startswith(PREFIX)}
        try:
            network = _headless(make_network(name, channels, classes=1))
            network.load_state_dict({key: torch.from_numpy(a) for key, a in own.items()})
        except (RuntimeError, TypeError, CellStageError) as e:
            reason = str(e).splitlines()[0]
            raise ModelError(f"The model's frozen {name} can't be built: {reason} Train a new model.") from e
        return cls(network.eval(), name, source, _key(network))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return its parameters, to be kept with the model, which then needs no other file."""
        return {PREFIX + name: array for name, array in network_arrays(self.network).items()}

    def features(self, crops: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
        """Return ``(N, E)`` features of normalised crops ``(N, C, H, W)``, averaged over two views."""
        with cpu_threads(recipe.threads), torch_errors_said_plainly(), torch.inference_mode():
            device = choose_device(recipe.device)
            network = self.network.to(device)
            images = _reduced(torch.from_numpy(np.ascontiguousarray(crops)).to(device))
            total = torch.stack([network(view(images, number)).float() for number in VIEWS]).mean(dim=0)
            features: NDArray[np.float32] = np.nan_to_num(total.cpu().numpy())
        return features


def frozen_network(recipe: Recipe, channels: int) -> FrozenNetwork | None:
    """Return the recipe's network where its weights are at hand: a file, or ImageNet's fetched before.

    Nothing is downloaded here: the quick recipe does not wait for a network connection. A network written in `layers`
    fits one size of picture only, so it gives no features.
    """
    if recipe.weights == "none" or recipe.network == LAYERS:
        return None
    file = weights_at_hand(recipe.network) if recipe.weights == "imagenet" else Path(recipe.weights)
    return None if file is None else FrozenNetwork.from_file(recipe, file, channels)


def _headless(network: CellNetwork) -> CellNetwork:
    # A head of several layers, as fastai's, was not pretrained: it would only mix the features up.
    whole = "fc" if hasattr(network.backbone, "fc") else last_linear(network.backbone)[0]
    parent, _, name = whole.rpartition(".")
    setattr(network.backbone.get_submodule(parent), name, nn.Identity())
    return network.eval()


def _reduced(images: Tensor) -> Tensor:
    share = LARGEST_SIDE / max(images.shape[2:])
    if share >= 1:
        return images
    return functional.interpolate(images, scale_factor=share, mode="bilinear", antialias=True, align_corners=False)


def _key(network: CellNetwork) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, array in sorted(network_arrays(network).items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
