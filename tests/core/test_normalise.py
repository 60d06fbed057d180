from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.normalise import Normalisation

CROPS = np.random.default_rng(0).integers(100, 1100, (20, 2, 8, 8)).astype(np.uint16)


def test_fixed_values_map_the_data_set_to_0_and_1_and_keep_differences() -> None:
    fixed = Normalisation.of(CROPS)
    result = fixed.apply(CROPS)
    assert result.dtype == np.float32
    assert 0 <= np.percentile(result, 1) < np.percentile(result, 99) <= 1
    half = fixed.apply((CROPS * 0.5).astype(np.float32))
    assert half.mean() < 0.7 * result.mean()


def test_per_crop_each_crop_has_the_full_range() -> None:
    result = Normalisation.of(CROPS, "crop").apply(CROPS)
    np.testing.assert_allclose(result.min(axis=(2, 3)), 0)
    np.testing.assert_allclose(result.max(axis=(2, 3)), 1)


def test_very_bright_pixels_are_clipped() -> None:
    assert Normalisation("dataset", (0.0,), (1.0,)).apply(np.array([[[[-50.0, 50.0]]]])).tolist() == [[[[-1.0, 4.0]]]]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float64])
def test_constant_crops_of_any_dtype_give_zeros(dtype: type) -> None:
    crops = np.ones((3, 1, 4, 4), dtype=dtype)
    for mode in ("dataset", "crop"):
        result = Normalisation.of(crops, mode).apply(crops)  # type: ignore[arg-type]
        np.testing.assert_array_equal(result, 0)


@pytest.mark.parametrize("mode", ["dataset", "crop"])
def test_nan_becomes_0_and_spoils_nothing_else(mode: str) -> None:
    crops = CROPS.astype(np.float32)
    crops[0, 0, 0, 0], crops[1, 1] = np.nan, np.nan
    result = Normalisation.of(crops, mode).apply(crops)  # type: ignore[arg-type]
    assert np.isfinite(result).all()
    assert result[0, 0, 0, 0] == 0
    assert result[0, 0].max() > 0.9
    assert (result[1, 1] == 0).all()


def test_another_channel_count_is_refused() -> None:
    with pytest.raises(ImageError, match="The image has 1 channels, the model was made for 2"):
        Normalisation.of(CROPS).apply(CROPS[:, :1])
