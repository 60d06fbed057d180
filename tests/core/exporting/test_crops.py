from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.crops import crop_cells
from napari_cellstage.core.exporting.crops import export_crops
from napari_cellstage.core.exporting.places import distinct_names, safe_name
from napari_cellstage.core.exporting.source import ExportError, ExportSource
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.images import from_array

from .conftest import SCHEME, driven, export_image


def never() -> bool:
    return False


@pytest.mark.parametrize(("channels", "dtype"), [(1, "uint8"), (2, "uint16"), (3, "uint16"), (5, "float32")])
def test_what_is_written_reads_back_with_the_same_labels_and_pixels(tmp_path: Path, channels: int, dtype: str) -> None:
    image = export_image(1, "a.tif", channels)
    assert image.stack is not None
    pixels = (image.stack.data[0, :, 0].compute() // 16).astype(dtype)
    image = replace(image, stack=from_array(pixels, "CYX", "a.tif"))
    answer = driven(export_crops(ExportSource((image,), SCHEME), tmp_path / "out", 16, never))
    crops = read_class_folders(tmp_path / "out")
    assert (answer.cells, answer.notes, answer.stopped) == (4, (), False)
    assert crops.counts() == {"G2_M": 2, "=1+1": 1, "S": 1}
    assert crops.crops.dtype == dtype
    wanted = crop_cells(image.stack, image.cells, 16, tuple(range(channels)))  # type: ignore[arg-type]
    for name, crop in zip(crops.names, crops.crops, strict=True):
        cell = int(name.rpartition("_c")[2].removesuffix(".tif"))
        assert (crop == wanted[cell - 1]).all()
        assert name.split("/")[1].startswith("a_t000_c")


def test_images_of_one_name_do_not_mix(source: ExportSource, tmp_path: Path) -> None:
    answer = driven(export_crops(source, tmp_path / "out", 8, never))
    names = sorted(file.name for file in (tmp_path / "out").rglob("*.tif"))
    assert (answer.cells, len(names), len(set(names))) == (8, 8, 8)
    assert names[0] == "field_ a (2)_t000_c00001.tif"


def test_cells_without_a_label_may_go_to_their_predicted_class(source: ExportSource, tmp_path: Path) -> None:
    answer = driven(export_crops(source, tmp_path / "out", 8, never, with_predicted=True))
    assert answer.cells == 9
    assert answer.notes[0].startswith("Cells without a label, put under their predicted class: 1. Look through")


def test_png_where_it_holds_the_pixels(tmp_path: Path) -> None:
    image = export_image(1, "a.tif", 3)
    gray = replace(image, stack=from_array(image.stack.data[0, 0, 0].compute(), "YX", "a.tif"))  # type: ignore[union-attr]
    picture = (image.stack.data[0, :, 0].compute().transpose(1, 2, 0) // 16).astype(np.uint8)  # type: ignore[union-attr]
    colour = replace(image, image_id=2, name="b.tif", stack=from_array(picture, "YXS", "b.tif"))
    driven(export_crops(ExportSource((gray, colour, replace(image, image_id=3)), SCHEME), tmp_path, 8, never, png=True))
    endings = {file.name.split("_t")[0]: file.suffix for file in tmp_path.rglob("*_*")}
    assert endings["a"] == ".png"
    assert endings["b"] == ".png"
    assert endings["a (2)"] == ".tif"
    read = imageio.imread(next(tmp_path.rglob("b_t000_c00001.png")))
    assert (read.transpose(2, 0, 1) == crop_cells(colour.stack, colour.cells, 8, (0, 1, 2))[0]).all()  # type: ignore[arg-type]


def test_what_has_no_pixels_is_named(source: ExportSource, tmp_path: Path) -> None:
    gone = replace(source.images[0], stack=None, name="gone.tif")
    answer = driven(export_crops(replace(source, images=(gone, source.images[1])), tmp_path / "a", 8, never))
    assert answer.notes == ("The file of 'gone.tif' is missing, so its cells have no pictures.",)
    with pytest.raises(ExportError, match=r"No picture can be made: The file of 'gone.tif' is missing"):
        next(export_crops(replace(source, images=(gone,)), tmp_path / "b", 8, never))


def test_a_folder_with_files_is_left_alone(source: ExportSource, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ExportError, match=r"is not empty, and files would be mixed\. Choose a new folder"):
        next(export_crops(source, tmp_path, 8, never))
    with pytest.raises(ExportError, match=r"is a file, but a folder is needed\. Choose another name\."):
        next(export_crops(source, tmp_path / "mine.txt", 8, never))


def test_a_stop_keeps_what_is_written(source: ExportSource, tmp_path: Path) -> None:
    answer = driven(export_crops(source, tmp_path / "out", 8, lambda: (tmp_path / "out" / "S").exists()))
    assert (answer.stopped, answer.cells) == (True, 4)
    assert answer.text.startswith("Stopped: 4 cells written to")


def test_names_that_every_system_allows() -> None:
    assert [safe_name(n) for n in ("a/b:c", "con", " x. ", "", "..", "Com1.txt", "µ 🧫")] == [
        "a_b_c",
        "_con",
        "x",
        "_",
        "_",
        "_Com1.txt",
        "µ 🧫",
    ]
    assert distinct_names(["G2/M", "g2_m", "G2:M"]) == ["G2_M", "g2_m (2)", "G2_M (3)"]
    assert ClassScheme.from_names(["a"]).names == ("a",)
