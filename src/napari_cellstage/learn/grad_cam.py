"""Grad-CAM by captum: which places of a network's last blocks speak for a class."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from napari_cellstage.core.errors import ModelError
from napari_cellstage.learn.device import choose_device, cpu_threads
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.inputs import laid_back, shown
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.network_predict import halved, network_of
from napari_cellstage.learn.networks import CellNetwork
from napari_cellstage.learn.torch_start import torch

BATCH = 64
# Across a map. Networks reduce a crop of 64 pixels to 2 x 2 in the end, which says nothing of where: a small shape that
# makes the class was found by the last block's map in 3 of 100 cells, by the deepest one of 8 x 8 in 87.
LEAST_PLACES = 7


def grad_cam(
    model: TrainedModel,
    crops: NDArray[np.generic],
    places: NDArray[np.integer[Any]],
    should_stop: Callable[[], bool],
) -> Generator[BatchDone, None, NDArray[np.float32]]:
    """Return ``(N, H, W)`` maps; see `napari_cellstage.learn.attention.attention`."""
    with cpu_threads(model.recipe.threads), _errors_said_plainly():
        network = network_of(model).to(choose_device(model.recipe.device)).eval()
        images = torch.from_numpy(shown(crops, model.normalisation, model.recipe))
        block = block_of(network, images[:1].to(next(network.parameters()).device))
        maps = yield from _maps(network, block, images, torch.from_numpy(np.asarray(places)), should_stop)
        return laid_back(maps, crops.shape, model.recipe)


def block_of(network: CellNetwork, crop: Tensor) -> nn.Module:
    """Return the deepest block whose map still has enough places for a crop of this size; else the one with most."""
    blocks = _blocks(network.backbone)
    sides: dict[nn.Module, int] = {}
    hooks = [one.register_forward_hook(lambda m, _i, out: sides.__setitem__(m, min(out.shape[2:]))) for one in blocks]
    try:
        with torch.no_grad():
            network(crop)
    finally:
        for hook in hooks:
            hook.remove()
    fit = [one for one in blocks if sides[one] >= LEAST_PLACES]
    return fit[-1] if fit else max(blocks, key=lambda one: sides[one])


def _blocks(backbone: nn.Module) -> list[nn.Module]:
    """Return what a network of convolutions is built from, in order."""
    names = dict(backbone.named_children())
    body = names.get("features") or names.get("trunk_output")
    found = [part for name, part in names.items() if name.startswith("layer")] if body is None else [*body.children()]
    if not found:
        raise ModelError(
            "Where this network looks can't be shown: it has no blocks of convolutions. Train a resnet, for instance."
        )
    return found


def _maps(
    network: CellNetwork, block: nn.Module, images: Tensor, places: Tensor, should_stop: Callable[[], bool]
) -> Generator[BatchDone, None, NDArray[np.float32]]:
    from captum.attr import LayerGradCam

    found = np.zeros((len(images), *images.shape[2:]), dtype=np.float32)
    cam, device = LayerGradCam(network, block), next(network.parameters()).device
    start, batch = 0, BATCH
    while start < len(images) and not should_stop():
        rows = slice(start, min(start + batch, len(images)))
        try:
            found[rows] = _of_batch(cam, network, images[rows].to(device), places[rows].to(device))
        except torch.OutOfMemoryError as e:
            batch = halved(batch, e)
            continue
        start = rows.stop
        yield BatchDone("looking where the network looks", start, len(images))
    return found


def _of_batch(cam: Any, network: CellNetwork, crops: Tensor, places: Tensor) -> NDArray[np.float32]:
    with torch.no_grad():
        own = network(crops).argmax(dim=1)
    with torch.enable_grad():
        coarse = cam.attribute(crops, target=torch.where(places < 0, own, places), relu_attributions=True)
    coarse = coarse.detach().float().cpu()
    fine = functional.interpolate(coarse, size=crops.shape[2:], mode="bilinear", align_corners=False)
    maps: NDArray[np.float32] = fine[:, 0].numpy()
    return maps


class _errors_said_plainly:  # noqa: N801 - used as a statement
    """Turn torch's errors into `ModelError`; they are RuntimeErrors, which a viewer's worker swallows."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, RuntimeError):
            raise ModelError(
                f"Where the network looks can't be computed. What torch says: {error} Choose fewer cells, or the CPU."
            ) from error
