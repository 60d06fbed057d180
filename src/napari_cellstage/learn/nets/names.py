"""Names of the networks that are made here. No torch, so that it may be asked before a training."""

from __future__ import annotations

CELLNET, DEEPFLOW, FASTAI_RESNET34, LAYERS = "cellnet", "deepflow", "fastai-resnet34", "layers"
OWN = (CELLNET, DEEPFLOW, FASTAI_RESNET34, LAYERS)


def pretrained_as(network: str) -> str | None:
    """Return whose ImageNet weights a network can start from, by torchvision's name; None where there are none."""
    return {CELLNET: None, DEEPFLOW: None, LAYERS: None, FASTAI_RESNET34: "resnet34"}.get(network, network)
