from __future__ import annotations

import logging
from pathlib import Path

import dask.array as da
import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack, find_images, from_array, open_image, open_images
from napari_cellstage.core.reading.axes import guess_axes

ODD_NAMES = ("with space.tif", "naïve 🧫 (1).tif", "a#b%20?c.tif", "UPPER.TIF", "deep/er/one.tif")


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60000, (3, 2, 4, 20, 30), dtype=np.uint16)


def saved(path: Path, *args: object, **details: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, *args, **details)
    return path


# ---- arrays


@pytest.mark.parametrize(
    ("axes", "shape", "wanted"),
    [
        ("YX", (5, 6), (1, 1, 1, 5, 6)),
        ("CYX", (2, 5, 6), (1, 2, 1, 5, 6)),
        ("ZYX", (2, 5, 6), (1, 1, 2, 5, 6)),
        ("YXC", (5, 6, 2), (1, 2, 1, 5, 6)),
        ("TCZYX", (2, 3, 4, 5, 6), (2, 3, 4, 5, 6)),
        ("ZTCXY", (4, 2, 3, 6, 5), (2, 3, 4, 5, 6)),
        ("YXS", (5, 6, 3), (1, 3, 1, 5, 6)),
        ("YXS", (5, 6, 4), (1, 3, 1, 5, 6)),
        ("YXS", (5, 6, 2), (1, 1, 1, 5, 6)),
        ("CYXS", (2, 5, 6, 3), (1, 6, 1, 5, 6)),
        ("cyx", (2, 5, 6), (1, 2, 1, 5, 6)),
    ],
)
def test_axes_are_put_in_order(axes: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    stack = from_array(np.zeros(shape, dtype=np.uint8), axes, "one")
    assert stack.shape == wanted
    assert len(stack.channel_names) == wanted[1]


def test_every_pixel_lands_where_its_axes_say(pixels: np.ndarray) -> None:
    moved = from_array(np.moveaxis(pixels, (0, 1, 2), (2, 0, 1)), "CZTYX", "moved")
    np.testing.assert_array_equal(np.asarray(moved.data), pixels)
    np.testing.assert_array_equal(moved.volume(2, 1), pixels[2, 1])
    np.testing.assert_array_equal(moved.plane(1, 3, (1, 0)), pixels[1, [1, 0], 3])


def test_colour_pictures_are_three_named_channels() -> None:
    colours = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    stack = from_array(colours, "YXS", "colours")
    assert stack.rgb
    assert stack.channel_names == ("red", "green", "blue")
    np.testing.assert_array_equal(stack.plane(0, 0, (2,))[0], colours[..., 2])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "float32", "float64"])
def test_dtypes_stay(dtype: str) -> None:
    stack = from_array(np.ones((4, 5), dtype=dtype), "YX", "one")
    assert stack.data.dtype == stack.plane(0, 0, (0,)).dtype == np.dtype(dtype)


def test_nan_and_constant_images_open() -> None:
    assert np.isnan(from_array(np.full((4, 5), np.nan), "YX", "dark").volume(0, 0)).all()


def test_dask_arrays_stay_lazy() -> None:
    def read(_: np.ndarray) -> np.ndarray:
        raise AssertionError("pixels were read")

    lazy = da.zeros((2, 5, 6), chunks=(1, 5, 6)).map_blocks(read, dtype=float, meta=np.zeros((0, 0, 0)))
    assert from_array(lazy, "CYX", "lazy", fingerprint="given").shape == (1, 2, 1, 5, 6)


@pytest.mark.parametrize(
    ("array", "axes", "text"),
    [
        (np.zeros((2, 5, 6)), "YX", r"axes 'YX' do not fit 'odd' of shape \(2, 5, 6\)"),
        (np.zeros((5, 6)), "TC", "Y and X among them"),
        (np.zeros((5, 5, 6)), "YYX", "each once"),
        (np.zeros((5, 5, 6)), "QYX", "do not fit"),
        (np.zeros((0, 6)), "YX", "no pixels"),
        (np.zeros((5, 6), dtype=complex), "YX", "only real numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(array: np.ndarray, axes: str, text: str) -> None:
    with pytest.raises(ImageError, match=text):
        from_array(array, axes, "odd")


def test_channel_names_must_fit_the_channels() -> None:
    with pytest.raises(ImageError, match="2 channels, but 1 channel names were given: DNA"):
        from_array(np.zeros((2, 5, 6)), "CYX", "two", channel_names=("DNA",))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda s: s.volume(3, 0), "'one' has no time point 3: it has 3.*0 to 2"),
        (lambda s: s.volume(0, 2), "no channel 2"),
        (lambda s: s.plane(0, 4, (0,)), "no plane 4"),
        (lambda s: s.plane(0, 0, (0, -1)), "no channel -1"),
    ],
)
def test_what_is_not_there_is_named(pixels: np.ndarray, call: object, text: str) -> None:
    with pytest.raises(ImageError, match=text):
        call(from_array(pixels, "TCZYX", "one"))  # type: ignore[operator]


