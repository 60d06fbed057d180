"""Predicted stains as channels: at every level of their image, whatever was predicted, and gone without a trace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core import volumes
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.crops import crop_cells
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.core.intensities import sample
from napari_cellstage.core.predicted import PredictedStain
from napari_cellstage.core.reading.joined import JoinedPlanes, Part
from napari_cellstage.core.reading.planes import MemoryPlanes, Thinned
from napari_cellstage.core.stain_channels import (
    StainChannel,
    in_file_order,
    in_order_of,
    with_stains,
    without_stains,
)
from napari_cellstage.core.stain_files import StainFiles, write_prediction
from napari_cellstage.stain.prediction import StainPrediction
from tests.core.stain_scene import prediction_for

PIXELS = np.random.default_rng(0).integers(0, 255, (2, 2, 3, 40, 30), dtype=np.uint8)


@pytest.fixture
def stack() -> ImageStack:
    return from_array(PIXELS, "TCZYX", "stack", channel_names=("BF", "tubulin"))


@pytest.fixture(scope="module")
def ramp(tmp_path_factory: pytest.TempPathFactory) -> list[StainChannel]:
    """A stain in four levels whose values say where they are: 100 times y, plus x."""
    values = np.broadcast_to(np.arange(40.0)[:, None] * 100 + np.arange(30.0), (2, 1, 3, 40, 30)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(volumes, "_COARSEST", 5)
        base = from_array(PIXELS, "TCZYX", "stack")
        return channels(tmp_path_factory.mktemp("ramp"), prediction_for(base, mean=values))


def channels(folder: Path, prediction: StainPrediction, at: str = "then") -> list[StainChannel]:
    """Keep a prediction and return its stains."""
    place = folder / f"{at}.zarr"
    write_prediction(place, prediction)
    files = StainFiles.open(place)
    names = prediction.stain_names
    stains = [PredictedStain(f"{n} (predicted)", n, "r", at=at, place=i, colour="#112233") for i, n in enumerate(names)]
    return [StainChannel(one, files) for one in stains]


def test_they_come_after_the_channels_of_the_file(stack: ImageStack, tmp_path: Path) -> None:
    prediction = prediction_for(stack, ("DNA", "MAP2"))
    made = with_stains(stack, channels(tmp_path, prediction))
    assert made.channel_names == ("BF", "tubulin", "DNA (predicted)", "MAP2 (predicted)")
    assert (made.shape, made.own_shape) == ((2, 4, 3, 40, 30), stack.shape)
    assert np.array_equal(made.pixels[:, 2:], prediction.mean)
    assert np.array_equal(made.plane(1, 2, (3, 0)), [prediction.mean[1, 1, 2], PIXELS[1, 0, 2]])
    assert made.channel_colors == ("", "", "#112233", "#112233")
    assert [one is None for one in made.stains] == [True, True, False, False]
    assert made.stain(2) is not None
    assert stack.stain(1) is None


def test_one_plane_stands_for_all_of_a_stack(stack: ImageStack, tmp_path: Path) -> None:
    prediction = prediction_for(stack, depth=1)
    made = with_stains(stack, channels(tmp_path, prediction))
    assert np.array_equal(made.pixels[1, 2, ::-1], np.broadcast_to(prediction.mean[1, 0, 0], (3, 40, 30)))


def test_time_points_that_were_not_predicted_have_no_values(stack: ImageStack, tmp_path: Path) -> None:
    prediction = prediction_for(stack, times=(1,))
    made = with_stains(stack, channels(tmp_path, prediction))
    assert np.isnan(made.pixels[0, 2]).all()
    assert np.array_equal(made.pixels[1, 2], prediction.mean[0, 0])


@given(
    factor=st.sampled_from([(1, 1), (2, 2), (3, 3), (4, 4), (2, 1)]),
    rounded=st.booleans(),
    rows=st.slices(10),
    columns=st.slices(7),
)
@settings(max_examples=40, deadline=None)
def test_every_level_of_a_pyramid_has_its_stain(
    ramp: list[StainChannel], factor: tuple[int, int], rounded: bool, rows: slice, columns: slice
) -> None:
    high, wide = (-(-n // f) if rounded else max(1, n // f) for n, f in zip((40, 30), factor, strict=True))
    base = from_array(PIXELS, "TCZYX", "stack")
    made = with_stains(replace(base, pyramid=(MemoryPlanes(PIXELS[..., :high, :wide]),)), ramp)
    coarse = made.pyramid[0]
    assert coarse.shape == (2, 3, 3, high, wide)
    read = coarse[1, 2, 1, rows, columns]
    where = np.meshgrid(np.arange(high)[rows], np.arange(wide)[columns], indexing="ij")
    for values, wanted, step in ((read // 100, where[0], factor[0]), (read % 100, where[1], factor[1])):
        assert (np.abs(values - (wanted + 0.5) * step) <= 2 * step).all()


def test_a_level_with_fewer_planes_has_its_stain_at_the_same_depth(stack: ImageStack, tmp_path: Path) -> None:
    depths = np.broadcast_to(np.arange(3.0)[:, None, None], (2, 1, 3, 40, 30)).astype(np.float32)
    level = MemoryPlanes(PIXELS[:, :, 1:2, ::2, ::2])
    made = with_stains(replace(stack, pyramid=(level,)), channels(tmp_path, prediction_for(stack, mean=depths)))
    assert (made.pyramid[0][0, 2] == 1).all(), "the middle one of three"


@given(st.integers(0, 3), st.integers(0, 9), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_every_few_pixels_are_read_from_the_coarser_ones(
    ramp: list[StainChannel], power: int, start: int, step: int
) -> None:
    made = with_stains(from_array(PIXELS, "TCZYX", "stack"), ramp).pixels
    whole = np.arange(40.0)[:, None] * 100 + np.arange(30.0)
    every = slice(start * 2**power, None, step * 2**power)
    assert np.array_equal(made[0, 2, 1, every, every], whole[every, every])
    assert np.array_equal(Thinned(Thinned(made))[1, 2, 0], whole[::4, ::4])


def test_taken_away_the_image_is_as_its_file(stack: ImageStack, tmp_path: Path) -> None:
    both = replace(stack, pyramid=(MemoryPlanes(PIXELS[..., ::2, ::2]),))
    made = with_stains(both, channels(tmp_path, prediction_for(stack)))
    assert without_stains(in_order_of(made, (2, 1))) == both
    assert without_stains(both) is both
    assert with_stains(both, []) is both


def test_channels_in_another_order_and_back(stack: ImageStack, tmp_path: Path) -> None:
    made = with_stains(stack, channels(tmp_path, prediction_for(stack)))
    turned = in_order_of(made, (2, 1))
    assert turned.channel_names == ("DNA (predicted)", "tubulin", "BF")
    assert np.array_equal(turned.pixels[0], made.pixels[0][[2, 1, 0]])
    assert turned.stain(0) is made.stain(2)
    back = in_file_order(turned)
    assert back.channel_names == made.channel_names
    assert np.array_equal(back.pixels[0], made.pixels[0])
    assert back.identity((0, 1)) == stack.fingerprint
    assert in_order_of(made, (0, 1)) is made


def test_an_image_of_several_files_stays_together(tmp_path: Path) -> None:
    own, more = MemoryPlanes(PIXELS[:, :1]), MemoryPlanes(PIXELS[:, 1:])
    joined = JoinedPlanes(own, [Part(own, 0), Part(more, 0, "beside")])
    stack = replace(from_array(PIXELS, "TCZYX", "two files", channel_names=("BF", "tubulin")), pixels=joined)
    assert without_stains(stack) is stack
    made = with_stains(stack, channels(tmp_path, prediction_for(stack)))
    assert np.array_equal(made.pixels[:, :2], PIXELS)
    assert without_stains(in_order_of(made, (1,))).pixels is joined
    turned = in_order_of(stack, (1,))
    assert np.array_equal(turned.pixels[:], PIXELS[:, ::-1])
    assert np.array_equal(without_stains(turned).pixels[:], PIXELS)


def test_its_own_channels_are_known_again_and_predictions_never_mixed_up(stack: ImageStack, tmp_path: Path) -> None:
    first = with_stains(stack, channels(tmp_path, prediction_for(stack)))
    second = with_stains(stack, channels(tmp_path, prediction_for(stack, seed=2), at="later"))
    assert first.identity((0, 1)) == second.identity((1,)) == stack.fingerprint
    assert len({one.identity((2,)) for one in (stack, first, second) if one.shape[1] > 2}) == 2
    assert sample(first, 0) is sample(stack, 0), "its range is not measured anew"
    assert not np.array_equal(sample(first, 2), sample(second, 2))


def test_crops_of_own_channels_have_the_type_and_values_of_the_file(stack: ImageStack, tmp_path: Path) -> None:
    made = with_stains(stack, channels(tmp_path, prediction_for(stack)))
    labels = np.zeros((2, 3, 40, 30), dtype=np.int32)
    labels[0, 1, 5:10, 6:12] = 1
    cells = CellTable.from_labels(labels)
    before, after = (crop_cells(one, cells, 9, (0, 1)) for one in (stack, made))
    assert after.dtype == np.uint8
    assert np.array_equal(before, after)
    mixed = crop_cells(made, cells, 9, (1, 2))
    assert mixed.dtype == np.float32
    assert np.array_equal(mixed[:, 0], before[:, 1])


@pytest.mark.parametrize("shape", [(2, 1, 3, 40, 31), (2, 1, 2, 40, 30), (1, 1, 3, 40, 30)])
def test_one_of_another_image_is_refused(tmp_path: Path, shape: tuple[int, ...], stack: ImageStack) -> None:
    other = from_array(np.zeros(shape), "TCZYX", "other")
    with pytest.raises(ImageError, match="was predicted for an image of another size"):
        with_stains(other, channels(tmp_path, prediction_for(stack)))
