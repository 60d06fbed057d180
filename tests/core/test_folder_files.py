from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.folder_files import as_people_sort, looks_like_class_folders
from napari_cellstage.core.folders import read_class_folders, reading_class_folders


def channel_file(root: Path, name: str, value: int, dtype: str = "uint16", side: int = 10) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((side, side), value, dtype=dtype)
    if file.suffix == ".tif":
        tifffile.imwrite(file, pixels, photometric="minisblack")
    else:
        imageio.imwrite(file, pixels)
    return file


@pytest.mark.parametrize("ending", ["ome.tif", "jpg", "tif"])
def test_files_that_share_a_number_are_the_channels_of_one_cell(tmp_path: Path, ending: str) -> None:
    for number, stage in ((7, "G1"), (12, "G1"), (12, "S")):
        for channel in (6, 3, 4):
            channel_file(tmp_path, f"{stage}/{number}_Ch{channel}.{ending}", number + channel, "uint8")
    crops = read_class_folders(tmp_path)
    assert crops.crops.shape == (3, 3, 10, 10)
    assert crops.channel_names == ("Ch3", "Ch4", "Ch6")
    assert crops.names == (f"G1/12_Ch3.{ending}", f"G1/7_Ch3.{ending}", f"S/12_Ch3.{ending}")
    assert crops.crops[0, :, 5, 5].tolist() == [15, 16, 18]
    assert (crops.counts(), crops.skipped) == ({"G1": 2, "S": 1}, ())


def test_what_follows_the_channel_may_differ(tmp_path: Path) -> None:
    channel_file(tmp_path, "G1/cell 3_Ch3_BF.tif", 1)
    channel_file(tmp_path, "G1/cell 3_ch04.ome.tif", 2)
    crops = read_class_folders(tmp_path)
    assert (len(crops), crops.channel_names) == (1, ("Ch3", "Ch04"))


def test_a_cell_that_lacks_a_channel_is_named_and_the_rest_used(tmp_path: Path) -> None:
    for number in range(3):
        for channel in (3, 4, 6):
            channel_file(tmp_path, f"G1/{number}_Ch{channel}.tif", 1)
    (tmp_path / "G1" / "1_Ch4.tif").unlink()
    (tmp_path / "G1" / "2_Ch6.tif").write_bytes(b"cut")
    channel_file(tmp_path, "G1/0_Ch9.tif", 1)
    channel_file(tmp_path, "G1/0_Ch3.png", 1)
    crops = read_class_folders(tmp_path)
    assert crops.names == ("G1/0_Ch3.png",)
    assert crops.skipped[0] == "G1/0_Ch3.tif: is Ch3 of a cell whose Ch3 is 0_Ch3.png already"
    assert "channel Ch9: left out, as only 1 of 3 cells have it" in crops.skipped
    assert "G1/1: has no file for Ch4, only for Ch3, Ch6" in crops.skipped
    assert any(text.startswith("G1/2_Ch3.tif: its file for Ch6 can't be read") for text in crops.skipped)


def test_channels_of_different_size_are_no_cell(tmp_path: Path) -> None:
    for number, side in ((0, 10), (1, 12)):
        channel_file(tmp_path, f"G1/{number}_Ch3.tif", 1)
        channel_file(tmp_path, f"G1/{number}_Ch4.tif", 1, side=side)
    crops = read_class_folders(tmp_path)
    assert crops.skipped == ("G1/1_Ch3.tif: its channels differ in size: Ch3 and Ch4",)


def test_names_with_a_channel_alone_are_cells(tmp_path: Path) -> None:
    for number in range(3):
        channel_file(tmp_path, f"G1/{number}_Ch3.tif", 1)
    crops = read_class_folders(tmp_path)
    assert (len(crops), crops.channel_names) == (3, ("channel 0",))


def test_channels_of_tiffs_may_be_many_and_pages_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "G1").mkdir()
    tifffile.imwrite(tmp_path / "G1" / "a.tif", np.zeros((7, 9, 9), np.uint16), photometric="minisblack", metadata=None)
    assert read_class_folders(tmp_path).crops.shape == (1, 7, 9, 9)


def test_a_field_among_cells_does_not_make_all_of_them_as_large(tmp_path: Path) -> None:
    for number in range(4):
        channel_file(tmp_path, f"G1/{number}.tif", 1)
    channel_file(tmp_path, "G1/field.tif", 1, side=200)
    crops = read_class_folders(tmp_path)
    assert crops.crops.shape == (4, 1, 10, 10)
    assert crops.skipped == ("G1/field.tif: has 200 x 200 pixels, most have about 10",)
    assert read_class_folders(tmp_path, size=16).crops.shape == (5, 1, 16, 16)
    assert crops.text == "4 cells of 1 classes, 1 channel, 10 x 10 pixels, 0 MB"


def test_reading_says_how_far_it_is_and_stops(tmp_path: Path) -> None:
    for number in range(3):
        channel_file(tmp_path, f"G1/{number}.tif", 1)
    assert list(reading_class_folders(tmp_path)) == [(3, 3)]
    with pytest.raises(ImageError, match=r"was stopped after 0 of 3 cells\. Open it again\."):
        next(reading_class_folders(tmp_path, should_stop=lambda: True))


def test_no_whole_cell_is_an_error(tmp_path: Path) -> None:
    for name in ("0_Ch3", "0_Ch4", "1_Ch5", "1_Ch6"):
        channel_file(tmp_path, f"G1/{name}.tif", 1)
    with pytest.raises(ImageError, match=r"No cell in '.*' is whole; the first: G1/0: has no file for Ch5 and Ch6"):
        read_class_folders(tmp_path)


def test_class_folders_are_told_from_other_folders(tmp_path: Path) -> None:
    assert not looks_like_class_folders(tmp_path / "nowhere")
    channel_file(tmp_path, "one/G1/a.tif", 1)
    assert not looks_like_class_folders(tmp_path / "one")
    channel_file(tmp_path, "one/S/a.tif", 1)
    assert looks_like_class_folders(tmp_path / "one")
    channel_file(tmp_path, "one/beside.tif", 1)
    assert not looks_like_class_folders(tmp_path / "one")
    for name in ("a", "b"):
        channel_file(tmp_path, f"fields/{name}/f.tif", 1, side=600)
    assert not looks_like_class_folders(tmp_path / "fields")


def test_numbers_come_by_value_and_odd_names_do_not_break_it() -> None:
    names = ["nan", "²", "10", "9", "-1", "S2", "S10", "inf"]
    assert sorted(names, key=as_people_sort) == ["-1", "9", "10", "inf", "nan", "S2", "S10", "²"]


@pytest.mark.data
def test_real_class_folders_look_like_it(data_dir: Path) -> None:
    assert looks_like_class_folders(data_dir / "jurkat")
    assert looks_like_class_folders(data_dir / "mitocheck")
    assert not looks_like_class_folders(data_dir / "fields")
    assert not looks_like_class_folders(data_dir / "formats")
