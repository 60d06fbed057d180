from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import tifffile

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.images import ImageStack, from_array, open_image
from napari_cellstage.core.segment import (
    SegmentSettings,
    adopt_labels,
    find_cells,
    find_cells_in_stack,
)

PLACES = ((20, 20), (20, 70), (60, 30), (75, 80))


def discs(
    *places: tuple[int, int], radius: float = 8, light: float = 200, shape: tuple[int, int] = (96, 100)
) -> np.ndarray:
    y, x = np.indices(shape)
    image = np.random.default_rng(0).normal(20, 3, shape)
    for cy, cx in places:
        image += light * ((y - cy) ** 2 + (x - cx) ** 2 <= radius**2)
    return image.astype(np.float32)


def found_in(
    stack: ImageStack, settings: SegmentSettings, **details: object
) -> tuple[list[tuple[int, int]], np.ndarray]:
    steps, generator = [], find_cells_in_stack(stack, settings, **details)  # type: ignore[arg-type]
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as end:
            return steps, np.asarray(end.value)


def detection_f1(truth: np.ndarray, found: np.ndarray) -> float:
    """Share of nuclei found, as F1 where a match is an intersection over union above a half."""
    truth, found = truth.astype(np.int64), found.astype(np.int64)
    shape = (truth.max() + 1, found.max() + 1)
    shared = np.bincount((truth * shape[1] + found).ravel(), minlength=shape[0] * shape[1]).reshape(shape)
    areas = shared.sum(axis=1, keepdims=True), shared.sum(axis=0, keepdims=True)
    matched = shared / np.maximum(areas[0] + areas[1] - shared, 1) > 0.5
    return float(2 * matched[1:, 1:].sum() / ((areas[0][1:] > 0).sum() + (areas[1][:, 1:] > 0).sum()))


# ---- one image


@pytest.mark.parametrize("method", ["otsu", "local"])
def test_each_nucleus_is_found_where_it_is(method: str) -> None:
    labels = find_cells(discs(*PLACES), SegmentSettings(method=method))  # type: ignore[arg-type]
    assert labels.dtype == np.int32
    cells = CellTable.from_labels(labels[None, None])
    assert cells.cell_id.tolist() == [1, 2, 3, 4]
    centres = sorted(zip(cells.y.round().astype(int).tolist(), cells.x.round().astype(int).tolist(), strict=True))
    assert np.abs(np.array(centres) - sorted(PLACES)).max() <= 1
    assert np.abs(cells.area - np.pi * 64).max() < 50


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_dtypes_and_scales_give_the_same_cells(dtype: type) -> None:
    image = np.clip(discs(*PLACES), 0, 255)
    assert find_cells((image * (100 if dtype == np.uint16 else 1)).astype(dtype), SegmentSettings()).max() == 4


def test_bool_images_work() -> None:
    assert find_cells(discs(*PLACES) > 100, SegmentSettings()).max() == 4


def test_uneven_light_hides_no_nucleus() -> None:
    slope = np.linspace(0, 150, 100, dtype=np.float32)
    assert find_cells(discs(*PLACES) + slope, SegmentSettings(background=60)).max() == 4


def test_dim_nuclei_are_found_beside_mitotic_ones_ten_times_as_bright() -> None:
    image = discs(*PLACES[:3], light=60) + discs(PLACES[3], light=900, radius=6)
    assert find_cells(image, SegmentSettings()).max() == 4


def test_touching_nuclei_are_split_and_never_when_told_so() -> None:
    image = discs((48, 40), (48, 55))
    assert find_cells(image, SegmentSettings()).max() == 2
    assert find_cells(image, SegmentSettings(split=0)).max() == 1


def test_a_long_nucleus_is_left_whole() -> None:
    image = discs(shape=(96, 100))
    image[40:52, 20:80] += 200
    assert find_cells(image, SegmentSettings()).max() == 1


def test_holes_are_filled() -> None:
    image = discs((48, 50), radius=14) - discs((48, 50), radius=6) + 20
    labels = find_cells(image, SegmentSettings())
    assert labels.max() == 1
    assert labels[48, 50] == 1


def test_size_limits_are_kept() -> None:
    image = discs((30, 30), radius=4) + discs((30, 70), radius=8) + discs((70, 50), radius=14) - 40
    for limits, count in (({}, 3), ({"min_diameter": 11}, 2), ({"max_diameter": 20}, 2)):
        assert find_cells(image, SegmentSettings(**limits)).max() == count  # type: ignore[arg-type]


def test_sensitivity_brings_dim_nuclei_in() -> None:
    image = discs(*PLACES[:3], light=200) + discs(PLACES[3], light=25) - 20
    few, many = (find_cells(image, SegmentSettings(sensitivity=s)).max() for s in (0.3, 3.0))
    assert (few, many) == (3, 4)


def test_volumes_are_found_in_3d() -> None:
    z, y, x = np.indices((12, 60, 60))
    image = np.random.default_rng(0).normal(10, 2, z.shape)
    for centre in ((5, 20, 20), (6, 40, 42)):
        image += 200 * (4 * (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= 81)
    labels = find_cells(image, SegmentSettings())
    assert labels.shape == (12, 60, 60)
    assert labels.max() == 2
    assert labels[5, 20, 20] != labels[6, 40, 42] > 0


def test_some_pixels_that_are_not_finite_do_no_harm() -> None:
    image = discs(*PLACES)
    image[0, :5], image[95, 99] = np.nan, np.inf
    assert find_cells(image, SegmentSettings()).max() == 4


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.full((20, 20), 7), "All pixels have the same value, 7"),
        (np.full((20, 20), np.nan), "All pixels are NaN or infinite"),
        (np.eye(1, 400).reshape(20, 20), "No cells were found with sensitivity 1 and diameters from 6 to any size"),
    ],
)
def test_images_without_cells_are_told(image: np.ndarray, text: str) -> None:
    with pytest.raises(CellsError, match=text):
        find_cells(image, SegmentSettings())


