from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

from napari_cellstage.core import label_files, volumes, whole_files
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.volumes import LabelVolume

SHAPE = (2, 2, 21, 34)


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> Iterator[None]:
    """Small tiles, chunks and levels, so that small volumes have many of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(volumes, "_TILE", 8)
        patch.setattr(volumes, "_COARSEST", 12)
        patch.setattr(label_files, "CHUNK", 10)
        yield


def some_labels(shape: tuple[int, ...] = SHAPE, dtype: Any = np.int32) -> np.ndarray:
    values = np.random.default_rng(3).integers(0, 100, shape).astype(dtype)
    values[values < 60] = 0
    return values


@st.composite
def boxes(draw: st.DrawFn) -> tuple[int, tuple[int, int, int], np.ndarray]:
    t = draw(st.integers(0, SHAPE[0] - 1))
    starts = [draw(st.integers(0, n - 1)) for n in SHAPE[1:]]
    lengths = [draw(st.integers(1, n - a)) for a, n in zip(starts, SHAPE[1:], strict=True)]
    value = draw(st.integers(0, 300))
    return t, tuple(starts), np.full(lengths, value)


acts = st.lists(
    st.one_of(
        st.tuples(st.just("paint"), boxes()),
        st.tuples(st.just("freeze"), st.none()),
        st.tuples(st.just("read"), basic_indices(SHAPE, allow_newaxis=False)),
        st.tuples(st.just("level"), basic_indices((2, 2, 11, 17), allow_newaxis=False)),
    ),
    max_size=12,
)


def check_like_numpy(volume: LabelVolume, mirror: np.ndarray, steps: list[tuple[str, Any]]) -> None:
    base = np.asarray(volume).copy()
    unpainted = volume.frozen()
    frozen: list[tuple[LabelVolume, np.ndarray]] = []
    for what, value in steps:
        if what == "paint":
            t, (z, y, x), box = value
            volume.paint(t, (z, y, x), box)
            depth, height, width = box.shape
            mirror[t, z : z + depth, y : y + height, x : x + width] = box
        elif what == "freeze":
            frozen.append((volume.frozen(), mirror.copy()))
        elif what == "read":
            np.testing.assert_array_equal(volume[value], mirror[value])
            assert np.shape(volume[value]) == np.shape(mirror[value])
        else:
            np.testing.assert_array_equal(volume.level(1)[value], mirror[..., ::2, ::2][value])
    np.testing.assert_array_equal(volume, mirror)
    np.testing.assert_array_equal(unpainted, base)
    for level in range(volume.n_levels):
        np.testing.assert_array_equal(volume.level(level), mirror[..., :: 2**level, :: 2**level])
    for kept, then in frozen:
        np.testing.assert_array_equal(kept, then)


@given(acts, st.sampled_from([np.uint8, np.uint16, np.int32, np.uint32]))
@settings(deadline=None)
def test_in_memory_it_is_what_numpy_would_be(steps: list[tuple[str, Any]], dtype: Any) -> None:
    labels = some_labels(dtype=dtype)
    check_like_numpy(LabelVolume.of(labels), labels.astype(np.int64), steps)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, small_parts: None) -> Path:
    folder = tmp_path_factory.mktemp("labels") / "1-1.zarr"
    LabelVolume.of(some_labels()).write(folder)
    return folder


@given(steps=acts)
@settings(deadline=None, max_examples=40)
def test_on_disk_it_is_what_numpy_would_be(stored: Path, steps: list[tuple[str, Any]]) -> None:
    volume = LabelVolume.open(stored)
    assert volume.on_disk
    check_like_numpy(volume, some_labels().astype(np.int64), steps)


@given(steps=acts)
@settings(deadline=None, max_examples=10)
def test_what_is_written_comes_back_paint_and_all(steps: list[tuple[str, Any]]) -> None:
    volume = LabelVolume.of(some_labels())
    check_like_numpy(volume, some_labels().astype(np.int64), steps)
    folder = Path(tempfile.mkdtemp()) / "1-2.zarr"
    try:
        written = volume.write(folder)
        np.testing.assert_array_equal(written, volume)
        for level in range(volume.n_levels):
            np.testing.assert_array_equal(written.level(level), volume.level(level))
    finally:
        shutil.rmtree(folder.parent)


def test_a_volume_is_filled_block_by_block(tmp_path: Path) -> None:
    labels = some_labels()
    volume = LabelVolume.create(tmp_path / "new.zarr", SHAPE)
    for t, z, rows, columns in volume.blocks(side=10):
        volume.put(t, (z, rows.start, columns.start), labels[t, z : z + 1, rows, columns])
    volume.finish()
    again = LabelVolume.open(tmp_path / "new.zarr")
    np.testing.assert_array_equal(again, labels)
    np.testing.assert_array_equal(again.level(1), labels[..., ::2, ::2])
    assert (again.shape, again.dtype, again.ndim, again.nbytes) == (SHAPE, np.int32, 4, labels.nbytes)
    assert again.folder == tmp_path / "new.zarr"


def test_what_is_read_in_memory_is_no_copy_and_can_not_be_written() -> None:
    labels = some_labels()
    volume = LabelVolume.of(labels)
    assert np.shares_memory(volume[0, 1], labels)
    with pytest.raises(ValueError, match="read-only"):
        volume[0, 1][:] = 3
    labels[0, 0, 0, 0] = 7  # the owner's array stays the owner's
    assert volume[0, 0, 0, 0] == 7


def test_the_256th_cell_of_an_8_bit_volume_has_its_number() -> None:
    volume = LabelVolume.of(some_labels(dtype=np.uint8))
    before = volume.frozen()
    volume.paint(0, (0, 3, 3), np.full((1, 2, 2), 256))
    assert volume[0, 0, 3, 3] == 256
    assert (volume.dtype, before.dtype) == (np.int32, np.uint8)


def test_unsigned_64_bit_labels_become_signed() -> None:
    assert LabelVolume.of(some_labels(dtype=np.uint64)).dtype == np.int64


@pytest.mark.parametrize("array", [np.zeros((3, 3), int), np.zeros((1, 1, 3, 3))])
def test_of_refuses_what_are_no_labels(array: np.ndarray) -> None:
    with pytest.raises(CellsError, match=r"Labels of shape .* were given, .* Pass them through adopt_labels first\."):
        LabelVolume.of(array)


@pytest.mark.parametrize(("t", "corner"), [(2, (0, 0, 0)), (0, (1, 0, 0)), (0, (0, 20, 0)), (0, (0, 0, -1))])
def test_paint_stays_inside(t: int, corner: tuple[int, int, int]) -> None:
    volume = LabelVolume.of(some_labels())
    with pytest.raises(CellsError, match=r"does not fit into labels of shape .* Paint inside the image\."):
        volume.paint(t, corner, np.ones((2, 2, 2), int))


@pytest.mark.parametrize("index", [[0, 1], (0,) * 5, 2, (0, 0, -22), (..., ...), "x"])
def test_other_indexing_is_refused(index: Any) -> None:
    with pytest.raises(IndexError):
        LabelVolume.of(some_labels())[index]


def test_a_folder_that_is_gone_or_broken_says_so(tmp_path: Path) -> None:
    with pytest.raises(CellsError, match=r"The labels in '.*gone.zarr' can't be read: .* find the cells anew\."):
        LabelVolume.open(tmp_path / "gone.zarr")
    volume = LabelVolume.of(some_labels()).write(tmp_path / "cut.zarr")
    for chunk in (tmp_path / "cut.zarr" / "0").rglob("c/*/*/*/*"):
        if chunk.is_file():
            chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(CellsError, match=r"The labels in '.*cut.zarr' can't be read: .*Is the drive still there"):
        volume[0, 0]


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files, "_flush_tree", full)
    with pytest.raises(CellsError, match=r"can't be written to '.*a.zarr': no space left on device\. Free disk space"):
        LabelVolume.of(some_labels()).write(tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []


def test_reading_a_part_of_a_missing_disk_is_an_error_not_background(tmp_path: Path) -> None:
    volume = LabelVolume.of(some_labels()).write(tmp_path / "a.zarr")
    shutil.rmtree(tmp_path / "a.zarr")
    with pytest.raises(CellsError, match="can't be read"):
        volume[0, 0]
