"""Parts read straight from a file are what dask gives, whatever the order of the axes and the pieces of the file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.core.reading.pixels import Pixels, PlaneReader, lazy


@st.composite
def stacks(draw: st.DrawFn) -> ImageStack:
    """An image of a file with any axes in any order, as `open_image` makes it."""
    some = draw(st.lists(st.sampled_from("TCZ"), unique=True))
    axes = "".join(draw(st.permutations([*some, "Y", "X"])))
    shape = tuple(draw(st.integers(1, 5)) for _ in axes)
    values = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    chunks = tuple(draw(st.integers(1, 6)) for _ in axes)
    pixels = Pixels("one", f"{axes}-{shape}-{chunks}", shape, values.dtype, values.__getitem__, chunks)
    stack = from_array(lazy(pixels, axes), axes, "one", fingerprint="given")
    return replace(stack, direct=PlaneReader(pixels, axes, stack.data))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_direct_reading_gives_what_dask_gives(data: st.DataObject) -> None:
    stack = data.draw(stacks())
    frames, count, planes, height, width = stack.shape
    t, z = data.draw(st.integers(0, frames - 1)), data.draw(st.integers(0, planes - 1))
    channels = tuple(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=4)))
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    rows, columns = slice(top, data.draw(st.integers(top + 1, height))), slice(left, None)
    direct = stack.region(t, z, channels, rows, columns)
    by_dask = replace(stack, direct=None).region(t, z, channels, rows, columns)
    np.testing.assert_array_equal(direct, by_dask)
    assert direct.dtype == by_dask.dtype


def test_an_image_whose_pixels_were_replaced_is_not_read_from_the_file() -> None:
    values = np.arange(12, dtype=np.int32).reshape(3, 4)
    pixels = Pixels("one", "token", values.shape, values.dtype, values.__getitem__, values.shape)
    stack = from_array(lazy(pixels, "YX"), "YX", "one", fingerprint="given")
    stack = replace(stack, direct=PlaneReader(pixels, "YX", stack.data))
    doubled = replace(stack, data=stack.data * 2)
    np.testing.assert_array_equal(doubled.plane(0, 0, (0,))[0], values * 2)
