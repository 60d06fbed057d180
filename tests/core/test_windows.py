"""Where crops lie, how large they are, and that resampling moves and scales nothing it should not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.crops import crop_cells, crop_masks
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.images import from_array
from napari_cellstage.core.windows import LARGEST_SIDE, Windows, resampled, span


def box(y0: int, x0: int, y1: int, x1: int, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    labels = np.zeros((1, 1, *shape), dtype=np.int32)
    labels[0, 0, y0:y1, x0:x1] = 1
    return labels


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 64), step=st.floats(0.2, 8))
def test_weights_of_every_crop_pixel_sum_to_one_and_are_centred_on_its_place(size: int, step: float) -> None:
    one = span(size, step)
    if one.weights is None:
        return
    places = one.low + np.arange(one.length)
    np.testing.assert_allclose(one.weights.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(one.weights @ places, (np.arange(size) - size // 2) * step, atol=step * 0.51)


@settings(max_examples=40, deadline=None)
@given(step=st.sampled_from([0.25, 0.5, 2.0, 3.0]), y=st.integers(40, 80), x=st.integers(40, 120))
def test_a_slope_stays_a_slope_with_the_step_as_its_steepness(step: float, y: int, x: int) -> None:
    plane = np.add.outer(100.0 * np.arange(120), np.arange(160.0)).astype(np.float32)
    cells = CellTable.from_labels(box(y, x, y + 1, x + 1))
    windows = Windows.fixed(cells, (120, 160), 8, (step, step))
    crop = crop_cells(from_array(plane, "YX", "slope"), cells, windows, (0,))[0, 0]
    assert crop[4, 4] == pytest.approx(plane[y, x], rel=1e-5)
    np.testing.assert_allclose(np.diff(crop, axis=0), 100 * step, rtol=1e-3)
    np.testing.assert_allclose(np.diff(crop, axis=1), step, rtol=1e-2, atol=0.01)


@settings(max_examples=40, deadline=None)
@given(high=st.integers(1, 60), wide=st.integers(1, 60), margin=st.sampled_from([1.0, 1.3, 2.0]))
@example(high=1, wide=33, margin=2.0)  # thinner than a pixel of the crop, of which it covers just about half
def test_a_fitted_crop_holds_the_whole_cell_and_its_longer_side_fills_it(high: int, wide: int, margin: float) -> None:
    labels = box(50, 60, 50 + high, 60 + wide)
    cells = CellTable.from_labels(labels)
    windows = Windows.fitted(cells, (120, 160), 32, margin)
    mask = crop_masks(labels, cells, windows)[0]
    assert mask.any()
    longer = max(high, wide)
    if longer >= 8:
        seen = max(np.ptp(np.flatnonzero(mask.any(axis=axis))) + 1 for axis in (0, 1))
        assert seen == pytest.approx(32 / margin, abs=32 / longer + 2)


def test_a_step_of_one_copies_pixels_and_keeps_their_type() -> None:
    plane = np.arange(400, dtype=np.uint16).reshape(20, 20)
    cells = CellTable.from_labels(box(8, 8, 11, 11, (20, 20)))
    windows = Windows.fixed(cells, (20, 20), 6, (1.0, 1.0))
    crops = crop_cells(from_array(plane, "YX", "plain"), cells, windows, (0,))
    assert crops.dtype == np.uint16
    np.testing.assert_array_equal(crops[0, 0], plane[6:12, 6:12])


def test_pixels_that_are_not_square_become_square() -> None:
    labels = box(40, 40, 60, 80)  # 20 high and 40 wide, of pixels twice as high as wide
    cells = CellTable.from_labels(labels)
    mask = crop_masks(labels, cells, Windows.fixed(cells, (120, 160), 30, (1.0, 2.0)))[0]
    high, wide = (np.ptp(np.flatnonzero(mask.any(axis=axis))) + 1 for axis in (1, 0))
    assert high == pytest.approx(20, abs=1)
    assert wide == pytest.approx(20, abs=1)


def test_a_speck_in_a_crop_that_is_much_reduced_keeps_a_mask() -> None:
    labels = box(50, 50, 51, 51)
    cells = CellTable.from_labels(labels)
    assert crop_masks(labels, cells, Windows.fixed(cells, (120, 160), 8, (9.0, 9.0))).sum() == 1


def test_reducing_averages_instead_of_skipping() -> None:
    plane = (np.indices((120, 160)).sum(axis=0) % 2 * 100).astype(np.float32)  # a chess board
    cells = CellTable.from_labels(box(50, 50, 53, 53))
    crop = crop_cells(from_array(plane, "YX", "board"), cells, Windows.fixed(cells, (120, 160), 8, (4.0, 4.0)), (0,))
    np.testing.assert_allclose(crop, 50, atol=5)


def test_a_pixel_that_is_no_number_spoils_no_other() -> None:
    values = np.ones((1, 1, 12, 12), dtype=np.float32)
    values[0, 0, 5, 5] = np.nan
    axis = span(4, 2.0)
    seen = resampled(values[:, :, : axis.length, : axis.length], axis, axis)
    assert np.isfinite(seen).all()
    assert seen.max() == pytest.approx(1)


def test_a_cell_as_large_as_a_slide_is_shown_in_part() -> None:
    cells = CellTable.from_labels(box(0, 0, 3000, 10, (3000, 10)))
    windows = Windows.fitted(cells, (3000, 10), 64, 1.2)
    assert windows.steps.max() * 64 == LARGEST_SIDE


def test_a_size_of_zero_is_refused() -> None:
    cells = CellTable.from_labels(box(1, 1, 3, 3))
    with pytest.raises(CellsError, match=r"A crop of 0 pixels can't be cut. Choose a crop size of 1 or more"):
        Windows.fitted(cells, (120, 160), 0, 1.0)
