"""Windows over fields: every pixel is looked at, weights sum to 1, and blocks leave no trace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.stain.fields import Field
from napari_cellstage.stain.layout import Cut, laid_out
from napari_cellstage.stain.mosaic import Mosaic, windows_of
from napari_cellstage.stain.plan import Plan
from napari_cellstage.stain.windows import mirrored, windows_along


def plan(dimensions: str = "2d", output: str = "stack", depth: int = 1, planes: int = 1) -> Plan:
    return Plan(dimensions, 1, output, depth, planes, 4, 2, (1,))  # type: ignore[arg-type]


@given(st.integers(1, 400), st.integers(4, 64), st.floats(0, 0.75), st.integers(0, 100))
def test_weights_sum_to_one_and_reach_everywhere(length: int, size: int, overlap: float, whole: int) -> None:
    axis = windows_along(length, size, overlap, whole)
    total = np.zeros(length)
    for start, weights in zip(axis.starts, axis.weights(), strict=True):
        places = start + np.arange(axis.size)
        inside = (places >= 0) & (places < length)
        total[places[inside]] += weights[inside]
    np.testing.assert_allclose(total, 1, atol=1e-5)
    gaps = np.diff(axis.starts)
    assert (gaps <= axis.size * (1 - overlap) + 1).all()  # starts are rounded to pixels
    assert length <= max(size, whole) or axis.size == size


def test_overlap_is_of_the_patch_that_was_learned_from() -> None:
    for patch, shared in ((64, 32), (256, 64), (1024, 256)):
        cut = Cut.of(plan(), patch, 0.25)
        assert (cut.side, round(cut.overlap * cut.side)) == (max(512, patch), shared)


def test_places_outside_are_mirrored() -> None:
    assert mirrored(-3, 6, 4).tolist() == [2, 1, 0, 0, 1, 2, 3, 3, 2]
    assert mirrored(-2, 3, 1).tolist() == [0] * 5


def pieced(values: np.ndarray, cut: Cut, budget: int = 1 << 26, **part: tuple[int, int]) -> np.ndarray:
    """Return what a network that gives back what it sees makes of a volume ``(Z, Y, X)``."""
    field = Field(lambda z, y, x: values[None, z, y, x], lambda raw: raw, values.shape, **part)  # type: ignore[arg-type]
    layout = laid_out(values.shape[0], field.size, (1, 1), cut, budget)
    made = np.full((layout.depth_out, *field.size), np.nan, np.float32)

    def put(row: int, column: int, part: np.ndarray) -> None:
        place = (slice(None), slice(row, row + part.shape[2]), slice(column, column + part.shape[3]))
        assert np.isnan(made[place]).all()  # each pixel once
        made[place] = part[0]

    mosaic = Mosaic(layout, 1, put)
    count = 0
    for place, seen in windows_of(field, layout):
        keeps = cut.plan.volume and not cut.plan.projects
        middle = seen if keeps else seen[:, seen.shape[1] // 2][:, None]
        mosaic.add(place, middle.astype(np.float32))
        count += 1
    mosaic.finish()
    assert count == layout.count
    return made


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 90), st.integers(1, 90), st.integers(1, 6), st.sampled_from(["2d", "2.5d", "3d"]),
    st.sampled_from([0.0, 0.25, 0.5]), st.sampled_from([1, 1 << 14, 1 << 26]),
)  # fmt: skip
def test_what_is_cut_comes_together_again(
    height: int, width: int, depth: int, dimensions: str, overlap: float, budget: int
) -> None:
    values = np.random.default_rng(height * width).random((depth, height, width)).astype(np.float32)
    planes = {"2d": 1, "2.5d": 3, "3d": 4}[dimensions]
    cut = Cut(plan(dimensions, depth=depth, planes=planes), 16, overlap, 24, overlap)
    made = pieced(values, cut, budget)
    np.testing.assert_allclose(made, values, atol=1e-5)


def test_bands_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random((1, 600, 200)).astype(np.float32)
    monkeypatch.setattr("napari_cellstage.stain.layout.WIDE", 32)
    cut = Cut(plan(), 32, 0.25, 32)
    narrow = laid_out(1, (600, 200), (1, 1), cut, 1 << 14)
    assert len(narrow.bands) > 1
    np.testing.assert_allclose(pieced(values, cut, 1 << 14), values, atol=1e-5)


def test_a_part_sees_what_lies_around_it() -> None:
    values = np.arange(40 * 50, dtype=np.float32).reshape(1, 40, 50)
    made = pieced(values, Cut(plan(), 16, 0.5, 0), corner=(8, 10), size=(20, 30))
    np.testing.assert_allclose(made[0], values[0, 8:28, 10:40], rtol=1e-5)
    field = Field(lambda z, y, x: values[None, z, y, x], lambda raw: raw, (1, 40, 50), (8, 10), (20, 30))
    around = field.rows(np.array([0]), (-2, 1), (-1, 1))
    np.testing.assert_array_equal(around[0, 0], values[0, 6:9, 9:11])


def test_a_stack_that_becomes_a_plane_is_one_slab() -> None:
    values = np.random.default_rng(0).random((5, 20, 20)).astype(np.float32)
    made = pieced(values, Cut(plan("2.5d", "plane", 5, 5), 16, 0.25, 24))
    np.testing.assert_allclose(made[0], values[2], atol=1e-5)


def test_pixels_that_are_no_numbers_become_the_median() -> None:
    values = np.full((1, 1, 8, 8), 7.0, np.float32)
    values[..., 2, 3] = np.nan
    field = Field(lambda z, y, x: values[:, z, y, x], lambda raw: raw * 2, (1, 8, 8))
    assert (field.rows(np.array([0]), (0, 8), (0, 8)) == 14).all()
    nothing = Field(lambda z, y, x: np.full((1, 1, 8, 8), np.nan, np.float32)[:, z, y, x], lambda raw: raw, (1, 8, 8))
    assert (nothing.rows(np.array([0]), (0, 8), (0, 8)) == 0).all()
