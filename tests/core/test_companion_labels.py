from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.companion_labels import looks_like_labels, read_companion
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.images import ImageStack, from_array, open_image


def field(*shape: int, axes: str) -> ImageStack:
    return from_array(np.zeros(shape, np.uint8), axes, "field")


def written(file: Path, values: Any) -> Path:
    tifffile.imwrite(file, values, photometric="minisblack", metadata=None)
    return file


def squares(dtype: Any = np.uint16) -> np.ndarray:
    made = np.zeros((40, 50), dtype)
    made[5:15, 5:15], made[20:35, 20:40], made[5:15, 30:40] = 1, 7, 9
    return made


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_each_number_is_a_cell(tmp_path: Path, dtype: Any) -> None:
    labels = read_companion(written(tmp_path / "a.tif", squares(dtype)), field(40, 50, axes="YX"))
    assert (labels.shape, labels.cells.cell_id.tolist()) == ((1, 1, 40, 50), [1, 7, 9])


def test_in_a_black_and_white_mask_each_spot_is_a_cell(tmp_path: Path) -> None:
    movie = np.stack([squares() > 0, squares() > 6]).astype(np.uint8) * 255
    labels = read_companion(written(tmp_path / "a.tif", movie), field(2, 40, 50, axes="TYX"))
    assert labels.cells.t.tolist() == [0, 0, 0, 1, 1]
    assert labels.cells.cell_id.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("axes", ["TYX", "ZYX"])
def test_axes_are_those_of_the_image(tmp_path: Path, axes: str) -> None:
    file = written(tmp_path / "a.tif", np.stack([squares()] * 6))
    labels = read_companion(file, field(6, 40, 50, axes=axes))
    assert labels.shape == field(6, 40, 50, axes=axes).data[:, 0].shape


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    with pytest.raises(CellsError, match=r"shape \(40, 50\), but 'field' needs \(T, Z, Y, X\) = \(1, 1, 40, 60\)"):
        read_companion(written(tmp_path / "a.tif", squares()), field(40, 60, axes="YX"))
    noise = np.random.default_rng(0).integers(0, 255, (40, 50)).astype(np.uint8)
    with pytest.raises(CellsError, match=r"'b.tif' looks like a picture, not like the cells of 'field'.*Open it as an"):
        read_companion(written(tmp_path / "b.tif", noise), field(40, 50, axes="YX"))
    with pytest.raises(CellsError, match=r"'c.tif' holds no cells: all of it is 0"):
        read_companion(written(tmp_path / "c.tif", squares() * 0), field(40, 50, axes="YX"))


def test_pictures_look_unlike_labels() -> None:
    assert looks_like_labels(squares())
    assert looks_like_labels(squares() > 0)
    assert looks_like_labels(np.ones((9, 1), np.uint8))
    assert not looks_like_labels(squares().astype(float) + 0.5)
    assert not looks_like_labels(-squares(np.int32))


@pytest.mark.data
def test_real_masks_are_told_from_real_pictures(data_dir: Path) -> None:
    folder = data_dir / "fields" / "dsb2018"
    for file in sorted(folder.glob("*_labels.tif"))[:6]:
        image = open_image(file.with_name(file.name.replace("_labels", "")))
        assert len(read_companion(file, image).cells) == len(np.unique(tifffile.imread(file))) - 1
        with pytest.raises(CellsError, match="looks like a picture"):
            read_companion(image.path, image)
