from __future__ import annotations

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core import plane_reader
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.crops import crop_cells, crop_masks
from napari_cellstage.core.depth import Depth
from napari_cellstage.core.errors import CellsError, ImageError
from napari_cellstage.core.images import from_array
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.core.windows import Windows


def mirrored(index: int, length: int) -> int:
    """Return where a mirror at both ends, which do not repeat, shows a place outside."""
    if length == 1:
        return 0
    period = 2 * (length - 1)
    index %= period
    return min(index, period - index)


def naive_crop(plane: np.ndarray, y: int, x: int, size: int) -> np.ndarray:
    _, height, width = plane.shape
    rows = [mirrored(y - size // 2 + i, height) for i in range(size)]
    columns = [mirrored(x - size // 2 + i, width) for i in range(size)]
    return plane[:, rows][:, :, columns]


def at(ys: list[float], xs: list[float]) -> CellTable:
    """Return cells of 5 x 3 pixels around these places of a plane."""
    y, x = np.array(ys, dtype=float), np.array(xs, dtype=float)
    low = np.stack([np.zeros_like(y), y - 2, x - 1], axis=1)
    return CellTable(
        cell_id=np.arange(1, len(y) + 1),
        t=np.zeros(len(y), dtype=np.int32),
        z=np.zeros(len(y)),
        y=y,
        x=x,
        bbox=np.concatenate([low, low + np.array([1, 5, 3])], axis=1).astype(np.int32),
        area=np.full(len(y), 15),
        at_border=np.zeros(len(y), dtype=bool),
    )


@settings(max_examples=40, deadline=None)
@given(data=st.data(), size=st.integers(1, 17), height=st.integers(1, 24), width=st.integers(1, 24))
def test_crops_equal_a_loop_that_mirrors_at_the_edge(data: st.DataObject, size: int, height: int, width: int) -> None:
    plane = np.arange(2 * height * width, dtype=np.uint16).reshape(2, height, width)
    places = data.draw(st.lists(st.tuples(st.integers(0, height - 1), st.integers(0, width - 1)), max_size=6))
    cells = at([place[0] for place in places], [place[1] for place in places])
    crops = crop_cells(from_array(plane, "CYX", "plane"), cells, size, (0, 1))
    assert crops.shape == (len(places), 2, size, size)
    assert crops.dtype == plane.dtype
    for crop, (y, x) in zip(crops, places, strict=True):
        np.testing.assert_array_equal(crop, naive_crop(plane, y, x, size))


@settings(max_examples=30, deadline=None)
@given(y=st.floats(0, 19), x=st.floats(0, 29), size=st.integers(1, 40))
def test_the_middle_pixel_is_the_pixel_of_the_centroid(y: float, x: float, size: int) -> None:
    plane = np.arange(600).reshape(20, 30)
    crop = crop_cells(from_array(plane, "YX", "plane"), at([y], [x]), size, (0,))[0, 0]
    assert crop[size // 2, size // 2] == plane[int(y + 0.5), int(x + 0.5)]


def stack_and_labels() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 60000, (2, 3, 4, 30, 40), dtype=np.uint16)
    labels = np.zeros((2, 4, 30, 40), dtype=np.int32)
    labels[0, 0:2, 3:8, 3:9] = 1
    labels[0, 0:2, 3:8, 9:14] = 2
    labels[1, 3, 25:30, 34:40] = 1
    return pixels, labels


def test_cells_are_cut_from_their_own_time_and_nearest_plane_in_their_own_order() -> None:
    pixels, labels = stack_and_labels()
    cells = CellTable.from_labels(labels).take(np.array([2, 0, 1]))
    crops = crop_cells(from_array(pixels, "TCZYX", "stack"), cells, 7, (2, 0))
    assert crops.shape == (3, 2, 7, 7)
    for crop, (t, z, y, x) in zip(crops, ((1, 3, 27, 37), (0, 1, 5, 6), (0, 1, 5, 11)), strict=True):
        np.testing.assert_array_equal(crop, naive_crop(pixels[t, [2, 0], z], y, x, 7))


def test_each_plane_is_read_once() -> None:
    pixels, labels = stack_and_labels()
    reads: list[int] = []

    def read(block: np.ndarray) -> np.ndarray:
        reads.append(1)
        return block

    lazy = da.from_array(pixels, chunks=(1, 1, 1, 30, 40)).map_blocks(read, dtype=pixels.dtype, meta=pixels[:0])
    stack = from_array(lazy, "TCZYX", "stack", fingerprint="given")
    reads.clear()
    crop_cells(stack, CellTable.from_labels(labels), 8, (0, 1))
    assert len(reads) == 4  # two planes of two channels


def test_masks_hold_that_cell_alone_and_nothing_outside_the_image() -> None:
    _, labels = stack_and_labels()
    cells = CellTable.from_labels(labels)
    masks = crop_masks(labels, cells, 12)
    assert masks.dtype == bool
    assert masks.sum(axis=(1, 2)).tolist() == [30, 25, 30]
    assert not (masks[0] & np.roll(masks[1], 5, axis=1)).any()


def test_no_cells_give_no_crops() -> None:
    pixels, labels = stack_and_labels()
    stack = from_array(pixels, "TCZYX", "stack")
    assert crop_cells(stack, CellTable.empty(), 16, (1,)).shape == (0, 1, 16, 16)
    assert crop_masks(labels, CellTable.empty(), 16).shape == (0, 16, 16)


def test_a_missing_channel_is_named() -> None:
    pixels, labels = stack_and_labels()
    stack, cells = from_array(pixels, "TCZYX", "my stack"), CellTable.from_labels(labels)
    with pytest.raises(ImageError, match="Channel 3 was asked for, but 'my stack' has channels 0 to 2"):
        crop_cells(stack, cells, 8, (0, 3))
    with pytest.raises(ImageError, match="No channel was asked for"):
        crop_cells(stack, cells, 8, ())


def test_impossible_sizes_and_cells_of_other_images_are_refused() -> None:
    pixels, labels = stack_and_labels()
    cells = CellTable.from_labels(labels)
    with pytest.raises(CellsError, match="crop of 0 pixels"):
        crop_masks(labels, cells, 0)
    with pytest.raises(CellsError, match="time point 1, but there are only 1"):
        crop_cells(from_array(pixels[:1], "TCZYX", "stack"), cells, 8, (0,))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, bool])
def test_crops_keep_the_dtype_of_the_image(dtype: type) -> None:
    stack = from_array(np.zeros((6, 6), dtype=dtype), "YX", "plain")
    cells = CellTable.from_labels(np.ones((1, 1, 6, 6), dtype=np.int32))
    assert crop_cells(stack, cells, 9, (0,)).dtype == np.dtype(dtype)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.integers(1, 30), tile=st.integers(2, 20))
def test_a_window_over_a_contact_sheet_never_shows_another_tile(data: st.DataObject, size: int, tile: int) -> None:
    height, width = 3 * tile - 1, 2 * tile  # the last row of tiles may be cut off
    plane = np.arange(height * width, dtype=np.uint16).reshape(height, width)
    place = st.tuples(st.integers(0, height - 1), st.integers(0, width - 1))
    places = data.draw(st.lists(place, min_size=1, max_size=5))
    cells = at([place[0] for place in places], [place[1] for place in places])
    stack = replace(from_array(plane, "YX", "sheet"), tile=tile)
    for crop, (y, x) in zip(crop_cells(stack, cells, size, (0,)), places, strict=True):
        top, left = y // tile * tile, x // tile * tile
        alone = plane[None, top : top + tile, left : left + tile]
        np.testing.assert_array_equal(crop, naive_crop(alone, y - top, x - left, size))


@settings(max_examples=20, deadline=None)
@given(
    data=st.data(),
    size=st.integers(1, 40),
    chunks=st.tuples(st.integers(3, 17), st.integers(3, 17)),
    choice=st.sampled_from(["nearest", "focus", "maximum", "all"]),
    margin=st.sampled_from([0.0, 1.0, 2.5]),
)
def test_reading_in_tiles_gives_what_reading_whole_planes_gives(data, size, chunks, choice, margin) -> None:
    rng = np.random.default_rng(size)
    pixels = rng.integers(0, 60000, (1, 2, 3, 37, 29), dtype=np.uint16)
    labels = rng.integers(0, 3, (1, 3, 37, 29)).astype(np.int32)
    cells = CellTable.from_labels(np.kron(labels[:, :, :4, :3], np.ones((1, 1, 9, 9), dtype=np.int32)))
    cells = cells.append(at([0, 36, 18, 5], [28, 0, 14, 5]))
    cells = cells.take(np.array(data.draw(st.permutations(range(len(cells))))))
    windows = Windows.fitted(cells, (37, 29), size, margin) if margin else size
    depth = Depth(choice, 3)
    plain = crop_cells(from_array(pixels, "TCZYX", "plain"), cells, windows, (1, 0), depth)
    lazy = from_array(da.from_array(pixels, chunks=(1, 1, 1, *chunks)), "TCZYX", "tiled", fingerprint="given")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plane_reader, "WHOLE_BYTES", 0)
        patch.setattr(plane_reader, "LEAST_SIDE", 5)
        patch.setattr(plane_reader, "KEPT_BYTES", 500)
        tiled = crop_cells(lazy, cells, windows, (1, 0), depth)
    np.testing.assert_array_equal(plain, tiled)
    assert tiled.dtype == plain.dtype


