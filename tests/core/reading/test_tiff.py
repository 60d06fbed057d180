"""TIFF: tiles and levels, several images in one file, names, colours and times of OME, files of another kind."""

from __future__ import annotations

import shutil
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import open_image, open_images
from napari_cellstage.core.reading.axes import axes_choices
from napari_cellstage.core.reading.pixels import Pixels, lazy


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60000, (3, 2, 4, 100, 130), dtype=np.uint16)


def write_pyramid(path: Path, picture: np.ndarray, axes: str, levels: int = 3) -> Path:
    """Write an OME-TIFF in tiles, coarser levels as SubIFDs, as slide scanners do."""
    options = {"tile": (64, 64), "compression": "zlib"}
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(picture, subifds=levels - 1, metadata={"axes": axes}, **options)
        for level in range(1, levels):
            file.write(picture[..., :: 2**level, :: 2**level], subfiletype=1, **options)
    return path


def test_a_tiled_pyramid_shows_its_levels(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (2, 500, 700), dtype=np.uint8)
    stack = open_image(write_pyramid(tmp_path / "slide.ome.tif", picture, "CYX"))
    assert [level.shape[3:] for level in stack.levels] == [(500, 700), (250, 350), (125, 175)]
    for number, level in enumerate(stack.levels):
        np.testing.assert_array_equal(np.asarray(level)[0, :, 0], picture[:, :: 2**number, :: 2**number])
    part = stack.region(0, 0, (1,), slice(100, 333), slice(60, 600))
    np.testing.assert_array_equal(part[0], picture[1, 100:333, 60:600])


