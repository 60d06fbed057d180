"""Images of one channel each put together without reading them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import from_array
from napari_cellstage.stain.joining import joined, source_of, stem_of


def flat(value, name, side=(6, 5), dtype=np.uint8, **details):
    return from_array(np.full(side, value, dtype), "YX", name, **details)


def test_channels_keep_their_values_and_types():
    made = joined([flat(1, "DAPI.tif"), flat(70_000.5, "NFH.ome.tif", dtype=np.float64)])
    assert made.shape == (1, 2, 1, 6, 5)
    assert made.channel_names == ("DAPI", "NFH")
    assert made.region(0, 0, (1,), slice(2), slice(3)).tolist() == [[[70_000.5] * 3] * 2]
    assert made.pixels.dtype_of((0,)) == np.uint8


def test_names_are_those_of_the_files_channels_then_those_given_then_of_the_files():
    named = flat(1, "a.tif", channel_names=("DNA",))
    assert joined([named, flat(2, "b.tif")], ["x", "y"]).channel_names == ("DNA", "y")
    assert joined([named, named]).channel_names == ("DNA", "DNA (2)")
    assert joined([flat(1, "a.tif")]).channel_names == ("a",)


def test_the_pixel_size_is_that_of_the_first_that_says_one():
    assert joined([flat(1, "a"), flat(2, "b", pixel_size_um=(1.0, 0.5, 0.5))]).pixel_size_um == (1.0, 0.5, 0.5)


def test_where_a_channel_comes_from_is_known():
    one, two = flat(1, "a"), flat(2, "b")
    assert source_of(joined([one, two]), 1) == source_of(two, 0) != source_of(one, 0)
    assert joined([one, two]).fingerprint != joined([two, one]).fingerprint


def test_images_of_other_sizes_are_refused_with_both():
    with pytest.raises(ImageError, match="'b' has 6 x 5 pixels, 'a' has 5 x 6 pixels"):
        joined([flat(1, "a"), flat(2, "b", (5, 6))])
    with pytest.raises(ImageError, match="No image was given"):
        joined([])


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a/b.tif", "b"), ("x.ome.tiff", "x"), ("plate 1.2", "plate 1.2"), ("no ending", "no ending"), (".tif", ".tif")],
)
def test_stems(name, stem):
    assert stem_of(name) == stem
