"""What `large` measures, in a process of its own: prints one line of JSON."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.images import ImageStack, open_image
from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot

BLOCK = 2048
LABELLED = 400


def main() -> None:
    """Find, train on a few hundred made labels, and predict every cell of the image in a folder."""
    folder = Path(sys.argv[1])
    stack = open_image(folder / "made.ome.zarr")
    seconds: dict[str, float] = {}
    labels = _timed(seconds, "finding", find_cells_in_stack(stack, SegmentSettings(), scratch=folder / "labels.zarr"))
    work = _labelled(stack, CellTable.from_labels(labels), labels)
    model = _timed(seconds, "training", _training(work))
    from napari_cellstage.learn.predict import predict_snapshot

    answers = _timed(seconds, "cutting and predicting", predict_snapshot(model, work))
    if not np.isfinite(answers[1].probabilities).all():
        raise RuntimeError("Cells were not predicted: the figures would be of nothing.")
    peak = peak_gb()
    found = {
        "cells": len(work.images[0].cells),
        "seconds": seconds,
        "peak_gb": peak,
        "pace": stack.data.size / 1e6 / seconds["finding"],
        "reference": _reference_pace(stack),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _timed(seconds: dict[str, float], name: str, work: Generator[Any, None, Any]) -> Any:
    start = time.perf_counter()
    while True:
        try:
            next(work)
        except StopIteration as end:
            seconds[name] = time.perf_counter() - start
            sys.stderr.write(f"{name}: {seconds[name]:.1f} s, peak so far {peak_gb():.2f} GB\n")
            return end.value


def _labelled(stack: ImageStack, cells: CellTable, labels: Any) -> WorkSnapshot:
    """Label the largest and the smallest of some cells, as a person might."""
    scheme = ClassScheme().add("small").add("large")
    some = np.linspace(0, len(cells) - 1, LABELLED).astype(int)
    class_ids = np.zeros(len(cells), dtype=np.int64)
    class_ids[some] = np.where(cells.area[some] > np.median(cells.area), scheme.ids[1], scheme.ids[0])
    return WorkSnapshot((ImageSnapshot(1, stack, cells, labels, class_ids),), scheme, (0,))


def _training(work: WorkSnapshot) -> Generator[Any, None, Any]:
    from napari_cellstage.learn.data import TrainingSet
    from napari_cellstage.learn.fit import fit
    from napari_cellstage.learn.recipe import Recipe

    recipe = Recipe.load("quick")
    return (yield from fit(TrainingSet.from_snapshot(work, recipe), recipe))


def _reference_pace(stack: ImageStack) -> float:
    """Return megapixels a second of the usual scikit-image steps on one block in memory."""
    middle = max(0, (stack.shape[3] - BLOCK) // 2)
    part = slice(middle, middle + BLOCK)
    block = np.asarray(stack.region(0, 0, (0,), part, part)[0])
    return block.size / 1e6 / statistics.median(_reference(block) for _ in range(5))


def _reference(block: Any) -> float:
    from scipy.ndimage import distance_transform_edt
    from skimage.feature import peak_local_max
    from skimage.filters import gaussian, threshold_otsu
    from skimage.measure import label
    from skimage.segmentation import watershed

    start = time.perf_counter()
    smooth = gaussian(block.astype(np.float32), 1)
    mask = smooth > threshold_otsu(smooth)
    distance = distance_transform_edt(mask)
    peaks = peak_local_max(distance, min_distance=5, labels=label(mask))
    seeds = np.zeros(block.shape, dtype=np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    watershed(-distance, seeds, mask=mask)
    return time.perf_counter() - start


def peak_gb() -> float:
    """Return the most memory that this process has had, in GB."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 2**20 if sys.platform != "darwin" else kilobytes / 2**30


if __name__ == "__main__":
    main()
