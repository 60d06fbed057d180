"""Channels of several sources as one image: the same values as if they were one array."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_cellstage.core.reading.joined import JoinedPlanes, Part
from napari_cellstage.core.reading.planes import MemoryPlanes, Thinned

OWN = np.random.default_rng(0).integers(0, 255, (2, 3, 2, 7, 5), dtype=np.uint8)
MORE = np.random.default_rng(1).normal(size=(2, 2, 2, 7, 5)).astype(np.float32)
ORDERS = st.permutations(range(5))


def joined(order: list[int]) -> tuple[JoinedPlanes, np.ndarray]:
    own, more = MemoryPlanes(OWN), MemoryPlanes(MORE)
    parts = [Part(own, c) if c < 3 else Part(more, c - 3, f"more {c}") for c in order]
    whole = np.concatenate([OWN.astype(np.float32), MORE], axis=1)[:, order]
    return JoinedPlanes(own, parts), whole


def index_of(length: int) -> st.SearchStrategy[Any]:
    ends = st.one_of(st.none(), st.integers(-length - 1, length + 1))
    steps = st.sampled_from([None, 1, 2, 3, -1, -2])
    return st.one_of(st.integers(-length, length - 1), st.builds(slice, ends, ends, steps))


@given(ORDERS, st.tuples(*(index_of(n) for n in (2, 5, 2, 7, 5))))
def test_any_index_reads_what_one_array_would(order: list[int], index: Any) -> None:
    planes, whole = joined(order)
    assert np.array_equal(planes[index], whole[index])


@given(ORDERS, st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_planes_have_their_channels_in_any_order(order: list[int], channels: list[int]) -> None:
    planes, whole = joined(order)
    found = planes.plane(1, 0, tuple(channels), slice(1, 6), slice(0, 4))
    assert np.array_equal(found, whole[1, channels, 0, 1:6, :4])


def test_the_files_own_channels_keep_their_type() -> None:
    planes, _ = joined([0, 1, 2, 3, 4])
    assert planes.dtype == np.float32
    assert planes[0, 1].dtype == planes[:, :3].dtype == np.uint8
    assert planes.plane(0, 0, (2, 0), slice(None), slice(None)).dtype == np.uint8
    assert planes.dtype_of((0, 2)) == np.uint8
    assert planes.dtype_of((0, 3)) == planes[0, 2:4].dtype == np.float32


def test_only_channels_in_their_places_are_those_of_the_file() -> None:
    planes, _ = joined([0, 1, 2, 3, 4])
    assert planes.identity((0, 2)) == planes.identity(()) == ""
    assert planes.identity((0, 3)) == "0,more 3"
    turned, _ = joined([3, 1, 0, 2, 4])
    assert turned.identity((1,)) == ""
    assert turned.identity((2,)) == "0"
    assert turned.identity((0,)) == "more 3"


def test_every_second_pixel_and_dask_are_read_through_it() -> None:
    planes, whole = joined([4, 0, 1, 2, 3])
    assert np.array_equal(Thinned(planes)[:], whole[..., ::2, ::2])
    assert np.array_equal(planes.dask[1, :, 0].compute(), whole[1, :, 0])
