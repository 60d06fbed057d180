from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu

from napari_cellstage.core.features import MAX_SIDE, batch_size, cell_features, feature_batches
from napari_cellstage.core.filters import gaussian, invariants
from napari_cellstage.core.foreground import find_foreground


def discs(radii: list[float], side: int = 48, level: float = 0.8, textured: bool = True) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    rng = np.random.default_rng(1)
    planes = np.stack([np.where(np.hypot(y, x) < r, level, 0.05) for r in radii])
    if textured:
        planes = planes + rng.normal(0, 0.03, planes.shape)
    return ndimage.gaussian_filter(planes, (0, 0.7, 0.7)).astype(np.float32)


def by_name(crops: np.ndarray, masks: np.ndarray | None = None) -> dict[str, np.ndarray]:
    features = cell_features(crops, masks)
    return dict(zip(features.names, features.values.T, strict=True))


@pytest.mark.parametrize("value", [0.0, 0.7, -1.0, np.nan, np.inf])
def test_constant_and_empty_images_give_finite_features(value):
    features = cell_features(np.full((3, 1, 24, 24), value, dtype=np.float32))
    assert np.isfinite(features.values).all()
    assert features.values.dtype == np.float32


@pytest.mark.parametrize("shape", [(2, 1, 1, 1), (2, 2, 2, 3), (1, 1, 8, 8), (2, 1, 9, 30), (1, 1, 170, 170)])
def test_images_of_any_size_give_the_same_features(shape):
    crops = np.random.default_rng(0).random(shape, dtype=np.float32)
    features = cell_features(crops, np.zeros((shape[0], *shape[2:]), dtype=bool))
    usual = cell_features(np.zeros((1, shape[1], 32, 32), dtype=np.float32))
    assert features.names == usual.names
    assert np.isfinite(features.values).all()


def test_names_are_unique_and_one_a_column():
    features = cell_features(np.random.default_rng(0).random((2, 3, 20, 20), dtype=np.float32))
    assert len(set(features.names)) == len(features.names) == features.values.shape[1]
    assert {"c0 cell total", "c2 cell total", "c0 c1 correlation", "c1 c2 correlation"} <= set(features.names)


def test_no_crops_give_no_rows():
    assert len(cell_features(np.zeros((0, 1, 8, 8), dtype=np.float32)).values) == 0


def test_turning_and_mirroring_change_nothing():
    rng = np.random.default_rng(2)
    crop = ndimage.gaussian_filter(rng.random((1, 40, 40)), (0, 2, 2)).astype(np.float32)
    crop *= discs([12], 40, textured=False)
    turned = np.stack([crop[0], np.rot90(crop[0]), crop[0, ::-1], crop[0].T])[:, None]
    values = cell_features(np.ascontiguousarray(turned)).values
    spread = np.abs(values - values[0]).max(axis=0) / (np.abs(values[0]) + 0.05)
    # Ties and rounding to whole pixels move a few counts by a pixel.
    assert np.median(spread) < 1e-4
    assert (spread < 0.05).mean() > 0.97


def test_a_cell_does_not_depend_on_its_neighbours_in_the_batch():
    crops = np.random.default_rng(3).random((9, 1, 32, 32), dtype=np.float32)
    alone = cell_features(crops[4:5]).values[0]
    assert np.allclose(cell_features(crops).values[4], alone, rtol=1e-4, atol=1e-5)


def test_threads_give_the_same_in_the_same_order():
    crops = np.random.default_rng(3).random((25, 1, 160, 160), dtype=np.float32)
    assert batch_size(crops.shape) < 20
    assert np.array_equal(cell_features(crops, threads=3).values, cell_features(crops).values)


def test_closing_the_batches_ends_the_work():
    batches = feature_batches(np.zeros((500, 1, 64, 64), dtype=np.float32), threads=2)
    first = next(batches)
    batches.close()
    assert len(first.values) == batch_size((500, 1, 64, 64))
    assert next(batches, None) is None


