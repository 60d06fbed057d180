"""A project as exports see it: two images with odd names, classes and facts."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import pytest

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.exporting.source import ExportImage, ExportSource
from napari_cellstage.core.image_facts import ImageFacts
from napari_cellstage.core.images import from_array
from napari_cellstage.core.predictions import HELD_OUT, Predictions
from napari_cellstage.core.volumes import LabelVolume

T = TypeVar("T")
SCHEME = ClassScheme.from_names(["G2/M", "=1+1", "S"])


def driven(work: Generator[Any, None, T]) -> T:
    """Run an export to its end."""
    while True:
        try:
            done, total = next(work)
            assert 0 <= done <= total
        except StopIteration as end:
            return end.value


def export_image(image_id: int, name: str, channels: int = 2, **details: Any) -> ExportImage:
    """Six square cells in two rows; the second has a hole and the third two parts."""
    labels = np.zeros((1, 1, 60, 90), dtype=np.int32)
    for cell in range(6):
        y, x = divmod(cell, 3)
        labels[0, 0, y * 30 + 8 : y * 30 + 20, x * 30 + 8 : x * 30 + 20] = cell + 1
    labels[0, 0, 12:15, 42:45] = 0
    labels[0, 0, 8:20, 73:75] = 0
    pixels = np.random.default_rng(image_id).integers(0, 4000, (channels, 60, 90)).astype(np.uint16)
    stack = from_array(pixels, "CYX", name, pixel_size_um=(1.0, 0.5, 0.25))
    cells = CellTable.from_labels(labels)
    class_ids = np.array([1, 2, 3, 1, 0, 0], dtype=np.int64)
    known = {"pixel_size_um": (1.0, 0.5, 0.25), "labels": LabelVolume.of(labels), "stack": stack} | details
    return ExportImage(image_id, name, cells, class_ids, **known)


@pytest.fixture
def source() -> ExportSource:
    chances = np.array([[0.1, 0.2, 0.7]] * 5 + [[np.nan] * 3], dtype=np.float32)
    first = export_image(
        1,
        "day 1/field: a.tif",
        predictions=Predictions(chances, SCHEME.ids, np.full(6, HELD_OUT, dtype=np.uint8)),
        origins=np.array(["hand", "folder", "well", "hand", "", ""]),
        facts=ImageFacts(plate="P1", well="B03", dose="0.1 µM", treatment="@drug"),
        track_id=np.array([1, 1, 2, 3, 0, 0]),
    )
    return ExportSource((first, export_image(2, "day 1/field: a.tif")), SCHEME, channels=(0, 1))
