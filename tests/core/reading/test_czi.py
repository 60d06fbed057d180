"""CZI: scenes, mosaics, colours, what is missing, and the library that may be missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import open_image, open_images
from napari_cellstage.core.reading.czi_planes import CziPlanes

czi = pytest.importorskip("pylibCZIrw.czi", reason="the extra 'czi' is not installed")


def write(path: Path, tiles: list[tuple[np.ndarray, tuple[int, int], dict[str, int], int]], **facts: Any) -> Path:
    """Write tiles ``(picture, (x, y), plane, scene)``."""
    with czi.create_czi(str(path)) as file:
        for picture, place, plane, scene in tiles:
            shown = picture if picture.ndim == 3 else picture[..., None]
            file.write(np.ascontiguousarray(shown), location=place, plane=plane, scene=scene)
        file.write_metadata(**facts)
    return path


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60000, (2, 2, 3, 40, 50), dtype=np.uint16)


@pytest.mark.data
def test_both_scenes_of_a_real_file_are_images(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = open_images(data_dir / "formats" / "two_scenes.czi")
    assert first.shape == second.shape == (1, 1, 2, 251, 251)
    assert first.channel_names == ("ChA",)
    assert first.pixel_size_um == pytest.approx((0.3, 0.19564, 0.19564), abs=1e-5)
    assert (first.scene, second.name) == ("scene 1", "two_scenes.czi · scene 2")
    assert first.fingerprint != second.fingerprint
    assert first.volume(0, 0).mean() != second.volume(0, 0).mean()
    again = open_image(data_dir / "formats" / "two_scenes.czi", scene="scene 2")
    np.testing.assert_array_equal(again.volume(0, 0), second.volume(0, 0))
    assert capfd.readouterr() == ("", "")


def test_time_channels_and_planes_are_in_order(tmp_path: Path, pixels: np.ndarray) -> None:
    tiles = [
        (pixels[t, c, z], (0, 0), {"T": t, "C": c, "Z": z}, 0) for t in range(2) for c in range(2) for z in range(3)
    ]
    path = write(tmp_path / "a.czi", tiles, channel_names={0: "DNA", 1: "tubulin"}, scale_x=2e-7, scale_y=2e-7)
    stack = open_image(path)
    np.testing.assert_array_equal(np.asarray(stack.data), pixels)
    np.testing.assert_array_equal(stack.region(1, 2, (1,), slice(5, 9), slice(7, 30)), pixels[1, [1], 2, 5:9, 7:30])
    assert stack.channel_names == ("DNA", "tubulin")
    assert stack.pixel_size_um == pytest.approx((1.0, 0.2, 0.2))


def test_a_coarser_level_is_the_same_place_at_half_the_size(tmp_path: Path) -> None:
    picture = np.zeros((40, 60), dtype=np.uint16)
    picture[20:, 30:] = 900
    path = write(tmp_path / "a.czi", [(picture, (0, 0), {}, 0)])
    planes = CziPlanes(path, 0, (0, 0, 60, 40), 1, {"T": 0, "C": 0, "Z": 0}, (1, 1, 1, 20, 30), np.dtype("u2"))
    whole = planes((0, 0, 0, slice(None), slice(None)))
    np.testing.assert_array_equal(whole, picture[::2, ::2])
    np.testing.assert_array_equal(planes((0, 0, 0, slice(5, 15, 2), slice(10, 30))), whole[5:15:2, 10:30])


def test_a_file_without_pixel_size_or_channels_opens(tmp_path: Path, pixels: np.ndarray) -> None:
    stack = open_image(write(tmp_path / "a.czi", [(pixels[0, 0, 0], (0, 0), {}, 0)]))
    assert (stack.shape, stack.pixel_size_um) == ((1, 1, 1, 40, 50), None)
    np.testing.assert_array_equal(stack.volume(0, 0)[0], pixels[0, 0, 0])


def test_colours_come_as_red_green_blue(tmp_path: Path) -> None:
    picture = np.zeros((20, 30, 3), dtype=np.uint8)
    picture[..., 0] = 200  # blue first, as Zeiss has it
    stack = open_image(write(tmp_path / "a.czi", [(picture, (0, 0), {}, 0)]))
    assert stack.rgb
    assert [int(channel.max()) for channel in stack.plane(0, 0, (0, 1, 2))] == [0, 0, 200]


def test_a_mosaic_is_one_image_and_missing_tiles_are_black_and_told(tmp_path: Path, pixels: np.ndarray) -> None:
    tiles = [(pixels[0, 0, z], (50 * x, 0), {"Z": z}, 0) for z in range(3) for x in range(2) if (z, x) != (2, 1)]
    stack = open_image(write(tmp_path / "mosaic.czi", tiles))
    assert stack.shape == (1, 1, 3, 40, 100)
    np.testing.assert_array_equal(stack.plane(0, 1, (0,))[0, :, 50:], pixels[0, 0, 1])
    assert not stack.plane(0, 2, (0,))[0, :, 50:].any()
    assert stack.notes == (
        "'mosaic.czi' lacks 1 of its 6 tiles; they are shown black. "
        "If the microscope's computer has them still, export the file again.",
    )


def test_a_cut_file_is_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write(tmp_path / "cut.czi", [(pixels[0, 0, 0], (0, 0), {}, 0)])
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ImageError, match=r"'cut.czi' can't be read as an image: .*copy it again"):
        open_image(path)


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.czi", [(np.ones((9, 9), dtype=np.uint8), (0, 0), {}, 0)])
    monkeypatch.setitem(sys.modules, "pylibCZIrw", None)
    with pytest.raises(ImageError, match=r"'a.czi' is a Zeiss CZI file.*pip install \"napari-cellstage\[czi\]\""):
        open_image(path)
