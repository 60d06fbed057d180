"""Synthetic pairs of transmitted light and stain, tiny and in memory: blobs, and light that is bent by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, laplace

from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import from_array
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.pair import Output, StainPair, StainSet
from napari_cellstage.stain.plan import plan_of
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.scaling import Scaling
from napari_cellstage.stain.splits import Region

STAINS = ("DNA", "actin", "tubulin")


def stain_volume(rng: np.random.Generator, depth: int, side: tuple[int, int], stain: int = 0) -> NDArray[np.float64]:
    """Return ``(Z, Y, X)`` of blobs of several brightnesses, sharpest in the middle plane."""
    seeds = np.zeros(side)
    count = max(2, side[0] * side[1] // 200)
    seeds[rng.integers(4, side[0] - 4, count), rng.integers(4, side[1] - 4, count)] = rng.uniform(0.5, 1.5, count)
    middle = (depth - 1) / 2
    planes = [gaussian_filter(seeds, 2 + stain + abs(z - middle)) for z in range(depth)]
    return np.stack(planes) * 2000 * 2 * np.pi * (2 + stain) ** 2


def transmitted(rng: np.random.Generator, stains: NDArray[Any]) -> NDArray[np.float64]:
    """Return ``(Z, Y, X)``: light taken away where there is stain ``(S, Z, Y, X)``, and bent at its edges."""
    amount = stains.sum(axis=0)
    bent = np.stack([laplace(gaussian_filter(plane, 1)) for plane in amount])
    return 20_000 - 2 * amount - 8 * bent + rng.normal(0, 50, amount.shape)


@pytest.fixture(scope="session")
def make_stack() -> Callable[..., ImageStack]:
    """Return a maker of images: channel 0 transmitted light, then the stains."""

    def make(
        seed: int = 0,
        side: int | tuple[int, int] = 32,
        depth: int = 1,
        stains: int = 1,
        frames: int = 1,
        name: str = "",
        dtype: Any = np.uint16,
    ) -> ImageStack:
        rng = np.random.default_rng(seed)
        sides = (side, side) if isinstance(side, int) else side
        made = []
        for _ in range(frames):
            volumes = np.stack([stain_volume(rng, depth, sides, stain) for stain in range(stains)])
            light = transmitted(rng, volumes)
            noisy = volumes + 100 + rng.normal(0, 5, volumes.shape)
            made.append(np.concatenate([light[None], noisy]).clip(0, 65535))
        array = np.stack(made).astype(dtype)
        names = ("bright field", *STAINS[:stains])
        return from_array(array, "TCZYX", name or f"image {seed}", channel_names=names)

    return make


@pytest.fixture(scope="session")
def make_pairs(make_stack: Callable[..., ImageStack]) -> Callable[..., StainSet]:
    """Return a maker of a set; `but` changes fields of each pair, such as ``output`` and ``plane``."""

    def make(
        count: int = 4,
        side: int | tuple[int, int] = 32,
        depth: int = 1,
        stains: int = 1,
        groups: int | None = None,
        output: Output = "stack",
        seed: int = 0,
        **but: Any,
    ) -> StainSet:
        stacks = [make_stack(seed + number, side, depth, stains) for number in range(count)]
        targets = tuple(range(1, stains + 1))
        pairs = tuple(
            StainPair(
                name=one.name,
                group=one.name if groups is None else f"group {number % groups}",
                inputs=one,
                input_channels=(0,),
                targets=one,
                target_channels=targets,
                **{"output": output, "plane": depth // 2 if output == "plane" else None, **but},
            )
            for number, one in enumerate(stacks)
        )
        return StainSet(pairs, ("bright field",), STAINS[:stains])

    return make


@pytest.fixture(scope="session")
def make_model(make_pairs: Callable[..., StainSet]) -> Callable[..., StainModel]:
    """Return a maker of models with random weights that know what `make_pairs` makes; other words go to the recipe."""

    def make(
        seed: int = 0,
        depth: int = 1,
        stains: int = 1,
        output: Output = "stack",
        pixel_size_um: tuple[float, float, float] | None = None,
        data: StainSet | None = None,
        **recipe: Any,
    ) -> StainModel:
        from napari_cellstage.learn.torch_start import torch
        from napari_cellstage.stain.networks import StainNetwork
        from napari_cellstage.stain.unlike import learn_familiar

        choices = {"filters": 4, "levels": 2, "patch": 32, "patch_planes": 4, "views": 1, "device": "cpu", **recipe}
        made = StainRecipe().but(**choices)
        known = data or make_pairs(count=6, side=64, depth=depth, stains=stains, output=output)
        regions = [Region(number, 0, 0, *pair.shape[1:]) for number, pair in enumerate(known.pairs)]
        scaling = Scaling.of(known, regions, made.input_scaling)
        plan = plan_of(made, len(known.input_names), output, depth, None)
        torch.manual_seed(seed)
        arrays = learn_familiar(known, regions, scaling).arrays()
        for number in range(made.members):
            tensors = StainNetwork(plan, known.stain_names).state_dict()
            arrays |= {f"network{number}.{name}": tensor.numpy() for name, tensor in tensors.items()}
        return StainModel(
            made, plan, known.input_names, known.stain_names, pixel_size_um, scaling,
            dict.fromkeys(known.stain_names, 1.0), {"members": made.members}, arrays,
        )  # fmt: skip

    return make
