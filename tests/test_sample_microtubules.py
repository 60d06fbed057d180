from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import TEMPLATES
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.sample_filaments import grow_network, place_nucleus
from napari_cellstage.sample_microtubules import (
    DOSES,
    PER_DAY,
    draw_crop,
    effects,
    microtubule_crops,
    microtubule_field,
    published_test,
)
from napari_cellstage.sample_outlines import Outline, pressed, spread_outline


@pytest.fixture(scope="module")
def crops() -> CropSet:
    return microtubule_crops(per_class=42, seed=5, threads=2)


def test_the_crops_are_as_published(crops: CropSet) -> None:
    assert crops.crops.shape == (126, 1, 300, 300)
    assert crops.crops.dtype == np.uint8
    assert crops.classes == DOSES == TEMPLATES["exposure"][1]
    assert crops.counts() == dict.fromkeys(DOSES, 42)
    assert all("synthetic" in name for name in crops.names)
    assert [name.partition("/")[0] for name in crops.names] == [DOSES[label] for label in crops.labels]


def test_same_seed_same_pixels_however_many_are_asked_for(crops: CropSet) -> None:
    few = microtubule_crops(per_class=2, seed=5, threads=1)
    for label in range(3):
        np.testing.assert_array_equal(few.crops[few.labels == label], crops.crops[crops.labels == label][:2])
    np.testing.assert_array_equal(draw_crop(5, "0.1", 41), crops.crops[42 + 41, 0])
    assert (draw_crop(6, "0.1", 41) != crops.crops[42 + 41, 0]).mean() > 0.5


def test_a_group_is_a_day_with_all_doses(crops: CropSet) -> None:
    for label in range(3):
        of_class = crops.groups[crops.labels == label]
        assert of_class.tolist() == ["day01"] * PER_DAY + ["day02"] * PER_DAY + ["day03"] * 2


def test_brightness_alone_tells_nothing(crops: CropSet) -> None:
    for one, other in ((0, 1), (0, 2), (1, 2)):
        rows = np.isin(crops.labels, (one, other))
        for level in (crops.crops.mean(axis=(1, 2, 3)), np.median(crops.crops, axis=(1, 2, 3))):
            # 42 a class: the deviation of an AUC by chance is 0.063.
            assert roc_auc_score(crops.labels[rows] == other, level[rows]) == pytest.approx(0.5, abs=0.16)


def test_pictures_are_exposed_well(crops: CropSet) -> None:
    assert np.percentile(crops.crops, 5) > 0
    assert (crops.crops == 255).mean() < 0.02
    assert (np.percentile(crops.crops, 99, axis=(1, 2, 3)) > 60).mean() > 0.95


def test_classes_overlap_as_those_that_were_published() -> None:
    """Who knows what the drug did to each cell reaches a bit more than any reader of pictures was reported to."""
    each, seeds = 3000, (0, 1)
    fitted, asked = (effects(each, seed).reshape(3, each) for seed in seeds)
    for one, other, low, high in ((0, 1, 0.86, 0.91), (0, 2, 0.92, 0.955), (1, 2, 0.70, 0.76)):
        cuts = np.linspace(0, 6, 121)
        right = [(fitted[one] < cut).mean() + (fitted[other] >= cut).mean() for cut in cuts]
        cut = cuts[int(np.argmax(right))]
        assert low < ((asked[one] < cut).mean() + (asked[other] >= cut).mean()) / 2 < high


def test_effects_are_those_of_the_crops() -> None:
    assert effects(3, 7).shape == (9,)
    np.testing.assert_array_equal(effects(5, 7).reshape(3, 5)[:, :3].ravel(), effects(3, 7))


