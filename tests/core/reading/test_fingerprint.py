"""What tells images without a file apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.images import from_array
from napari_cellstage.core.reading import fingerprint
from napari_cellstage.core.reading.fingerprint import of_array
from napari_cellstage.session import Session


@pytest.mark.parametrize("place", [(0, 0, 0, 0, 0), (2, 1, 3, 19, 29), (1, 0, 2, 7, 7), (0, 1, 0, 3, 3)])
def test_pixels_of_every_frame_channel_and_plane_count(place: tuple[int, ...]) -> None:
    pixels = np.zeros((3, 2, 4, 20, 30), dtype=np.uint16)
    other = pixels.copy()
    other[place] = 1
    assert of_array(pixels) == of_array(pixels.copy()) != of_array(other)


def test_of_a_long_movie_the_last_plane_counts_and_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.zeros((1000, 1, 1, 256, 16), dtype=np.uint8)
    other = pixels.copy()
    other[999, 0, 0, 0] = 1
    assert of_array(pixels) != of_array(other)

    class Counted:
        shape, dtype, read = pixels.shape, pixels.dtype, 0

        def __getitem__(self, key: tuple[object, ...]) -> np.ndarray:
            type(self).read += 1
            return pixels[key]  # type: ignore[index]

    of_array(Counted())
    assert Counted.read == 64
    monkeypatch.setattr(fingerprint, "_HASHED_PLANE_BYTES", 20 * 256 * 16)
    of_array(Counted())
    assert Counted.read == 84, "fewer planes where they are large"


def test_two_movies_that_begin_alike_are_two_images(tmp_path: Path) -> None:
    first = np.zeros((5, 9, 9), dtype=np.uint8)
    second = first.copy()
    second[3] = 7
    session = Session(tmp_path)
    assert session.add_images([from_array(first, "TYX", "a"), from_array(second, "TYX", "a")]) == (1, 2)
    assert session.add_image(from_array(second, "TYX", "a")) == 2
    session.close()