# ---- settings


def test_every_setting_has_a_tip_and_limits() -> None:
    for one in fields(SegmentSettings):
        assert one.metadata["tip"].endswith(".")
        assert one.name == "model" or "choices" in one.metadata or {"min", "max"} <= set(one.metadata)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"sensitivity": 0}, "sensitivity is 0, but must be from 0.1 to 10"),
        ({"split": 2}, "split is 2"),
        ({"method": "magic"}, "method is 'magic', but must be one of: otsu, local"),
    ],
)
def test_settings_outside_their_limits_are_refused(values: dict[str, object], text: str) -> None:
    with pytest.raises(CellsError, match=text):
        SegmentSettings(**values)  # type: ignore[arg-type]


# ---- stacks


def movie() -> ImageStack:
    frames = np.stack([discs(*PLACES), discs(*PLACES[:2]), np.full((96, 100), 5.0), discs(*PLACES[1:])])
    return from_array(frames, "TYX", "movie")


def test_ids_are_unique_over_time_and_a_dark_frame_costs_only_itself() -> None:
    steps, labels = found_in(movie(), SegmentSettings())
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert labels.shape == (4, 1, 96, 100)
    cells = CellTable.from_labels(labels)
    assert cells.cell_id.tolist() == list(range(1, 10))
    assert np.bincount(cells.t).tolist() == [4, 2, 0, 3]


def test_a_stop_ends_normally_with_what_was_found() -> None:
    asked = iter([False, True])
    steps, labels = found_in(movie(), SegmentSettings(), should_stop=lambda: next(asked))
    assert steps == [(1, 4)]
    assert (labels[0].max(), labels[1:].max()) == (4, 0)


def test_the_chosen_channel_is_used_and_a_missing_one_named() -> None:
    stack = from_array(np.stack([np.zeros((96, 100)), discs(*PLACES)]), "CYX", "two")
    assert found_in(stack, SegmentSettings(channel=1))[1].max() == 4
    with pytest.raises(CellsError, match="Channel 2 was chosen for finding cells, but 'two' has channels 0 to 1"):
        found_in(stack, SegmentSettings(channel=2))
    with pytest.raises(CellsError, match="same value"):
        found_in(stack, SegmentSettings(channel=0))


# ---- adopting


def test_labels_of_the_right_shape_are_adopted_whatever_axes_of_one_they_have() -> None:
    stack = from_array(np.zeros((3, 2, 8, 9)), "TCYX", "stack")
    labels = np.arange(216).reshape(3, 8, 9)
    for array in (labels, labels[:, None], da.from_array(labels), labels.astype(float), labels.astype(np.uint64)):
        adopted = adopt_labels(array, stack)
        assert adopted.dtype.kind in "iu"
        np.testing.assert_array_equal(adopted, labels[:, None])


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.ones((8, 9), int), r"shape \(8, 9\), but 'stack' needs \(T, Z, Y, X\) = \(3, 1, 8, 9\)"),
        (np.ones((3, 9, 8), int), r"shape \(3, 9, 8\)"),
        (np.ones((3, 8, 9)) * 0.5, "float64 values that are no whole numbers"),
        (np.full((3, 8, 9), np.nan), "no whole numbers"),
        (np.ones((3, 8, 9), bool), "only True and False"),
        (-np.ones((3, 8, 9), int), "The labels hold -1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(array: np.ndarray, text: str) -> None:
    with pytest.raises(CellsError, match=text):
        adopt_labels(array, from_array(np.zeros((3, 2, 8, 9)), "TCYX", "stack"))


# ---- painting by hand


# ---- real fields


@pytest.mark.data
def test_nuclei_of_16_real_fields_are_found_without_tuning(data_dir: Path) -> None:
    masks = sorted((data_dir / "fields" / "dsb2018").glob("*_labels.tif"))
    scores = [
        detection_f1(
            tifffile.imread(mask),
            find_cells(tifffile.imread(mask.with_name(mask.name.replace("_labels", ""))), SegmentSettings()),
        )
        for mask in masks
    ]
    assert len(scores) == 16
    assert np.mean(scores) >= 0.85


@pytest.mark.data
def test_the_field_of_the_main_job_has_its_nuclei(data_dir: Path) -> None:
    stack = open_image(data_dir / "fields" / "tubulin_h2b_field.tif")
    cells = CellTable.from_labels(find_cells(stack.volume(0, 1), SegmentSettings())[None])
    assert 165 <= len(cells) <= 210
    assert 35 <= cells.typical_diameter <= 60


@pytest.mark.data
def test_nuclei_of_many_lobes_mostly_come_out_whole(data_dir: Path) -> None:
    file = data_dir / "fields" / "mitocheck_incenp_t70.tif"
    found = find_cells(tifffile.imread(file), SegmentSettings())
    assert detection_f1(tifffile.imread(file.with_name(f"{file.stem}_labels.tif")), found) >= 0.75