@pytest.mark.parametrize("details", [{}, {"tile": (512, 512), "compression": "zlib"}])
def test_of_a_large_plane_only_the_part_asked_for_is_read(details: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    picture = np.zeros((6000, 7000), dtype=np.uint16)
    picture[3000:3010, 4000:4010] = 7
    tifffile.imwrite(path, picture, **details)
    stack = open_image(path)
    assert max(chunk for axis in stack.data.chunks[3:] for chunk in axis) <= 7000
    assert np.prod(stack.data.chunksize) * 2 <= 64 << 20
    assert stack.region(0, 0, (0,), slice(2990, 3020), slice(3990, 4020)).sum() == 700


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_part_of_any_chunking_is_what_numpy_gives(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(3))
    values = np.arange(np.prod(shape)).reshape(shape)
    chunks = tuple(data.draw(st.integers(1, 12)) for _ in range(3))
    array = lazy(Pixels("one", str((shape, chunks)), shape, values.dtype, values.__getitem__, chunks), "ZYX")
    index = tuple(data.draw(st.one_of(st.integers(0, n - 1), st.slices(n))) for n in shape)
    np.testing.assert_array_equal(np.asarray(array[index]), values[index])


def test_images_of_one_ome_file_are_scenes(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(pixels[0, 0], metadata={"axes": "ZYX", "Name": "left"})
        file.write(pixels[1, :, 0], metadata={"axes": "CYX", "Name": "right", "Channel": {"Name": ["DNA", "actin"]}})
    left, right = open_images(path)
    assert (left.name, right.scene) == ("two.ome.tif · left", "right")
    assert right.channel_names == ("DNA", "actin")
    np.testing.assert_array_equal(left.volume(0, 0), pixels[0, 0])
    np.testing.assert_array_equal(open_image(path, scene="right").plane(0, 0, (0, 1)), pixels[1, :, 0])


def test_ome_says_colours_units_and_the_time_step(tmp_path: Path, pixels: np.ndarray) -> None:
    metadata = {
        "axes": "TCZYX",
        "Channel": {"Name": ["DNA", "DNA"], "Color": [65535, -16776961]},
        "PhysicalSizeX": 250,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 250,
        "PhysicalSizeYUnit": "nm",
        "PhysicalSizeZ": 0.001,
        "PhysicalSizeZUnit": "mm",
        "TimeIncrement": 2,
        "TimeIncrementUnit": "min",
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=metadata)
    stack = open_image(tmp_path / "a.ome.tif")
    assert stack.channel_names == ("DNA", "DNA (2)")
    assert stack.channel_colors == ("#0000ff", "#ff0000")
    assert stack.pixel_size_um == pytest.approx((1.0, 0.25, 0.25))
    assert stack.time_step_s == 120


def test_imagej_says_the_time_step(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels[:, 0, 0], imagej=True, metadata={"axes": "TYX", "finterval": 30.0})
    assert open_image(tmp_path / "a.tif").time_step_s == 30


def test_files_that_describe_each_other_are_each_their_own_images(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "one.ome.tif"
    tifffile.imwrite(path, pixels[0, 0, 0], metadata={"axes": "YX"})
    with tifffile.TiffFile(path) as file:
        text = file.ome_metadata
    uuid = '<UUID FileName="{}">urn:uuid:00000000-0000-0000-0000-00000000000{}</UUID>'
    start, end = text.index("<Image"), text.index("</Image>") + len("</Image>")
    both = ""
    for number, name in enumerate(("one", "other")):
        image = text[start:end].replace("Image:0", f"Image:{number}").replace("Pixels:0", f"Pixels:{number}")
        at = image.index("<TiffData"), image.index("/>", image.index("<TiffData")) + 2
        both += f'{image[: at[0]]}<TiffData IFD="0">{uuid.format(f"{name}.ome.tif", number)}</TiffData>{image[at[1] :]}'
    for number, name in enumerate(("one", "other")):
        described = text[:start] + both + text[end:]
        tifffile.imwrite(
            tmp_path / f"{name}.ome.tif", pixels[number, 0, 0], description=described.encode(), metadata=None
        )
    for number, name in enumerate(("one", "other")):
        (stack,) = open_images(tmp_path / f"{name}.ome.tif")
        np.testing.assert_array_equal(stack.volume(0, 0)[0], pixels[number, 0, 0])


def test_planes_in_files_that_are_missing_are_black_and_told(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "one.ome.tif"
    tifffile.imwrite(path, pixels[:2, 0, 0], metadata={"axes": "ZYX"})
    with tifffile.TiffFile(path) as file:
        text = file.ome_metadata
    at = text.index("<TiffData")
    uuid = '<UUID FileName="{}.ome.tif">urn:uuid:00000000-0000-0000-0000-00000000000{}</UUID>'
    planes = "".join(
        f'<TiffData IFD="0" FirstZ="{z}" PlaneCount="1">{uuid.format(name, z)}</TiffData>'
        for z, name in enumerate(("one", "gone"))
    )
    described = text[:at] + planes + text[text.index("/>", at) + 2 :]
    tifffile.imwrite(path, pixels[0, 0, 0], description=described.encode(), metadata=None)
    stack = open_image(path)
    np.testing.assert_array_equal(stack.volume(0, 0), [pixels[0, 0, 0], np.zeros_like(pixels[0, 0, 0])])
    assert stack.notes[0].startswith("1 of the 2 planes of 'one.ome.tif' are in files that are missing")


def test_guessed_axes_are_told_and_given_axes_are_not_guessed(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.concatenate(list(pixels[:, 0])), photometric="minisblack", metadata=None)
    stack, given_ = open_image(path), open_image(path, axes="tyx")
    assert (stack.guessed_axes, stack.axes, stack.shape[2]) == ("ZYX", "", 12)
    assert (given_.guessed_axes, given_.axes, given_.shape[0]) == ("", "TYX", 12)
    tifffile.imwrite(tmp_path / "b.tif", pixels[0, 0], imagej=True, metadata={"axes": "ZYX"})
    assert open_image(tmp_path / "b.tif").guessed_axes == ""


@pytest.mark.parametrize(
    ("guessed", "choices"),
    [("ZYX", ("ZYX", "TYX", "CYX")), ("CYXS", ("CYXS", "TYXS", "ZYXS")), ("YX", ("YX",))],
)
def test_what_guessed_axes_could_be(guessed: str, choices: tuple[str, ...]) -> None:
    assert axes_choices(guessed) == choices


def test_two_guessed_axes_have_six_readings() -> None:
    assert axes_choices("ZCYX") == ("ZCYX", "TZYX", "TCYX", "ZTYX", "CTYX", "CZYX")


def test_a_file_is_opened_by_what_is_in_it(tmp_path: Path, pixels: np.ndarray) -> None:
    imageio.imwrite(tmp_path / "picture.png", pixels[0, 0, 0].astype(np.uint8))
    shutil.move(tmp_path / "picture.png", tmp_path / "picture.tif")
    tifffile.imwrite(tmp_path / "scan.png.tif", pixels[0, 0, 0])
    shutil.move(tmp_path / "scan.png.tif", tmp_path / "scan.png")
    assert open_image(tmp_path / "picture.tif").shape == open_image(tmp_path / "scan.png").shape == (1, 1, 1, 100, 130)


def test_a_photo_stands_upright(tmp_path: Path) -> None:
    from PIL import Image

    picture = np.zeros((20, 30, 3), dtype=np.uint8)
    picture[:5] = 250
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(picture).save(tmp_path / "phone.jpg", exif=exif, quality=95)
    stack = open_image(tmp_path / "phone.jpg")
    assert stack.shape == (1, 3, 1, 30, 20)
    assert stack.plane(0, 0, (0,))[0, :, -3:].min() > 200


def test_a_plain_tiff_of_zero_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flat.tif"
    tifffile.imwrite(path, np.zeros((1, 4), dtype=np.uint8))
    content = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        tag = file.pages[0].tags["ImageLength"].valueoffset
    path.write_bytes(content[:tag] + bytes(4) + content[tag + 4 :])
    with pytest.raises(ImageError, match=r"'flat.tif'"):
        open_image(path)


def test_a_file_replaced_after_opening_is_read_anew(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels[0, 0, 0], compression="zlib")
    stack = open_image(path)
    np.testing.assert_array_equal(stack.volume(0, 0)[0], pixels[0, 0, 0])
    path.unlink()
    with pytest.raises(ImageError, match=r"The pixels of 'a.tif' can't be read.*disk gone"):
        stack.volume(0, 0)


def test_numbers_with_a_decimal_comma_are_read(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "a.ome.tif"
    size = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25, "TimeIncrement": 2.5}
    tifffile.imwrite(path, pixels, metadata={"axes": "TCZYX", **size})
    text = tifffile.tiffcomment(path)
    tifffile.tiffcomment(path, text.replace('"0.25"', '"0,25"').replace('"2.5"', '"2,5"').encode())
    stack = open_image(path)
    assert stack.pixel_size_um == (1.0, 0.25, 0.25)
    assert stack.time_step_s == 2.5


def test_names_of_only_some_channels_are_no_names(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, pixels[0, :, 0], metadata={"axes": "CYX", "Channel": {"Name": ["DNA", "actin"]}})
    text = tifffile.tiffcomment(path)
    start = text.rindex("<Channel")
    tifffile.tiffcomment(path, (text[:start] + text[text.index("<", start + 1) :].removeprefix("</Channel>")).encode())
    assert open_image(path).channel_names == ("channel 0", "channel 1")
