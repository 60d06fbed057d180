"""Images read without dask are what numpy and dask make of them, whatever the axes, their order, and the pieces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import from_array, open_image
from napari_cellstage.core.reading import file_planes
from napari_cellstage.core.reading.axes import in_order
from napari_cellstage.core.reading.file_planes import FilePlanes
from napari_cellstage.core.reading.pixels import Pixels
from napari_cellstage.core.reading.planes import Planes, Thinned, planes_of


def forward_only(values: np.ndarray, index: tuple[Any, ...]) -> np.ndarray:
    """Read as the pickiest reader does: whole numbers and slices forwards, without steps."""
    assert all(isinstance(one, int) or (one.step in (None, 1) and one.start >= 0) for one in index)
    return values[index]


@st.composite
def files(draw: st.DrawFn) -> tuple[FilePlanes, np.ndarray, bool]:
    """A file with any axes in any order, what it is as T, C, Z, Y, X, and whether it is a colour picture."""
    some = draw(st.lists(st.sampled_from("TCZS"), unique=True))
    axes = "".join(draw(st.permutations([*some, "Y", "X"])))
    shape = tuple(draw(st.integers(1, 5)) for _ in axes)
    values = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    chunks = tuple(draw(st.integers(1, 6)) for _ in axes)
    read = lambda index: forward_only(values, index)  # noqa: E731
    pixels = Pixels("one", f"{axes}-{shape}-{chunks}", shape, values.dtype, read, chunks)
    return FilePlanes(pixels, axes), *in_order(values, axes)


@pytest.mark.parametrize("at_once", [1, 64, 1 << 20], ids=["pieces", "some", "whole"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_part_of_any_file_is_what_numpy_gives(at_once: int, data: st.DataObject) -> None:
    planes, values, rgb = data.draw(files())
    index = data.draw(basic_indices(values.shape, allow_newaxis=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_planes, "_AT_ONCE_BYTES", at_once)
        np.testing.assert_array_equal(planes[index], values[index])
        np.testing.assert_array_equal(np.asarray(Thinned(planes)), values[..., ::2, ::2])
    assert (planes.shape, planes.dtype, planes.rgb) == (values.shape, values.dtype, rgb)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_planes_and_the_dask_array_are_the_same(data: st.DataObject) -> None:
    planes, values, _rgb = data.draw(files())
    t, z = (data.draw(st.integers(0, values.shape[axis] - 1)) for axis in (0, 2))
    channels = tuple(data.draw(st.lists(st.integers(0, values.shape[1] - 1), min_size=1, max_size=4)))
    part = planes.plane(t, z, channels, slice(1, None), slice(None))
    np.testing.assert_array_equal(part, values[t, list(channels), z, 1:])
    np.testing.assert_array_equal(np.asarray(planes.dask), values)


@pytest.mark.parametrize("kind", [np.asarray, da.asarray], ids=["memory", "dask"])
def test_arrays_of_a_script_are_planes(kind: Any) -> None:
    values = np.arange(2 * 5 * 7 * 3).reshape(2, 5, 7, 3)
    planes, rgb = planes_of(kind(values), "ZYXS", "one")
    assert isinstance(planes, Planes)
    assert rgb
    np.testing.assert_array_equal(np.asarray(planes), values.transpose(3, 0, 1, 2)[None])
    np.testing.assert_array_equal(np.asarray(planes.dask), np.asarray(planes))
    assert planes[0, 0, 1, 2:2].shape == (0, 7)
    assert planes.size == values.size


def test_a_dask_array_that_fails_says_which_image() -> None:
    def broken(_block: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError("a decoder's whim")

    array = da.zeros((4, 4), chunks=4).map_blocks(broken, dtype=float, meta=np.zeros((0, 0)))
    stack = from_array(array, "YX", "odd", fingerprint="given")
    with pytest.raises(ImageError, match=r"The pixels of 'odd' can't be read: a decoder's whim\. .*Connect it again"):
        stack.plane(0, 0, (0,))


def test_reading_a_file_loads_no_dask(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2, 30, 40), np.uint16), metadata={"axes": "CYX"})
    code = (
        "import sys; from napari_cellstage.core.images import open_image; "
        f"stack = open_image({str(tmp_path / 'a.tif')!r}); stack.plane(0, 0, (1,)); stack.volume(0, 0); "
        "print(*(m for m in ('dask', 'xarray', 'pandas') if m in sys.modules))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
    assert open_image(tmp_path / "a.tif").data.chunksize == (1, 1, 1, 30, 40)