def test_of_a_large_plane_each_chunk_is_read_once_and_only_where_cells_are(monkeypatch) -> None:
    monkeypatch.setattr(plane_reader, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(plane_reader, "LEAST_SIDE", 8)
    reads: list[tuple[int, ...]] = []

    def read(block: np.ndarray, block_info=None) -> np.ndarray:
        if block_info:
            reads.append(block_info[0]["chunk-location"])
        return block

    pixels = da.from_array(np.zeros((80, 80), np.uint16), chunks=8).map_blocks(
        read, dtype=np.uint16, meta=np.zeros((0, 0), np.uint16)
    )
    stack = from_array(pixels, "YX", "lazy", fingerprint="given")
    reads.clear()
    ys, xs = (v.ravel().tolist() for v in np.mgrid[4:40:3, 4:80:3])
    rng = np.random.default_rng(1).permutation(len(ys))
    crop_cells(stack, at(ys, xs).take(rng), 8, (0,))
    assert len(reads) == len(set(reads)) == 60


@pytest.mark.parametrize("painted", [False, True])
def test_masks_from_disk_equal_masks_from_memory(tmp_path, monkeypatch, painted: bool) -> None:
    monkeypatch.setattr(plane_reader, "WHOLE_BYTES", 0)
    rng = np.random.default_rng(5)
    blocks = np.kron(rng.permutation(200 * 260).reshape(200, 260) + 1, np.ones((8, 8), int))[None, None].astype(
        np.int32
    )
    volume = LabelVolume.of(blocks).write(tmp_path / "labels.zarr")
    if painted:
        volume.paint(0, (0, 1020, 1020), np.zeros((1, 9, 9), np.int32))
        blocks = np.asarray(volume)
    cells = CellTable.from_labels(blocks).take(rng.permutation(200 * 260 - 4)[:300])
    np.testing.assert_array_equal(crop_masks(volume, cells, 21), crop_masks(blocks, cells, 21))
