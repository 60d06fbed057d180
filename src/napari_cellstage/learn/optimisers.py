"""The optimisers a recipe can name, each with the network's parameters in groups: head and body, decayed and not."""

from __future__ import annotations

from typing import Any

from torch import nn

from napari_cellstage.learn.networks import CellNetwork, head_of
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch

BODY_RATE = 0.2  # pretrained filters need to move less than the new head


def optimiser_of(network: CellNetwork, recipe: Recipe, pretrained: bool) -> torch.optim.Optimizer:
    """Return the recipe's optimiser.

    Each group has its ``peak``, the learning rate that `set_rate` takes a share of.

    Parameters
    ----------
    network
        On its device already.
    recipe
        ``optimiser``, ``momentum``, ``learning_rate``, ``weight_decay``, ``decays``.
    pretrained
        Whether the network's body has learned something before, and so moves less than its head.
    """
    groups = _groups(network, recipe, BODY_RATE if pretrained else 1.0)
    rate = recipe.learning_rate
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=recipe.momentum)
    if recipe.optimiser == "nadam":
        # What decays is coupled: weight_decay times the weight is added to its gradient, as with SGD and unlike AdamW.
        # "L2 0.01" of a publication that used Keras is 0.01 times the sum of the squared weights, added to the loss.
        # Its gradient is 2 * 0.01 times the weight, so it is written weight_decay = 0.02.
        return torch.optim.NAdam(groups, lr=rate)
    fused = next(network.parameters()).device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, lr=rate, fused=fused)


def set_rate(optimiser: torch.optim.Optimizer, share: float) -> None:
    """Set each group's rate to a share of its peak."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * share


def _groups(network: CellNetwork, recipe: Recipe, body_rate: float) -> list[dict[str, Any]]:
    head: set[nn.Parameter] = set(head_of(network.backbone).parameters())
    groups = []
    least = 2 if recipe.decays == "convolutions" else 1  # dimensions that are not enough: dense weights have two
    for in_head in (True, False):
        for decays in (True, False):
            # Biases and the scales of normalisation layers are not pulled towards zero.
            chosen = [p for p in network.parameters() if (p in head) == in_head and (p.ndim > least) == decays]
            decay = recipe.weight_decay if decays else 0.0
            peak = recipe.learning_rate * (1.0 if in_head else body_rate)
            if chosen:
                groups.append({"params": chosen, "weight_decay": decay, "peak": peak})
    return groups
