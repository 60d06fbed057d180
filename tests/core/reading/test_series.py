"""Numbered files of a folder as one image, and which files of a tree are images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import can_open, find_images, open_image
from napari_cellstage.core.reading.series_names import find_series


def touched(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def patterns(folder: Path, *names: str) -> list[str]:
    return [series.pattern for series in find_series(touched(folder, *names))[0]]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("a_T001_Z02_C1.tif", "a_T002_Z02_C1.tif"), ["a_T<T>_Z<Z>_C<C>.tif"]),
        (("a_t1.tif", "a_t2.tif", "a_t10.tif"), ["a_t<T>.tif"]),
        (("a_z1_ch00.tif", "a_z2_ch00.tif", "b.tif"), ["a_z<Z>_ch<C>.tif"]),
        (("p_A01_s1_w1.TIF", "p_A01_s1_w2.TIF", "p_A01_s2_w1.TIF"), ["p_A01_s1_w<C>.TIF"]),
        (("p_B02_w1.tif", "p_B02_w2.tif", "p_C02_w1.tif", "p_C02_w2.tif"), ["p_B02_w<C>.tif", "p_C02_w<C>.tif"]),
        (("B01.tif", "B02.tif", "C01.tif", "C02.tif"), []),
        (
            ("r01c01f01p01-ch1sk1fk1fl1.tiff", "r01c01f01p02-ch1sk1fk1fl1.tiff", "r01c02f01p01-ch1sk1fk1fl1.tiff"),
            ["r01c01f01p<Z>-ch<C>sk<T>fk1fl1.tiff"],
        ),
        (("W_B03_T0001F001L01A01Z01C01.tif", "W_B03_T0001F001L01A01Z02C01.tif"), ["W_B03_T<T>F001L01A01Z<Z>C<C>.tif"]),
        (("xy1_t1.tif", "xy1_t2.tif", "xy2_t1.tif", "xy2_t2.tif"), ["xy1_t<T>.tif", "xy2_t<T>.tif"]),
        (("img1.tif", "img2.tif", "img3.tif"), ["img<N>.tif"]),
        (("img1.tif", "img2.tif"), []),
        (("img1.png", "img2.png", "img3.png"), []),
        (("control.tif", "drug.tif", "other.tif"), []),
        (("a3c5d.tif", "a3c6d.tif"), []),
    ],
)
def test_names_tell_which_files_are_one_image(names: tuple[str, ...], wanted: list[str], tmp_path: Path) -> None:
    assert patterns(tmp_path, *names) == wanted


def test_files_of_no_series_are_left_over(tmp_path: Path) -> None:
    files = touched(tmp_path, "a_t1.tif", "note.tif", "a_t2.tif", "sub/a_t3.tif")
    series, rest = find_series(files)
    assert [(one.files, one.title, one.running) for one in series] == [(2, "a_t#.tif", False)]
    assert rest == [files[1], files[3]]


def write_series(folder: Path, pixels: np.ndarray) -> Path:
    """Write ``(T, C, Z, Y, X)`` as a file a plane."""
    folder.mkdir(parents=True, exist_ok=True)
    for t, c, z in np.ndindex(pixels.shape[:3]):
        tifffile.imwrite(folder / f"exp 1_T{t + 1:03}_Z{z:02}_C{c + 1}.tif", pixels[t, c, z], compression="zlib")
    return folder


def test_a_series_is_read_file_by_file(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 60000, (3, 2, 4, 20, 30), dtype=np.uint16)
    folder = write_series(tmp_path / "day 1", pixels)
    stack = open_image(folder, scene="exp 1_T<T>_Z<Z>_C<C>.tif")
    np.testing.assert_array_equal(np.asarray(stack.data), pixels)
    np.testing.assert_array_equal(stack.region(2, 1, (1, 0), slice(3, 9), slice(4, 30)), pixels[2, [1, 0], 1, 3:9, 4:])
    assert stack.name == "day 1/exp 1_T#_Z#_C#.tif"
    assert (stack.guessed_axes, stack.notes, stack.path) == ("", (), folder)


def test_missing_files_of_a_series_are_black_and_told(tmp_path: Path) -> None:
    pixels = np.ones((3, 1, 2, 20, 30), dtype=np.uint16)
    folder = write_series(tmp_path, pixels)
    before = open_image(folder, scene="exp 1_T<T>_Z<Z>_C<C>.tif").fingerprint
    (folder / "exp 1_T002_Z01_C1.tif").unlink()
    stack = open_image(folder, scene="exp 1_T<T>_Z<Z>_C<C>.tif")
    assert stack.notes == ("1 of the 6 files 'exp 1_T<T>_Z<Z>_C<C>.tif' are missing; their planes are shown black.",)
    assert (stack.volume(1, 0)[0].min(), stack.volume(1, 0)[1].max()) == (1, 0)
    assert stack.fingerprint != before


def test_a_running_number_may_be_anything_and_can_be_given(tmp_path: Path) -> None:
    for number in range(5):
        tifffile.imwrite(tmp_path / f"img_{number}.tif", np.full((9, 8), number, dtype=np.uint8))
    stack = open_image(tmp_path, scene="img_<N>.tif")
    assert (stack.shape, stack.guessed_axes) == ((5, 1, 1, 9, 8), "TYX")
    given = open_image(tmp_path, "ZYX", "img_<N>.tif")
    assert (given.shape, given.guessed_axes) == ((1, 1, 5, 9, 8), "")
    np.testing.assert_array_equal(given.volume(0, 0)[:, 0, 0], range(5))


def test_files_that_do_not_fit_their_series_are_named(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a_t1.tif", np.zeros((9, 8), dtype=np.uint8))
    tifffile.imwrite(tmp_path / "a_t2.tif", np.zeros((9, 9), dtype=np.uint8))
    stack = open_image(tmp_path, scene="a_t<T>.tif")
    with pytest.raises(ImageError, match=r"'a_t2.tif' has the shape \(9, 9\).*Take it out of the folder"):
        stack.volume(1, 0)
    tifffile.imwrite(tmp_path / "b_t1.tif", np.zeros((5, 9, 8), dtype=np.uint8), imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(ImageError, match=r"numbered along T, and each of them has that axis itself"):
        open_image(tmp_path, scene="b_t<T>.tif")


def test_a_series_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"There are no files named like 'a_t<T>.tif' in '.*'"):
        open_image(tmp_path, scene="a_t<T>.tif")


def test_images_of_a_tree_are_found_in_the_order_of_people(tmp_path: Path) -> None:
    touched(
        tmp_path,
        "day 10/img2.tif", "day 2/img10.TIF", "day 2/img9.czi", "day 2/.hidden.tif", "notes.txt", "a.nd2",
        "work.cellstage/images/1.tif", "plate.zarr/.zgroup", "plate.zarr/A/1/0/x.tif",
    )  # fmt: skip
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["a.nd2", "day 2/img9.czi", "day 2/img10.TIF", "day 10/img2.tif", "plate.zarr"]
    assert find_images(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]
    assert can_open("x.LIF")
    assert not can_open(tmp_path / "notes.txt")
    assert can_open(tmp_path / "plate.zarr")
