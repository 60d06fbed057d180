"""Training speed: this package's loop, a bare loop on ready tensors, and fastai 2.8, side by side in one run.

All train the same network on crops of 64 x 64 in batches of 32, with the same number of threads and the same precision;
only this package and fastai change the crops at random. One call is one epoch.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch.nn import functional

from benchmarks.table import Row, median_ratio, median_seconds
from napari_cellstage.learn.device import half_precision
from napari_cellstage.learn.finetune import train_epoch
from napari_cellstage.learn.fit import never
from napari_cellstage.learn.learner import Learner
from napari_cellstage.learn.networks import CellNetwork, make_network
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.torch_start import torch

CELLS, SIDE, CLASSES, BATCH = 256, 64, 6, 32
AGAINST_BARE, AGAINST_FASTAI = 0.9, 1.15
Epoch = Callable[[], object]


def rows() -> list[Row]:
    """Return the two ratios that are to be reached, and the speed behind them."""
    found = [_against_bare(name, precision) for name, precision in (("resnet34", "auto"), ("resnet18", "full"))]
    return [*found, *_against_fastai(), _speed()]


def _against_bare(name: str, precision: str) -> Row:
    recipe = _recipe(name, precision)
    ratio = median_ratio(_ours(recipe), _bare(recipe))
    what = f"training against a bare loop, {name}, precision {precision}"
    return Row(what, f"{ratio:.2f}", f">= {AGAINST_BARE}", ratio >= AGAINST_BARE)


def _against_fastai() -> list[Row]:
    what = "training against fastai 2.8, resnet18, full precision, like augmentation"
    with tempfile.TemporaryDirectory() as folder:
        try:
            theirs = _fastai("resnet18", Path(folder))
        except ImportError:
            return [Row(what, "fastai is not installed", f">= {AGAINST_FASTAI}", None)]
        ratio = median_ratio(_ours(_recipe("resnet18", "full")), theirs)
        as_used = median_ratio(_ours(_recipe("resnet18", "auto")), theirs)
    return [
        Row(what, f"{ratio:.2f}", f">= {AGAINST_FASTAI}", ratio >= AGAINST_FASTAI),
        Row(f"{what}, ours in its own precision", f"{as_used:.2f}", "reported"),
    ]


def _speed() -> Row:
    cells = CELLS / median_seconds(_ours(_recipe("resnet34", "auto")))
    return Row("training, resnet34 at 64 x 64", f"{cells:.0f} cells/s on {torch.get_num_threads()} threads", "reported")


def _recipe(name: str, precision: str) -> Recipe:
    return Recipe.load("finetune").but(network=name, precision=precision, batch_size=BATCH)


def _cells() -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(0)
    return torch.rand(CELLS, 1, SIDE, SIDE, generator=made), torch.arange(CELLS) % CLASSES


def _ours(recipe: Recipe) -> Epoch:
    crops, labels = _cells()
    learner = Learner(make_network(recipe.network, 1, CLASSES), recipe, torch.ones(CLASSES), False, never)
    return lambda: list(train_epoch(learner, crops, labels, np.arange(CELLS), 1, 1, never))


def _bare(recipe: Recipe) -> Epoch:
    network: CellNetwork = make_network(recipe.network, 1, CLASSES).train()
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)
    dtype = half_precision(torch.device("cpu"), network, recipe.precision)
    crops, labels = _cells()
    ready = [c.contiguous(memory_format=torch.channels_last) for c in crops.split(BATCH)]

    def epoch() -> None:
        for batch, truth in zip(ready, labels.split(BATCH), strict=True):
            with torch.autocast("cpu", dtype, enabled=dtype is not None):
                logits = network(batch)
            loss = functional.cross_entropy(logits.float(), truth)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return epoch


def _fastai(name: str, folder: Path) -> Epoch:
    """Return an epoch by fastai's own means, as its users do it: picture files, batch transforms, one-cycle loop.

    Reading the files anew in each epoch is part of how it works, as keeping the crops in memory is of how this
    package does; the files are in the system's cache from the epoch that is not counted.
    """
    from fastai.vision import all as fa

    crops, labels = _cells()
    files = [folder / f"{row}.png" for row in range(CELLS)]
    for file, crop in zip(files, crops[:, 0].numpy(), strict=True):
        fa.PILImageBW.create((crop * 255).astype(np.uint8)).save(file)
    block = fa.DataBlock(
        blocks=(fa.ImageBlock(cls=fa.PILImageBW), fa.CategoryBlock),
        get_x=lambda row: files[row],
        get_y=lambda row: int(labels[row]),
        splitter=fa.IndexSplitter([0]),
        batch_tfms=[
            *fa.aug_transforms(flip_vert=True, max_rotate=180.0, min_zoom=0.9, max_zoom=1.1, max_warp=0.0),
            fa.Normalize.from_stats([0.5], [0.3], cuda=False),
        ],
    )
    # fastai needs a validation part, here one cell, and leaves out the last batch of the rest unless it is full.
    loaders = block.dataloaders([0, *range(CELLS)], bs=BATCH, num_workers=0, device=torch.device("cpu"))
    network: Any = make_network(name, 1, CLASSES).backbone
    learner = fa.Learner(loaders, network, loss_func=fa.CrossEntropyLossFlat(), opt_func=fa.Adam)

    def epoch() -> None:
        with learner.no_bar(), learner.no_logging():
            learner.fit_one_cycle(1)

    return epoch


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} (to reach: {row.target})")
