"""OME-Zarr of both versions: axes, sizes, names, colours, levels, plates, and folders that are damaged."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import find_images, open_image, open_images
from napari_cellstage.core.reading.gather import gather
from tests.core.reading.writing import damage, write_plate, write_zarr_image

VERSIONS = pytest.mark.parametrize("version", ["0.4", "0.5"])


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60000, (3, 2, 4, 100, 130), dtype=np.uint16)


@VERSIONS
def test_an_image_has_its_axes_sizes_names_colours_and_levels(
    version: str, tmp_path: Path, pixels: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    levels = [pixels, pixels[..., ::2, ::2]]
    channels = [("DNA", "0000FF"), ("tubulin", "00FF00")]
    write_zarr_image(tmp_path / "a.ome.zarr", levels, "tczyx", version, (30.0, 1.0, 2.0, 0.3, 0.25), channels)
    stack = open_image(tmp_path / "a.ome.zarr")
    np.testing.assert_array_equal(np.asarray(stack.data), pixels)
    np.testing.assert_array_equal(np.asarray(stack.pyramid[0]), levels[1])
    assert len(stack.levels) == 2
    assert stack.channel_names == ("DNA", "tubulin")
    assert stack.channel_colors == ("#0000ff", "#00ff00")
    assert stack.pixel_size_um == (2.0, 0.3, 0.25)
    assert (stack.time_step_s, stack.scene, stack.guessed_axes) == (30.0, "", "")
    assert capfd.readouterr() == ("", "")


@VERSIONS
def test_a_region_is_read_without_the_rest(version: str, tmp_path: Path, pixels: np.ndarray) -> None:
    folder = write_zarr_image(tmp_path / "a.zarr", [pixels], "tczyx", version, (1, 1, 1, 1, 1), chunks=32)
    stack = open_image(folder)
    for file in (folder / "0").rglob("*"):
        if file.is_file() and file.relative_to(folder / "0").as_posix().startswith(("2", "c/2")):
            file.write_bytes(b"damaged")
    part = stack.region(1, 2, (1, 0), slice(10, 50), slice(90, 130))
    np.testing.assert_array_equal(part, pixels[1, [1, 0], 2, 10:50, 90:130])
    with pytest.raises(ImageError, match=r"The pixels of 'a.zarr' can't be read"):
        stack.volume(2, 0)


@VERSIONS
def test_a_plate_is_an_image_a_field(version: str, tmp_path: Path, pixels: np.ndarray) -> None:
    fields = list(pixels[0, 0])
    plate = write_plate(tmp_path / "plate.zarr", {"B/3": fields[:2], "C/11": fields[2:3]}, version)
    stacks = open_images(plate)
    assert [stack.scene for stack in stacks] == ["B/3/0", "B/3/1", "C/11/0"]
    assert stacks[0].name == "plate.zarr · B/3/0"
    assert stacks[0].pixel_size_um == (1.0, 0.5, 0.5)
    assert len({stack.fingerprint for stack in stacks}) == 3
    for stack, field in zip(stacks, fields, strict=False):
        np.testing.assert_array_equal(stack.volume(0, 0)[0], field)
    again = open_image(plate, scene="C/11/0")
    np.testing.assert_array_equal(again.volume(0, 0)[0], fields[2])
    assert find_images(tmp_path) == [plate]
    assert [one.scene for one in open_images(plate / "B" / "3")] == ["0", "1"]


@VERSIONS
def test_the_fingerprint_of_a_field_changes_with_its_pixels_alone(
    version: str, tmp_path: Path, pixels: np.ndarray
) -> None:
    plate = write_plate(tmp_path / "plate.zarr", {"B/3": list(pixels[0, 0][:2])}, version)
    before = [stack.fingerprint for stack in open_images(plate)]
    assert before == [stack.fingerprint for stack in open_images(plate)]
    array = zarr.open_array(plate / "B" / "3" / "1" / "0", mode="r+")
    array[:] = pixels[1, 1, 1]
    after = [stack.fingerprint for stack in open_images(plate)]
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def test_a_damaged_field_is_named_and_the_others_open(tmp_path: Path, pixels: np.ndarray) -> None:
    plate = write_plate(tmp_path / "plate.zarr", {"B/3": list(pixels[0, 0][:3])}, "0.4")
    shutil.rmtree(plate / "B" / "3" / "1" / "0")
    with pytest.raises(ImageError, match=r"'plate.zarr · B/3/1' can't be read as an image"):
        open_images(plate)
    gathered = []

    def work() -> Generator[tuple[int, int], None, None]:
        gathered.append((yield from gather([plate], {})))

    assert len(list(work())) == 3
    assert [stack.scene for stack in gathered[0].stacks] == ["B/3/0", "B/3/2"]
    assert "'plate.zarr · B/3/1'" in gathered[0].failed[0]


def test_images_of_a_collection_are_opened_one_by_one(tmp_path: Path, pixels: np.ndarray) -> None:
    group = zarr.open_group(tmp_path / "many.zarr", mode="w", zarr_format=2)
    group.attrs["bioformats2raw.layout"] = 3
    for number in range(2):
        write_zarr_image(tmp_path / "many.zarr" / str(number), [pixels[number, 0, 0]], "yx", "0.4", (1, 1))
    assert [stack.scene for stack in open_images(tmp_path / "many.zarr")] == ["0", "1"]


def test_labels_within_an_image_are_left_alone(tmp_path: Path, pixels: np.ndarray) -> None:
    folder = write_zarr_image(tmp_path / "a.zarr", [pixels[0, 0, 0]], "yx", "0.4", (1, 1))
    write_zarr_image(folder / "labels" / "nuclei", [pixels[0, 0, 1]], "yx", "0.4", (1, 1))
    assert len(open_images(folder)) == 1
    assert find_images(tmp_path) == [folder]


def test_a_size_without_a_unit_is_unknown_and_other_units_are_converted(tmp_path: Path, pixels: np.ndarray) -> None:
    folder = write_zarr_image(tmp_path / "a.zarr", [pixels[0, 0]], "zyx", "0.4", (500.0, 250.0, 250.0))
    about = zarr.open_group(folder, mode="r+").attrs
    scales = about["multiscales"]
    for axis in scales[0]["axes"]:
        axis["unit"] = "nanometer"
    about["multiscales"] = scales
    assert open_image(folder).pixel_size_um == (0.5, 0.25, 0.25)
    for axis in scales[0]["axes"]:
        del axis["unit"]
    about["multiscales"] = scales
    assert open_image(folder).pixel_size_um is None


@VERSIONS
def test_damaged_and_foreign_folders_are_refused_with_a_sentence(
    version: str, tmp_path: Path, pixels: np.ndarray
) -> None:
    folder = write_zarr_image(tmp_path / "a.zarr", [pixels[0, 0, 0]], "yx", version, (1, 1))
    shutil.rmtree(folder / "0")
    with pytest.raises(ImageError, match=r"'a.zarr' can't be read as an image: .*copy it again"):
        open_image(folder)
    damage(folder)
    with pytest.raises(ImageError, match=r"'a.zarr' can't be read as an image: its metadata are damaged"):
        open_image(folder)
    zarr.open_group(tmp_path / "plain.zarr", mode="w", zarr_format=2).create_array("x", shape=(3,), dtype="u1")
    with pytest.raises(ImageError, match=r"no OME-Zarr image in 'plain.zarr'.*\('multiscales'\)"):
        open_image(tmp_path / "plain.zarr")


def test_a_drive_that_goes_away_is_told_when_pixels_are_read(tmp_path: Path, pixels: np.ndarray) -> None:
    folder = write_zarr_image(tmp_path / "a.zarr", [pixels[0, 0, 0]], "yx", "0.4", (1, 1))
    stack = open_image(folder)
    shutil.move(folder, tmp_path / "elsewhere.zarr")
    with pytest.raises(ImageError, match=r"The pixels of 'a.zarr' can't be read.*Connect it again"):
        stack.volume(0, 0)
    with pytest.raises(ImageError, match=r"The pixels of 'a.zarr' can't be read"):
        np.asarray(stack.data)  # as napari reads them
    shutil.move(tmp_path / "elsewhere.zarr", folder)
    np.testing.assert_array_equal(stack.volume(0, 0)[0], pixels[0, 0, 0])