def test_fingerprint_changes_with_the_pixels(pixels: np.ndarray, tmp_path: Path) -> None:
    other = pixels.copy()
    other[0, 0, 0, 3, 3] += 1
    first, same, changed = (from_array(a, "TCZYX", "one").fingerprint for a in (pixels, pixels.copy(), other))
    assert first == same != changed
    file = saved(tmp_path / "a.tif", pixels[0, 0, 0])
    before = open_image(file).fingerprint
    assert before == open_image(file).fingerprint
    assert open_image(saved(file, other[0, 0, 0])).fingerprint != before


# ---- files


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_file_names_open(name: str, tmp_path: Path, pixels: np.ndarray) -> None:
    stack = open_image(saved(tmp_path / name, pixels[0, 0, 0]))
    np.testing.assert_array_equal(stack.volume(0, 0)[0], pixels[0, 0, 0])
    assert stack.name == Path(name).name
    assert stack.path == tmp_path / name


@pytest.mark.parametrize("name", ["gray.png", "emoji 🧫.PNG", "a#b.png"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_png_opens(name: str, dtype: type, tmp_path: Path, pixels: np.ndarray) -> None:
    picture = pixels[0, 0, 0].astype(dtype)
    imageio.imwrite(tmp_path / name, picture, extension=".png")
    stack = open_image(tmp_path / name)
    assert stack.shape == (1, 1, 1, 20, 30)
    np.testing.assert_array_equal(stack.volume(0, 0)[0], picture)


@pytest.mark.parametrize(
    ("ending", "samples", "channels"), [("png", 3, 3), ("png", 4, 3), ("png", 2, 1), ("jpg", 3, 3)]
)
def test_colour_png_and_jpeg_open(ending: str, samples: int, channels: int, tmp_path: Path) -> None:
    picture = np.full((20, 30, samples), 90, dtype=np.uint8)
    imageio.imwrite(tmp_path / f"one.{ending}", picture)
    stack = open_image(tmp_path / f"one.{ending}")
    assert stack.shape == (1, channels, 1, 20, 30)
    assert stack.rgb == (channels == 3)


def test_gray_jpeg_opens(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "one.JPEG", np.full((20, 30), 90, dtype=np.uint8), extension=".jpg")
    assert open_image(tmp_path / "one.JPEG").shape == (1, 1, 1, 20, 30)


def test_imagej_tiff_keeps_axes_and_pixel_size(tmp_path: Path, pixels: np.ndarray) -> None:
    path = saved(
        tmp_path / "ij.tif",
        pixels.transpose(0, 2, 1, 3, 4),
        imagej=True,
        resolution=(5, 4),
        metadata={"axes": "TZCYX", "unit": "um", "spacing": 2.0},
    )
    stack = open_image(path)
    np.testing.assert_array_equal(np.asarray(stack.data), pixels)
    assert stack.pixel_size_um == (2.0, 0.25, 0.2)


def test_ome_tiff_keeps_axes_names_and_pixel_size(tmp_path: Path, pixels: np.ndarray) -> None:
    details = {"axes": "TCZYX", "Channel": {"Name": ["DNA", "tubulin"]}}
    details |= {"PhysicalSizeX": 0.3, "PhysicalSizeY": 0.3, "PhysicalSizeZ": 1.5}
    stack = open_image(saved(tmp_path / "a.ome.tif", pixels, metadata=details))
    np.testing.assert_array_equal(np.asarray(stack.data), pixels)
    assert stack.channel_names == ("DNA", "tubulin")
    assert stack.pixel_size_um == (1.5, 0.3, 0.3)
    assert stack.data.chunksize[:3] == (1, 1, 1)


def test_ome_tiff_with_pixel_sizes_of_0_opens_with_its_names(tmp_path: Path, pixels: np.ndarray) -> None:
    details = {"axes": "TCZYX", "Channel": {"Name": ["DNA", "tubulin"]}, "PhysicalSizeX": 0, "PhysicalSizeY": 0}
    stack = open_image(saved(tmp_path / "a.ome.tif", pixels, metadata=details))
    np.testing.assert_array_equal(np.asarray(stack.data), pixels)
    assert stack.channel_names == ("DNA", "tubulin")
    assert stack.pixel_size_um is None


def test_rgb_tiff_is_three_channels(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    stack = open_image(saved(tmp_path / "a.tif", colours, photometric="rgb"))
    planar = open_image(
        saved(tmp_path / "b.tif", colours.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    )
    np.testing.assert_array_equal(stack.plane(0, 0, (0, 1, 2)), colours.transpose(2, 0, 1))
    np.testing.assert_array_equal(planar.plane(0, 0, (0, 1, 2)), colours.transpose(2, 0, 1))
    assert (stack.rgb, planar.rgb) == (True, True)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.float32])
def test_tiff_dtypes_stay(dtype: type, tmp_path: Path) -> None:
    stack = open_image(saved(tmp_path / "a.tif", np.ones((20, 30), dtype=dtype)))
    assert stack.volume(0, 0).dtype == np.dtype(dtype)


def test_resolution_in_dots_per_inch_is_no_pixel_size(tmp_path: Path, pixels: np.ndarray) -> None:
    path = saved(tmp_path / "a.tif", pixels[0, 0, 0], resolution=(72, 72), resolutionunit="INCH")
    assert open_image(path).pixel_size_um is None


@pytest.mark.parametrize(
    ("letters", "shape", "wanted"),
    [
        ("QYX", (2, 1040, 1392), "CYX"),
        ("IYX", (4, 9, 9), "CYX"),
        ("QYX", (31, 61, 57), "ZYX"),
        ("ZQYX", (5, 30, 9, 9), "ZTYX"),
        ("QQYX", (7, 2, 9, 9), "ZCYX"),
        ("QQYX", (2, 7, 9, 9), "CZYX"),
        ("QQQYX", (5, 6, 3, 9, 9), "TZCYX"),
        ("CQYX", (2, 3, 9, 9), "CZYX"),
        ("QYXS", (9, 9, 9, 3), "ZYXS"),
        ("TCZYX", (1, 2, 3, 4, 5), "TCZYX"),
    ],
)
def test_open_axes_are_named_by_the_rule(letters: str, shape: tuple[int, ...], wanted: str) -> None:
    assert guess_axes(letters, shape, "one.tif") == wanted


def test_too_many_open_axes_are_refused() -> None:
    with pytest.raises(ImageError, match=r"'one.tif' has the shape \(2, 2, 2, 2, 5, 5\)"):
        guess_axes("QQQQYX", (2, 2, 2, 2, 5, 5), "one.tif")


def test_the_caller_overrules_the_axes(tmp_path: Path, pixels: np.ndarray) -> None:
    path = saved(tmp_path / "a.tif", np.repeat(pixels[:, 0, 0], 3, axis=0))
    assert open_image(path).shape == (1, 1, 9, 20, 30)
    assert open_image(path, axes="TYX").shape == (9, 1, 1, 20, 30)
    with pytest.raises(ImageError, match=r"axes 'YX' do not fit 'a.tif'"):
        open_image(path, axes="YX")
    with pytest.raises(ImageError, match=r"can't be read|do not fit"):
        open_image(path, axes="XXY")


# ---- bad files


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def test_missing_empty_folder_and_unknown_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.tif").touch()
    (tmp_path / "scan.czi").write_bytes(b"ZISRAWFILE")
    (tmp_path / "noend").write_bytes(b"x")
    for name, text in (
        ("gone.tif", "There is no file '.*gone.tif'"),
        ("empty.tif", r"'empty.tif' is empty \(0 bytes\)"),
        ("scan.czi", r"'scan.czi' can't be read as an image: .*cut off or damaged"),
        ("noend", r"'noend' is of a kind that can't be opened \(no ending\). Choose one of: .tif"),
        (".", "is a folder"),
    ):
        with pytest.raises(ImageError, match=text):
            open_image(tmp_path / name)


@pytest.mark.parametrize("ending", ["tif", "png", "jpg", "ome.tif"])
def test_files_that_are_no_image_are_refused_quietly(
    ending: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / f"junk.{ending}").write_bytes(b"hello world" * 99)
    with pytest.raises(ImageError, match=rf"'junk.{ending}' can't be read as an image: .*copy it again"):
        open_image(tmp_path / f"junk.{ending}")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
@pytest.mark.parametrize("details", [{}, {"compression": "zlib"}, {"imagej": True}, {"ome": True}, {"metadata": None}])
def test_truncated_tiffs_are_refused_when_opened(
    share: float, details: dict[str, object], tmp_path: Path, pixels: np.ndarray
) -> None:
    stack = pixels[:, 0].reshape(12, 20, 30)
    path = cut(saved(tmp_path / "cut.tif", stack, **details), share)
    with pytest.raises(ImageError, match=r"'cut.tif' can't be read as an image: .*cut off or damaged"):
        open_image(path)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_truncated_pictures_are_refused(ending: str, tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    imageio.imwrite(tmp_path / f"cut.{ending}", picture)
    with pytest.raises(ImageError, match="can't be read as an image"):
        open_image(cut(tmp_path / f"cut.{ending}", 0.5))


def test_a_file_that_vanishes_after_opening_is_told_when_it_is_read(tmp_path: Path, pixels: np.ndarray) -> None:
    path = saved(tmp_path / "gone.tif", pixels[0, 0, 0])
    stack = open_image(path)
    path.unlink()
    with pytest.raises(ImageError, match=r"pixels of 'gone.tif' can't be read"):
        stack.volume(0, 0)


# ---- real files

REAL = {
    "tubulin_h2b_field.tif": (1, 2, 1, 1040, 1392),
    "plk1_control.tif": (1, 1, 1, 682, 682),
    "plk1_inhibition.tif": (1, 1, 1, 682, 682),
    "mitocheck_incenp_t1.tif": (1, 1, 1, 364, 260),
    "mitocheck_incenp_t1_labels.tif": (1, 1, 1, 364, 260),
    "mitocheck_incenp_t70.tif": (1, 1, 1, 364, 260),
    "mitocheck_incenp_t70_labels.tif": (1, 1, 1, 364, 260),
    "mitocheck_movie.ome.tif": (30, 1, 1, 190, 211),
    "mitotic_plate_zyx.tif": (1, 1, 6, 263, 263),
    "cell_dna_microtubules_actin.tif": (1, 3, 1, 350, 350),
}


@pytest.mark.data
def test_every_real_field_opens_with_its_axes_and_prints_nothing(
    data_dir: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    stacks = {file.name: open_image(file) for file in sorted((data_dir / "fields").glob("*.tif"))}
    assert {name: stack.shape for name, stack in stacks.items()} == REAL
    for stack in stacks.values():
        assert _first_plane(stack).max() > 0
    for file in sorted((data_dir / "fields" / "dsb2018").glob("*.tif")):
        stack = open_image(file)
        assert stack.shape[:3] == (1, 1, 1)
        np.testing.assert_array_equal(_first_plane(stack)[0], tifffile.imread(file))
    assert capfd.readouterr() == ("", "")


def _first_plane(stack: ImageStack) -> np.ndarray:
    return stack.plane(0, 0, (0,))


OTHERS = {
    "formats/cluster.nd2": [(3, 2, 10, 31, 38)],
    "formats/two_scenes.czi": [(1, 1, 2, 251, 251)] * 2,
    "formats/stardist/img2d.tif": [(1, 1, 1, 512, 512)],
    "formats/stardist/mask2d.tif": [(1, 1, 1, 512, 512)],
    "formats/stardist/img3d.tif": [(1, 1, 31, 61, 57)],
    "formats/stardist/mask3d.tif": [(1, 1, 31, 61, 57)],
    "pairs/embryo_transmission_fluorescence.tif": [(1, 2, 1, 341, 341)],
    "pairs/isl/DAPI.tif": [(1, 1, 1, 640, 640)],
    "pairs/isl/MAP2.tif": [(1, 1, 1, 640, 640)],
    "pairs/isl/NFH.tif": [(1, 1, 1, 640, 640)],
    "pairs/isl/phase_zyx.tif": [(1, 1, 13, 640, 640)],
}


@pytest.mark.data
def test_every_other_real_image_opens_with_its_axes(data_dir: Path) -> None:
    found = [path for folder in ("formats", "pairs") for path in find_images(data_dir / folder)]
    stacks = {path.relative_to(data_dir).as_posix(): open_images(path) for path in found}
    assert {name: [stack.shape for stack in scenes] for name, scenes in stacks.items()} == OTHERS
    for scenes in stacks.values():
        assert all(stack.volume(stack.shape[0] - 1, 0).max() > 0 for stack in scenes)


@pytest.mark.data
@pytest.mark.parametrize(("tree", "shape"), [("mitocheck", (1, 1, 1, 64, 64)), ("jurkat", (1, 3, 1, 40, 40))])
def test_crops_of_every_class_open(tree: str, shape: tuple[int, ...], data_dir: Path) -> None:
    for folder in sorted(path for path in (data_dir / tree).iterdir() if path.is_dir()):
        for path in find_images(folder)[::40]:
            stack = open_image(path)
            assert stack.shape == shape
            assert stack.plane(0, 0, (0,)).max() > 0
