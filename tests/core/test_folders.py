from __future__ import annotations

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.pictures import fitted


def picture(root: Path, name: str, shape: tuple[int, ...] = (12, 12), value: int = 50) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full(shape, value, dtype=np.uint8)
    if path.suffix.lower() == ".tif":
        tifffile.imwrite(path, pixels, metadata={"axes": "CYX"[-len(shape) :]}, photometric="minisblack")
    else:
        imageio.imwrite(path, pixels)
    return path


def test_folders_are_classes_and_files_are_cells(tmp_path: Path) -> None:
    for name in ("meta phase/b 🧫.png", "meta phase/a.jpg", "anaphase/c.tif"):
        picture(tmp_path, name)
    crops = read_class_folders(tmp_path)
    assert crops.classes == ("anaphase", "meta phase")
    assert crops.names == ("anaphase/c.tif", "meta phase/a.jpg", "meta phase/b 🧫.png")
    assert crops.labels.tolist() == [0, 1, 1]
    assert crops.labels.dtype == np.int64
    assert crops.groups.tolist() == list(crops.names)
    assert crops.crops.shape == (3, 1, 12, 12)
    assert (crops.masks, crops.skipped, len(crops), crops.counts()) == (None, (), 3, {"anaphase": 1, "meta phase": 2})


def test_class_folders_may_lie_deeper(tmp_path: Path) -> None:
    for name in ("plate1/G1/a.png", "plate2/G1/a.png", "plate2/S/a.png"):
        picture(tmp_path, name)
    crops = read_class_folders(tmp_path, group_from=r"plate\d")
    assert crops.counts() == {"G1": 2, "S": 1}
    assert crops.groups.tolist() == ["plate1", "plate2", "plate2"]


def test_doses_are_sorted_as_numbers(tmp_path: Path) -> None:
    for dose in ("10", "0.1", "1", "0", "control", "stage 10", "stage 2"):
        picture(tmp_path, f"{dose}/a.png")
    assert read_class_folders(tmp_path).classes == ("0", "0.1", "1", "10", "control", "stage 2", "stage 10")


def test_what_cannot_be_read_is_named_and_the_rest_used(tmp_path: Path) -> None:
    good = picture(tmp_path, "a/good.png")
    (tmp_path / "a" / "cut.png").write_bytes(good.read_bytes()[:40])
    (tmp_path / "a" / "empty.tif").touch()
    (tmp_path / "a" / "notes.txt").write_text("not a picture")
    tifffile.imwrite(tmp_path / "a" / "movie.tif", np.zeros((9, 5, 5), np.uint8), metadata={"axes": "TYX"})
    crops = read_class_folders(tmp_path)
    assert crops.names == ("a/good.png",)
    assert [text.split(":")[0] for text in crops.skipped] == ["a/cut.png", "a/empty.tif", "a/movie.tif"]
    assert "several time points" in crops.skipped[2]


def test_gray_beside_rgb_gets_three_channels(tmp_path: Path) -> None:
    picture(tmp_path, "a/gray.png", value=70)
    picture(tmp_path, "a/rgb.png", (12, 12, 3))
    picture(tmp_path, "a/rgba.png", (12, 12, 4))
    crops = read_class_folders(tmp_path)
    assert crops.crops.shape == (3, 3, 12, 12)
    assert (crops.crops[0] == 70).all()
    assert crops.skipped == ()


def test_the_commonest_channel_count_wins(tmp_path: Path) -> None:
    for name, channels in (("a/1.tif", 5), ("a/2.tif", 5), ("b/3.tif", 2)):
        picture(tmp_path, name, (channels, 12, 12))
    crops = read_class_folders(tmp_path)
    assert crops.crops.shape == (2, 5, 12, 12)
    assert crops.skipped == ("b/3.tif: has 2 channels, most have 5",)


def test_mixed_sizes_come_to_the_largest_or_to_the_one_given(tmp_path: Path) -> None:
    picture(tmp_path, "a/1.png", (10, 14))
    picture(tmp_path, "a/2.png", (16, 9))
    assert read_class_folders(tmp_path).crops.shape == (2, 1, 16, 14)
    assert read_class_folders(tmp_path, size=8).crops.shape == (2, 1, 8, 8)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 30), st.integers(1, 30))
def test_the_middle_stays_the_middle(height: int, width: int, new_height: int, new_width: int) -> None:
    pixels = np.arange(height * width).reshape(1, height, width)
    result = fitted(pixels, new_height, new_width)
    assert result.shape == (1, new_height, new_width)
    assert result[0, new_height // 2, new_width // 2] == pixels[0, height // 2, width // 2]


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        (r"^[^_]+", ["m1", "m1", "m2"]),
        (r"_(\d+)", ["1", "2", "1"]),
        (r"m(?:1|2)_", ["m1_", "m1_", "m2_"]),
    ],
)
def test_groups_come_from_the_file_name_without_its_class(tmp_path: Path, pattern: str, groups: list[str]) -> None:
    for name in ("a_class/m1_1.png", "b_class/m1_2.png", "b_class/m2_1.png"):
        picture(tmp_path, name)
    assert read_class_folders(tmp_path, pattern).groups.tolist() == groups


def test_errors_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"There is no folder '.*nowhere'"):
        read_class_folders(tmp_path / "nowhere")
    with pytest.raises(ImageError, match="no pictures in class folders"):
        read_class_folders(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bad.png").write_bytes(b"nonsense")
    with pytest.raises(ImageError, match=r"None of the 1 pictures .* can be used; the first: a/bad.png"):
        read_class_folders(tmp_path)
    picture(tmp_path, "a/good.png")
    with pytest.raises(ImageError, match=r"is no regular expression"):
        read_class_folders(tmp_path, "(")
    with pytest.raises(ImageError, match=r"'movie' is not found in 'a/bad.png'"):
        read_class_folders(tmp_path, "movie")


@pytest.mark.data
def test_real_class_folders(data_dir: Path) -> None:
    crops = read_class_folders(data_dir / "mitocheck", r"^(.+?___.+?)___")
    assert (len(crops), len(crops.classes), len(set(crops.groups))) == (2818, 16, 66)
    assert crops.crops.shape[1:] == (1, 64, 64)


@pytest.mark.data
def test_real_folders_of_three_channel_tiffs(data_dir: Path) -> None:
    crops = read_class_folders(data_dir / "jurkat")
    assert crops.crops.shape == (2435, 3, 40, 40)
    assert crops.crops.dtype == np.uint16
    assert crops.counts()["Anaphase"] == 12


def test_turned_copies_stay_with_their_picture(tmp_path: Path) -> None:
    for name in ("G1/a.png", "G1/a_rot90.png", "G1/b.png", "S/c.png"):
        picture(tmp_path, name)
    assert read_class_folders(tmp_path).groups.tolist() == ["G1/a.png", "G1/a.png", "G1/b.png", "S/c.png"]
