from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cellstage.core import feature_cache
from napari_cellstage.core.feature_cache import FeatureCache, cell_keys
from napari_cellstage.core.normalise import Normalisation

CROPS = np.arange(3 * 16, dtype=np.uint16).reshape(3, 1, 4, 4)
RANGE = Normalisation("dataset", (0.0,), (48.0,))


def some(count: int) -> dict[bytes, np.ndarray]:
    return {bytes([i]) * 16: np.full(5, i, dtype=np.float32) for i in range(count)}


def test_what_was_put_is_got(tmp_path: Path):
    FeatureCache(tmp_path / "cache").put(some(200))
    found = FeatureCache(tmp_path / "cache").get([*some(200), b"nothing so named"])
    assert set(found) == set(some(200))
    assert found[bytes([7]) * 16].tolist() == [7] * 5


def test_more_keys_than_one_question_can_hold(tmp_path: Path):
    many = {i.to_bytes(16): np.full(2, i, dtype=np.float32) for i in range(1201)}
    FeatureCache(tmp_path).put(many)
    assert len(FeatureCache(tmp_path).get(list(many))) == 1201


def test_the_key_changes_with_pixels_mask_and_settings():
    masks = np.zeros((3, 4, 4), dtype=bool)
    keys = cell_keys(CROPS, masks, RANGE)
    assert len(set(keys)) == 3
    assert cell_keys(CROPS.copy(), masks.copy(), RANGE) == keys
    changed = CROPS.copy()
    changed[1, 0, 0, 0] += 1
    assert [a == b for a, b in zip(keys, cell_keys(changed, masks, RANGE), strict=True)] == [True, False, True]
    others = [
        cell_keys(CROPS, ~masks, RANGE),
        cell_keys(CROPS, None, RANGE),
        cell_keys(CROPS, masks, Normalisation("dataset", (0.0,), (49.0,))),
        cell_keys(CROPS, masks, RANGE, "a network"),
        cell_keys(CROPS.astype(np.uint8), masks, RANGE),
    ]
    assert not any(set(keys) & set(other) for other in others)


def test_without_a_file_nothing_is_known_and_nothing_is_made(tmp_path: Path):
    assert FeatureCache(tmp_path / "cache").get([b"x" * 16]) == {}
    assert not (tmp_path / "cache").exists()


def test_a_damaged_file_is_begun_anew(tmp_path: Path):
    cache = FeatureCache(tmp_path)
    file = tmp_path / "features.sqlite"
    file.write_bytes(b"this is no database, though long enough to be taken for one" * 50)
    assert cache.get(list(some(1))) == {}
    cache.put(some(2))
    cache.put(some(2))
    assert len(cache.get(list(some(2)))) == 2


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = FeatureCache(tmp_path / "cache")
    cache.put(some(2))
    assert cache.get(list(some(2))) == {}


def test_a_file_that_has_grown_too_large_is_begun_anew(tmp_path: Path, monkeypatch):
    cache = FeatureCache(tmp_path)
    cache.put(some(3))
    monkeypatch.setattr(feature_cache, "LARGEST_FILE", 10)
    cache.put({b"new" * 5: np.ones(5, dtype=np.float32)})
    assert cache.get(list(some(3))) == {}
