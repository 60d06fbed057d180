"""Which planes a crop shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.crops import crop_cells, crop_masks
from napari_cellstage.core.depth import Depth, sharpness
from napari_cellstage.core.images import ImageStack, from_array

DEEP = 7


def scene(low: int, high: int) -> tuple[ImageStack, np.ndarray, np.ndarray, CellTable]:
    """Return a stack of noise with one cell in the planes from `low` to `high`."""
    pixels = np.random.default_rng(low).integers(0, 1000, (1, 2, DEEP, 24, 24), dtype=np.uint16)
    labels = np.zeros((1, DEEP, 24, 24), dtype=np.int32)
    for z in range(low, high):
        labels[0, z, 8 + z % 3 : 14, 8:14] = 1
    return from_array(pixels, "TCZYX", "deep"), pixels, labels, CellTable.from_labels(labels)


@settings(max_examples=30, deadline=None)
@given(planes=st.tuples(st.integers(0, DEEP - 1), st.integers(1, DEEP)).filter(lambda p: p[1] - p[0] >= 2))
def test_maximum_is_that_of_the_planes_the_cell_spans(planes: tuple[int, int]) -> None:
    stack, pixels, labels, cells = scene(*planes)
    crop = crop_cells(stack, cells, 8, (0, 1), Depth("maximum", 3))[0]
    every = [crop_cells(from_array(pixels[:, :, [z]], "TCZYX", "one"), cells, 8, (0, 1))[0] for z in range(*planes)]
    np.testing.assert_array_equal(crop, np.max(every, axis=0))
    mask = crop_masks(labels, cells, 24, Depth("maximum", 3))[0]
    assert mask.sum() == labels.any(axis=(0, 1)).sum()


def test_a_cell_marked_in_one_plane_takes_the_planes_around_it() -> None:
    stack, pixels, _, cells = scene(0, 1)
    crop = crop_cells(stack, cells, 24, (1,), Depth("maximum", 5))[0, 0]
    middle = crop_cells(from_array(pixels[:, :, :3].max(axis=2), "TCYX", "flat"), cells, 24, (1,))[0, 0]
    np.testing.assert_array_equal(crop, middle)


def test_the_sharpest_plane_is_taken_in_every_channel() -> None:
    sharp = np.random.default_rng(0).integers(0, 2000, (2, 24, 24))
    blurred = np.full((2, 24, 24), 1000)
    pixels = np.stack([blurred, blurred, sharp, blurred], axis=1)[None].astype(np.uint16)
    labels = np.zeros((1, 4, 24, 24), dtype=np.int32)
    labels[0, :, 6:18, 6:18] = 1
    cells = CellTable.from_labels(labels)
    crop = crop_cells(from_array(pixels, "TCZYX", "focus"), cells, 24, (0, 1), Depth("focus", 1))[0]
    wanted = crop_cells(from_array(sharp.astype(np.uint16), "CYX", "sharp"), cells, 24, (0, 1))[0]
    np.testing.assert_array_equal(crop, wanted)


@settings(max_examples=20, deadline=None)
@given(low=st.integers(0, DEEP - 1), count=st.integers(1, 9))
def test_all_planes_are_channels_and_repeat_at_the_ends(low: int, count: int) -> None:
    stack, pixels, _, cells = scene(low, low + 1)
    crop = crop_cells(stack, cells, 24, (1, 0), Depth("all", count))[0]
    assert crop.shape == (2 * count, 24, 24)
    for place in range(count):
        z = min(max(low + place - count // 2, 0), DEEP - 1)
        one = crop_cells(from_array(pixels[:, :, z], "TCYX", "one"), cells, 24, (1, 0))[0]
        np.testing.assert_array_equal(crop[2 * place : 2 * place + 2], one)


@pytest.mark.parametrize(("choice", "channels"), [("nearest", 1), ("focus", 1), ("maximum", 1), ("all", 3)])
def test_flat_images_have_one_plane_to_show(choice: str, channels: int) -> None:
    labels = np.zeros((1, 1, 9, 9), dtype=np.int32)
    labels[0, 0, 3:6, 3:6] = 4
    crops = crop_cells(
        from_array(np.eye(9, dtype=np.uint8), "YX", "flat"), CellTable.from_labels(labels), 9, (0,), Depth(choice, 3)
    )
    assert crops.shape == (1, channels, 9, 9)
    assert (crops[0] == np.eye(9)).all()


def test_an_edge_is_sharper_than_a_slope() -> None:
    edge = np.repeat([0.0, 1.0], 8)[None, None, None, :].repeat(16, axis=2)
    slope = np.linspace(0, 1, 16)[None, None, None, :].repeat(16, axis=2)
    assert sharpness(edge) > sharpness(slope)
