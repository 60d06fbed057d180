"""Labels that others made, also larger than memory."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr

from napari_cellstage.core import volumes
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding import adopt, targets
from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.core.segment import adopt_labels
from napari_cellstage.session import Session


def stack() -> ImageStack:
    return from_array(np.zeros((2, 3, 70, 90), np.uint8), "TCYX", "image")


def labels() -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 200_000, (2, 70, 90))
    values[values < 100_000] = 0
    return values


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything be larger than memory."""
    monkeypatch.setattr(adopt, "_LARGE", 100)
    monkeypatch.setattr(targets, "_IN_MEMORY", 100)
    blocks_of = volumes.blocks_of
    monkeypatch.setattr(adopt, "blocks_of", lambda shape: blocks_of(shape, 32))


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.float32, np.float64])
def test_large_labels_of_any_kind_are_taken_over_block_by_block(tmp_path: Path, dtype: Any) -> None:
    values = labels().astype(dtype)
    stored = zarr.create_array(tmp_path / "theirs.zarr", shape=values.shape, chunks=(1, 40, 40), dtype=values.dtype)
    stored[:] = values
    for number, array in enumerate((values, da.from_array(values, chunks=(1, 30, 30)), stored, values[:, None])):
        volume = adopt_labels(array, stack(), tmp_path / f"{number}.zarr")
        assert volume.on_disk
        np.testing.assert_array_equal(np.asarray(volume)[:, 0], labels())
        measured, again = volume.cells, CellTable.from_labels(labels()[:, None])
        assert measured is not None
        assert measured.cell_id.tolist() == again.cell_id.tolist()
        assert measured.area.tolist() == again.area.tolist()


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.ones((2, 70, 90), bool), "only True and False"),
        (np.full((2, 70, 90), 1.5), "float64 values that are no whole numbers"),
        (np.full((2, 70, 90), -3), "The labels hold -3"),
        (np.ones((2, 90, 70), int), r"shape \(2, 90, 70\), but 'image' needs \(T, Z, Y, X\) = \(2, 1, 70, 90\)"),
    ],
)
def test_large_labels_that_do_not_fit_are_refused(tmp_path: Path, array: np.ndarray, text: str) -> None:
    with pytest.raises(CellsError, match=text):
        adopt_labels(array, stack(), tmp_path / "a.zarr")


def test_a_volume_is_taken_as_it_is() -> None:
    volume = volumes.LabelVolume.of(labels()[:, None])
    adopted = adopt_labels(volume, stack())
    volume.paint(0, (0, 0, 0), np.full((1, 3, 3), 5))
    np.testing.assert_array_equal(np.asarray(adopted)[:, 0], labels())


def test_a_volume_with_its_axes_of_length_one_swapped_takes_the_shape_of_the_image() -> None:
    volume = volumes.LabelVolume.of(labels()[None])
    adopted = adopt_labels(volume, stack())
    assert adopted.shape == (2, 1, 70, 90)
    np.testing.assert_array_equal(np.asarray(adopted)[:, 0], labels())


@pytest.mark.usefixtures("small_memory")
def test_large_labels_that_nobody_keeps_leave_nothing_behind(tmp_path: Path) -> None:
    volume = adopt_labels(labels(), stack(), tmp_path / "a.zarr")
    assert (tmp_path / "a.zarr").is_dir()
    del volume
    gc.collect()
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("small_memory")
def test_large_labels_given_to_a_project_leave_its_cache_in_place(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.add_image(stack())
    kept = session.project.cache / "features.bin"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(b"measured")
    session.set_labels(labels())
    assert kept.read_bytes() == b"measured"
    assert len(session.cells()) == sum(len(np.unique(frame)) - 1 for frame in labels())
    session.close()