def test_the_drug_makes_bundles_and_undoes_the_radial_order() -> None:
    packed, outwards = {}, {}
    for effect in (0.0, 5.0):
        shares, along = [], []
        for seed in range(12):
            rng = np.random.default_rng(seed)
            outline = spread_outline(rng, 130)
            network = grow_network(rng, outline, place_nucleus(rng, outline), effect)
            out = outline.share(network.y, network.x)
            far = out > 0.5  # away from the organising centre, where filaments lie close in any cell
            grid = {"bins": 150, "range": [[-150, 150]] * 2, "weights": network.light[far]}
            counts, *_ = np.histogram2d(network.y[far], network.x[far], **grid)
            filled = np.sort(counts[counts > 0])[::-1]
            shares.append(filled[: len(filled) // 10].sum() / filled.sum())
            along.append(network.light[out > 0.85].sum() / network.light.sum())
        packed[effect], outwards[effect] = np.mean(shares), np.mean(along)
    assert packed[5.0] > 1.15 * packed[0.0]  # the same length of filaments on fewer pixels
    assert outwards[5.0] > 1.15 * outwards[0.0]  # at the rim


def test_the_published_division() -> None:
    labels = np.repeat(np.arange(3), 1100)
    groups = np.tile(np.char.add("day", (np.arange(1100) // PER_DAY).astype(str)), 3)
    crops = CropSet(np.zeros((3300, 1, 1, 1)), None, labels, DOSES, ("",) * 3300, groups)
    test = published_test(crops)
    assert np.bincount(labels[test]).tolist() == [100, 100, 100]
    assert not set(groups[test]) & set(groups[~test])
    small = crops.take(np.array([0, 1, 2, 1100, 2200, 2201]))
    assert published_test(small).tolist() == [False, False, True, False, False, True]


@pytest.mark.parametrize("count", [0, -3])
def test_no_crops_are_refused(count: int) -> None:
    with pytest.raises(CellsError, match=f"{count} crops a class"):
        microtubule_crops(count)


def test_a_field_has_cells_that_touch_and_their_doses() -> None:
    field = microtubule_field(seed=2, size=900, cells=7)
    assert "synthetic" in field.stack.name
    assert field.stack.shape == (1, 1, 1, 900, 900)
    assert field.stack.data.dtype == np.uint8
    assert field.stack.pixel_size_um == (1.0, 0.1, 0.1)
    assert CellTable.from_labels(field.labels).cell_id.tolist() == list(range(1, 8))
    assert sorted(field.classes_of.tolist()) == ["0", "0", "0", "0.1", "0.1", "1", "1"]
    plane, pixels = field.labels[0, 0], field.stack.volume(0, 0)[0]
    beside = (plane[:, 1:] != plane[:, :-1]) & (plane[:, 1:] > 0) & (plane[:, :-1] > 0)
    assert beside.any()
    assert pixels[plane > 0].mean() > 2 * pixels[plane == 0].mean()


def test_a_field_of_one_dose_and_the_same_seed() -> None:
    first, same, other = (microtubule_field(seed, 500, 2, dose="0.1") for seed in (1, 1, 2))
    assert set(first.classes_of) == {"0.1"}
    assert first.stack.fingerprint == same.stack.fingerprint != other.stack.fingerprint
    np.testing.assert_array_equal(first.labels, same.labels)


def test_an_empty_field_works() -> None:
    field = microtubule_field(size=200, cells=0)
    assert not field.labels.any()
    assert len(field.classes_of) == 0


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(CellsError, match=r"99 cells have no room in 500 x 500 pixels, only \d. Ask for fewer"):
        microtubule_field(size=500, cells=99)
    with pytest.raises(CellsError, match=r"no dose '10'.*0, 0\.1, 1"):
        microtubule_field(dose="10")


def test_an_outline_gives_way_to_its_neighbour_only() -> None:
    round_one = Outline(np.full(720, 100, dtype=np.float32))
    flat = pressed(round_one, np.array([[0.0, 120.0]]))
    right, left = (float(flat.at(np.float32(0), np.float32(x))) for x in (1, -1))
    assert 60 <= right < 70
    assert left == pytest.approx(100)
    assert flat.area < round_one.area == pytest.approx(np.pi * 100**2)
