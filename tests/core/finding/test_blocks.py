"""Cells that are found block by block come out once and whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding import blocks
from napari_cellstage.core.finding.blocks import cores_of, squares, with_margin
from napari_cellstage.core.finding.stitching import Stitcher
from napari_cellstage.core.images import from_array
from napari_cellstage.core.sampling import sample_windows
from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.core.volumes import LabelVolume


def stitched(
    truth: np.ndarray, side: int, margin: int, seen: Callable[[np.ndarray], np.ndarray] = lambda part: part
) -> tuple[np.ndarray, CellTable]:
    """Cut true labels ``(Z, Y, X)`` into blocks as a method would see them, and put them together again."""
    stitcher = Stitcher(LabelVolume.blank((1, *truth.shape)))
    for core in squares(side, *truth.shape[1:]):
        block = with_margin(0, core, margin, *truth.shape[1:])
        part = truth[:, block.outer_rows, block.outer_columns]
        stitcher.add(block, label(seen(part), connectivity=1).astype(np.int32))
    volume = stitcher.finish()
    return np.asarray(volume)[0], CellTable.from_labels(volume)


def assert_same_cells(found: np.ndarray, truth: np.ndarray) -> None:
    """Every true cell is one found cell, pixel by pixel."""
    pairs = np.unique(np.stack((truth.ravel(), found.ravel())), axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]
    assert (found > 0).tolist() == (truth > 0).tolist()


@st.composite
def fields(draw: st.DrawFn, largest: int, depth: int = 1) -> np.ndarray:
    """Discs that do not touch, up to a diameter, on ``(Z, 60, 70)``."""
    labels = np.zeros((depth, 60, 70), dtype=np.int32)
    y, x = np.indices(labels.shape[1:])
    for number in range(1, draw(st.integers(1, 14)) + 1):
        cy, cx, radius = draw(st.floats(0, 60)), draw(st.floats(0, 70)), draw(st.floats(0.8, largest / 2))
        disc = (y - cy) ** 2 + (x - cx) ** 2 <= radius**2
        z = draw(st.integers(0, depth - 1))
        if disc.any() and not ndimage.binary_dilation(disc)[labels[z] > 0].any():
            labels[z][disc] = number
    return label(labels, connectivity=1).astype(np.int32)


@given(fields(largest=10), st.integers(12, 40), st.integers(11, 20))
@settings(deadline=None, max_examples=60)
def test_cells_smaller_than_the_margin_come_out_once_and_whole(truth: np.ndarray, side: int, margin: int) -> None:
    found, cells = stitched(truth, side, margin)
    assert_same_cells(found, truth)
    assert cells.area.tolist() == np.bincount(found.ravel())[1:].tolist()


@given(fields(largest=55), st.integers(12, 40), st.integers(2, 9))
@settings(deadline=None, max_examples=80)
def test_cells_larger_than_the_margin_become_one_again(truth: np.ndarray, side: int, margin: int) -> None:
    found, cells = stitched(truth, side, margin)
    assert_same_cells(found, truth)
    again = CellTable.from_labels(found[None])
    assert again.cell_id.tolist() == cells.cell_id.tolist()
    assert again.bbox.tolist() == cells.bbox.tolist()


@given(fields(largest=12, depth=3), st.integers(15, 40))
@settings(deadline=None, max_examples=20)
def test_cells_in_depth_come_out_once_and_whole(truth: np.ndarray, side: int) -> None:
    assert_same_cells(stitched(truth, side, 13)[0], truth)


@given(fields(largest=14), st.integers(14, 40), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_where_blocks_do_not_quite_agree_no_cell_is_lost_or_doubled(truth: np.ndarray, side: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = np.bincount(truth.ravel())
    truth = np.where(sizes[truth] >= 30, truth, 0)

    def seen(part: np.ndarray) -> np.ndarray:
        grown = ndimage.grey_dilation(part, size=(1, 3, 3))
        edge = (grown > 0) & (part == 0) | (part > 0) & (ndimage.grey_erosion(part, size=(1, 3, 3)) == 0)
        drawn = np.where(edge & (random.random(part.shape) < 0.2), grown * random.integers(0, 2, part.shape), part)
        return ndimage.median_filter(drawn, size=(1, 3, 3))

    found, _ = stitched(truth, side, 16, seen)
    for cell in np.unique(truth)[1:]:
        inside = np.bincount(found[truth == cell])
        assert inside[1:].max(initial=0) > 0.5 * inside.sum()
        assert np.count_nonzero(inside[1:] > 0.3 * inside.sum()) == 1


def many_nuclei(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    image = np.zeros(shape, dtype=np.float32)
    grid = np.argwhere(np.ones((shape[0] // 40, shape[1] // 40))) * 40 + 20
    for cy, cx in grid + random.normal(0, 4, grid.shape):
        radius = random.uniform(6, 13)
        y, x = np.ogrid[: shape[0], : shape[1]]
        near = (slice(max(0, int(cy) - 16), int(cy) + 17), slice(max(0, int(cx) - 16), int(cx) + 17))
        inside = (y[near[0]] - cy) ** 2 + (x[:, near[1]] - cx) ** 2 <= radius**2
        image[near] += inside * random.uniform(60, 200)
    return ndimage.gaussian_filter(image, 1) + random.normal(20, 3, shape).astype(np.float32)


def found_in(image: np.ndarray, axes: str = "YX", **details: Any) -> tuple[LabelVolume, list[tuple[int, int]]]:
    work = find_cells_in_stack(from_array(image, axes, "image"), SegmentSettings(), **details)
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return end.value, steps


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WHOLE", 200_000)
    monkeypatch.setattr(blocks, "CORE", 256)


def test_nuclei_in_blocks_are_the_nuclei_in_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    image = many_nuclei((700, 800))
    whole, steps = found_in(image)
    assert steps == [(1, 1)]
    monkeypatch.setattr(blocks, "WHOLE", 200_000)
    monkeypatch.setattr(blocks, "CORE", 256)
    parts, steps = found_in(image)
    assert steps[-1] == (12, 12)
    assert_alike(np.asarray(parts), np.asarray(whole))


def assert_alike(parts: np.ndarray, whole: np.ndarray, share: float = 0.98) -> None:
    """Nearly every cell of either is one of the other, with hardly another pixel."""
    for one, other in ((parts, whole), (whole, parts)):
        cells = CellTable.from_labels(one)
        same = 0
        for row in range(len(cells)):
            z0, y0, x0, z1, y1, x1 = cells.bbox[row]
            box = (0, slice(z0, z1), slice(y0, y1), slice(x0, x1))
            mask = one[box] == cells.cell_id[row]
            partner = np.bincount(other[box][mask]).argmax()
            union = (
                np.count_nonzero(mask)
                + np.count_nonzero(other == partner)
                - np.count_nonzero(other[box][mask] == partner)
            )
            same += bool(partner) and np.count_nonzero(other[box][mask] == partner) > 0.8 * union
        assert same >= share * len(cells)


@pytest.mark.data
def test_a_real_field_in_blocks_is_the_field_in_the_whole(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tifffile

    image = tifffile.imread(sorted((data_dir / "fields" / "dsb2018").glob("*.tif"))[0])
    image = np.pad(np.asarray(image), 200, mode="reflect")
    whole, _ = found_in(image)
    monkeypatch.setattr(blocks, "WHOLE", 1000)
    monkeypatch.setattr(blocks, "CORE", 256)
    assert_alike(np.asarray(found_in(image)[0]), np.asarray(whole), 0.9)


def test_large_labels_are_on_disk_with_their_table(tmp_path: Path, small_blocks: None, monkeypatch: Any) -> None:
    from napari_cellstage.core.finding import targets

    monkeypatch.setattr(targets, "_IN_MEMORY", 100_000)
    volume, _ = found_in(many_nuclei((600, 600)), scratch=tmp_path / "labels.zarr")
    assert volume.folder == tmp_path / "labels.zarr"
    assert volume.cells is not None
    again = CellTable.from_labels(LabelVolume.open(tmp_path / "labels.zarr"))
    assert again.cell_id.tolist() == volume.cells.cell_id.tolist()
    np.testing.assert_array_equal(again.bbox, volume.cells.bbox)
    unnamed, _ = found_in(many_nuclei((600, 600)))
    folder = unnamed.folder
    assert folder is not None
    assert folder.exists()
    del unnamed
    assert not folder.exists()


def test_a_stop_keeps_what_was_found(small_blocks: None) -> None:
    asked = iter([False, False, True])
    volume, steps = found_in(many_nuclei((600, 600)), should_stop=lambda: next(asked))
    assert steps == [(1, 9), (2, 9)]
    assert len(CellTable.from_labels(volume)) > 10


def test_an_empty_corner_costs_nothing(small_blocks: None) -> None:
    image = many_nuclei((600, 600))
    image[:300] = 20
    volume, steps = found_in(image)
    assert len(steps) == 9
    assert CellTable.from_labels(volume).y.min() > 290


@pytest.mark.usefixtures("small_blocks")
def test_a_large_image_without_cells_says_so() -> None:
    with pytest.raises(CellsError):
        found_in(np.full((600, 600), 7.0))


def test_small_frames_are_whole_and_large_ones_covered_once() -> None:
    assert cores_of(1, 2048, 2048) == [(slice(0, 2048), slice(0, 2048))]
    covered = np.zeros((9000, 5000), dtype=np.uint8)
    for rows, columns in cores_of(1, 9000, 5000):
        covered[rows, columns] += 1
    assert covered.min() == covered.max() == 1


@pytest.mark.parametrize("shape", [(1, 40_000, 40_000), (1, 300, 90_000), (60, 4000, 900)])
def test_levels_are_measured_all_over_the_image_within_bounded_memory(shape: tuple[int, int, int]) -> None:
    windows = sample_windows(*shape)
    pixels = sum((r.stop - r.start) * (c.stop - c.start) * shape[0] for r, c in windows)
    assert pixels <= 7 * 2**24
    for axis in (0, 1):
        centres = [(w[axis].start + w[axis].stop) / 2 / shape[axis + 1] for w in windows]
        assert min(centres) <= 0.5 <= max(centres)
    assert all(0 <= r.start < r.stop <= shape[1] and 0 <= c.start < c.stop <= shape[2] for r, c in windows)
