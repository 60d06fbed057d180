"""A format that only an installed reader of bioio's knows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import can_open, find_images, open_image
from napari_cellstage.core.reading import plugins

PIXELS = np.arange(2 * 6 * 8, dtype=np.uint16).reshape(1, 2, 1, 6, 8)


class Reader:
    """As bioio's readers are: lazy, with names and sizes."""

    scenes = ("Image:0",)
    channel_names = ("DAPI", "tubulin")
    physical_pixel_sizes = (None, 0.25, 0.25)
    time_interval = None

    def __init__(self, path: Path) -> None:
        self.xarray_dask_data = xr.DataArray(da.from_array(PIXELS, chunks=(1, 1, 1, 6, 8)), dims=list("TCZYX"))

    def set_scene(self, scene: int) -> None:
        assert scene == 0


@pytest.fixture
def deltavision(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in for the reader of another format, installed beside napari-cellstage."""
    module = ModuleType("reader_of_dv")
    module.ReaderMetadata = SimpleNamespace(get_supported_extensions=lambda: ["dv"], get_reader=lambda: Reader)
    monkeypatch.setitem(sys.modules, "reader_of_dv", module)
    entry = EntryPoint("bioio-dv", "reader_of_dv", "bioio.readers")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry])
    plugins.plugin_endings.cache_clear()
    yield
    plugins.plugin_endings.cache_clear()


def test_a_file_is_read_by_the_reader_that_is_installed_for_it(tmp_path: Path, deltavision: None) -> None:
    file = tmp_path / "cells.dv"
    file.write_bytes(b"some header")
    stack = open_image(file)
    assert can_open(file)
    assert find_images(tmp_path) == [file]
    assert stack.channel_names == ("DAPI", "tubulin")
    assert stack.pixel_size_um == (1.0, 0.25, 0.25)
    np.testing.assert_array_equal(stack.plane(0, 0, (1,))[0], PIXELS[0, 1, 0])


def test_without_it_the_file_is_of_an_unknown_kind(tmp_path: Path) -> None:
    file = tmp_path / "cells.dv"
    file.write_bytes(b"some header")
    with pytest.raises(ImageError, match=r"'cells.dv' is of a kind that can't be opened \(.dv\)"):
        open_image(file)
