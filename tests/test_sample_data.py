from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.segment import SegmentSettings, find_cells
from napari_cellstage.sample_cells import STAGES, Brush, draw_cell
from napari_cellstage.sample_data import SampleField, cell_cycle_field


@pytest.fixture(scope="module")
def small() -> SampleField:
    return cell_cycle_field(seed=1, size=512, cells=50)


def test_the_field_is_what_it_says(small: SampleField) -> None:
    assert "synthetic" in small.stack.name
    assert small.stack.shape == (1, 2, 1, 512, 512)
    assert small.stack.data.dtype == np.uint16
    assert small.stack.channel_names == ("DNA", "tubulin")
    assert small.labels.shape == (1, 1, 512, 512)
    assert small.labels.dtype == np.int32
    assert small.class_names == STAGES


def test_every_cell_has_pixels_and_a_class(small: SampleField) -> None:
    cells = CellTable.from_labels(small.labels)
    assert cells.cell_id.tolist() == list(range(1, 51))
    assert Counter(small.classes_of.tolist()) == {"interphase": 30, **dict.fromkeys(STAGES[1:], 4)}


def test_same_seed_same_field_and_another_seed_another() -> None:
    first, same, other = (cell_cycle_field(seed, 256, 20) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.stack.volume(0, 0), same.stack.volume(0, 0))
    assert first.stack.fingerprint == same.stack.fingerprint != other.stack.fingerprint
    assert first.classes_of.tolist() == same.classes_of.tolist()


@pytest.mark.parametrize(("size", "cells"), [(256, 20), (128, 1), (200, 0)])
def test_small_fields_work(size: int, cells: int) -> None:
    field = cell_cycle_field(size=size, cells=cells)
    assert field.labels.shape[-2:] == (size, size)
    assert len(field.classes_of) == cells


def test_its_nuclei_can_be_found(small: SampleField) -> None:
    found = find_cells(small.stack.volume(0, 0)[0], SegmentSettings())
    truth = small.truth_of(found)
    assert sum(1 for name in truth if name) >= 0.9 * len(truth)
    assert Counter(truth)["interphase"] >= 24
    assert set(STAGES) <= set(truth)


def test_truth_of_the_truth_is_the_truth(small: SampleField) -> None:
    assert list(small.truth_of(small.labels)) == small.classes_of.tolist()


def test_cells_that_are_none_have_no_truth(small: SampleField) -> None:
    found = np.where(small.labels == 0, 9, 0)
    assert small.truth_of(found) == ("",)


def test_labels_of_another_image_are_refused(small: SampleField) -> None:
    with pytest.raises(CellsError, match=r"shape \(4, 4\), the sample has \(1, 1, 512, 512\)"):
        small.truth_of(np.ones((4, 4), dtype=int))


def test_stages_differ_as_they_should() -> None:
    brush = Brush(np.random.default_rng(0))
    drawn = {stage: [draw_cell(stage, brush) for _ in range(30)] for stage in STAGES}
    light = {stage: np.mean([cell.dna[cell.mask].mean() for cell in cells]) for stage, cells in drawn.items()}
    area = {stage: np.mean([cell.mask.sum() for cell in cells]) for stage, cells in drawn.items()}
    assert light["interphase"] < light["prophase"] < light["prometaphase"] < light["metaphase"]
    assert area["metaphase"] < area["prometaphase"] < area["prophase"]
    assert light["telophase"] < light["anaphase"]