def test_size_brightness_and_amount_are_measured():
    found = by_name(discs([6, 12], textured=False)[:, None])
    assert np.exp(found["c0 cell shape size"]) == pytest.approx([np.pi * 36, np.pi * 144], rel=0.25)
    assert found["c0 cell shape elongation"] == pytest.approx([1, 1], abs=0.02)
    dim, bright = by_name(np.concatenate([discs([10], level=0.3), discs([10], level=0.9)])[:, None])["c0 cell total"]
    assert bright > dim + 0.5


def test_the_given_mask_says_which_of_two_touching_cells_is_meant():
    two = np.maximum(np.roll(discs([8]), -7, axis=2), np.roll(discs([8]), 8, axis=2))
    mask = np.zeros((1, 48, 48), dtype=bool)
    mask[0, 16:32, 9:24] = True
    assert np.exp(by_name(two[:, None], mask)["c0 cell shape size"][0]) == pytest.approx(16 * 15, rel=0.01)
    assert np.exp(by_name(two[:, None])["c0 cell shape size"][0]) > 300


def test_holes_and_pieces_are_counted():
    ring = discs([14], textured=False) - discs([7], textured=False)
    found = by_name(np.concatenate([discs([14], textured=False), ring])[:, None])
    assert found["c0 level 1 0.55 pieces"][0] > 0
    assert found["c0 level 1 0.55 pieces"][1] <= 0


def test_channels_that_go_together_correlate():
    plane = discs([10])
    crops = np.stack([plane, plane, 1 - plane], axis=1)
    found = by_name(crops)
    assert found["c0 c1 correlation"][0] == pytest.approx(1, abs=1e-3)
    assert found["c0 c2 correlation"][0] == pytest.approx(-1, abs=1e-3)


def test_large_crops_are_averaged_down_with_their_masks():
    mask = np.zeros((1, 400, 400), dtype=bool)
    mask[0, 150:250, 150:250] = True
    found = by_name(np.ones((1, 1, 400, 400), dtype=np.float32), mask)
    factor = -(-400 // MAX_SIDE)
    assert np.exp(found["c0 cell shape size"][0]) == pytest.approx((100 / factor) ** 2, rel=0.05)


def test_foreground_takes_the_central_piece_and_those_around():
    plane = np.maximum(np.roll(discs([5], side=64), -7, axis=2), np.roll(discs([5], side=64), 7, axis=2))
    plane = np.maximum(plane, np.roll(discs([5], side=64), (26, 26), axis=(1, 2)))
    cell = find_foreground(plane)
    assert ndimage.label(cell.main[0])[1] == 1
    assert ndimage.label(cell.wide[0])[1] == 2
    assert not cell.wide[0, 50:, 50:].any()


def test_dark_cells_are_found_too():
    cell = find_foreground(1 - discs([10]))
    assert cell.main[0, 24, 24]
    assert not cell.main[0, 2, 2]


def test_the_threshold_is_otsus():
    from napari_cellstage.core.foreground import _otsu

    plane = discs([10]) * 0.7 + 0.1
    assert _otsu(plane)[0, 0, 0] == pytest.approx(threshold_otsu(plane[0], nbins=64), abs=0.02)


@pytest.mark.parametrize("sigma", [1.0, 2.5, 4.0])
def test_the_matrix_filter_is_scipys(sigma):
    planes = np.random.default_rng(0).random((3, 21, 34), dtype=np.float32)
    expected = ndimage.gaussian_filter(planes, (0, sigma, sigma), mode="reflect")
    assert np.allclose(gaussian(planes, sigma), expected, atol=1e-3)


def test_curvature_of_a_bowl_and_a_ridge():
    y, x = np.mgrid[:41, :41].astype(np.float32) - 20
    bowl, ridge = invariants(((x**2 + y**2) / 2)[None], 2.0), invariants((-(x**2) / 2)[None], 2.0)
    middle = (0, 20, 20)
    assert (bowl.ridge[middle], bowl.valley[middle]) == pytest.approx((4, 4), rel=0.03)
    assert (ridge.ridge[middle], ridge.valley[middle]) == pytest.approx((0, -4), abs=0.1)
    assert invariants(np.tile(x, (1, 1, 1)), 2.0).gradient[middle] == pytest.approx(2, rel=0.03)
