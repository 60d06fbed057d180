"""Speed of virtual staining: training against a bare loop on ready tensors, prediction against the bare network.

Both sides of a ratio are taken in turns in one run, with the same network, patches, threads and precision. The peak
memory of a prediction is that of a process of its own.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch.nn import functional

from benchmarks.large_image import made_image
from benchmarks.table import Row, seconds
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.images import open_image
from napari_cellstage.core.steps import finished
from napari_cellstage.learn.device import cpu_threads, half_precision
from napari_cellstage.learn.torch_start import torch
from napari_cellstage.sample_stained import stained_field
from napari_cellstage.stain.events import StainEpoch
from napari_cellstage.stain.fit import fit_stain
from napari_cellstage.stain.model import StainModel
from napari_cellstage.stain.mosaic import windows_of
from napari_cellstage.stain.networks import MEAN, StainNetwork
from napari_cellstage.stain.one_image import Work
from napari_cellstage.stain.pairs import StainSet, pairs_of_images
from napari_cellstage.stain.patches import size_of
from napari_cellstage.stain.plan import plan_of
from napari_cellstage.stain.predict import predict_stains
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.stain.splits import whole

FIELDS, EPOCHS, PATCHES = 4, 6, 320
SIDE, TURNS = 4096, 3
AGAINST_BARE, AGAINST_NETWORK, MEMORY_GB = 0.9, 1.25, 2.0


def rows() -> list[Row]:
    """Return the two ratios, and the peak memory."""
    # One view and one network: what is done beside the network weighs most then.
    recipe = StainRecipe.load("stain-2d").but(epochs=EPOCHS, patches=PATCHES, members=1, views=1)
    data = pairs_of_images([stained_field(seed).stack for seed in range(FIELDS)], ["phase"], ["DNA"])
    data = replace(data, pixel_size_um=None)  # so that nothing is resampled
    model, ratio, speed = _training(data, recipe)
    return [
        Row("stain-2d, training patches a second against a bare loop", f"{ratio:.2f} ({speed:.0f} a second)",
            f">= {AGAINST_BARE}", ratio >= AGAINST_BARE),
        *_prediction(model),
    ]  # fmt: skip


def _training(data: StainSet, recipe: StainRecipe) -> tuple[StainModel, float, float]:
    """Train, after each epoch an epoch of a bare loop; return the model, the median ratio and the speed."""
    bare, work = _bare(data, recipe), fit_stain(data, recipe)
    speeds, ratios = list[float](), list[float]()
    while True:
        try:
            event = next(work)
        except StopIteration as end:  # the first epoch warms up
            return end.value, statistics.median(ratios[1:]), statistics.median(speeds[1:])
        if isinstance(event, StainEpoch):
            speeds.append(event.patches_per_second)
            ratios.append(event.patches_per_second / (PATCHES / seconds(bare)))


def _bare(data: StainSet, recipe: StainRecipe) -> Callable[[], None]:
    """Return an epoch of the same network on patches that were cut before: forward, loss, backward, step."""
    plan = plan_of(recipe, 1, data.output, 1, data.pixel_size_um)
    size = size_of(whole(data), recipe, plan)
    network = StainNetwork(plan, data.stain_names).train()
    optimiser = torch.optim.AdamW(network.parameters(), fused=True)
    dtype = half_precision(torch.device("cpu"), network, recipe.precision)
    made = torch.Generator().manual_seed(0)
    shape = (PATCHES // recipe.batch_size, recipe.batch_size, 1, *size.rows_and_columns)
    ready, truths = torch.rand(shape, generator=made), torch.rand(shape, generator=made)

    def epoch() -> None:
        for inputs, truth in zip(ready, truths, strict=True):
            with torch.autocast("cpu", dtype, enabled=dtype is not None):
                said = network(inputs)
            loss = functional.mse_loss(said[:, :, MEAN].float(), truth)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return epoch


def _prediction(model: StainModel) -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="stain-"))
    try:
        model.save(folder / "model")
        stack = open_image(made_image(folder / "made.ome.zarr", SIDE))
        row = _against_network(model, stack)
        command = [sys.executable, "-m", "benchmarks._stain_memory", str(folder)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        peak = json.loads(done.stdout.splitlines()[-1])["peak_gb"]
    finally:
        shutil.rmtree(folder)
    what = "  peak memory of such a prediction, read from and written to Zarr"
    return [row, Row(what, f"{peak:.2f} GB", f"<= {MEMORY_GB:g} GB", peak <= MEMORY_GB)]


def _against_network(model: StainModel, stack: ImageStack) -> Row:
    """Compare a prediction of the whole field with the network alone on the same windows, ready in memory."""
    work = Work.of(model)
    field = work.field(stack, 0, (0,))
    windows = [window for _place, window in windows_of(field, work.layout(1, field.size))]
    with cpu_threads():
        bare = _network_alone(model, windows)
        ours: list[float] = []
        theirs: list[float] = []
        for _turn in range(TURNS):
            ours.append(seconds(lambda: finished(predict_stains(model, stack, inputs=[0]))))
            theirs.append(seconds(bare))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    text = f"{ratio:.2f} ({statistics.median(ours):.0f} s, {len(windows)} windows)"
    what = f"stain-2d, {SIDE} x {SIDE} predicted, times the bare network's time on the same windows"
    return Row(what, text, f"<= {AGAINST_NETWORK}", ratio <= AGAINST_NETWORK)


def _network_alone(model: StainModel, windows: list[Any]) -> Callable[[], None]:
    network = model.network().eval()
    dtype = half_precision(torch.device("cpu"), network, model.recipe.precision)
    batch = max(1, 4 * 256 * 256 // windows[0][0].size)
    ready = [torch.from_numpy(np.stack(windows[at : at + batch])[:, 0]) for at in range(0, len(windows), batch)]

    @torch.inference_mode()
    def ask() -> None:
        for inputs in ready:
            with torch.autocast("cpu", dtype, enabled=dtype is not None):
                network(inputs)

    return ask


if __name__ == "__main__":
    for row in rows():
        print(f"{row.what}: {row.reached} (to reach: {row.target})")
