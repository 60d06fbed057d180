from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError
from napari_cellstage.sample_cells import STAGES, TILE, Brush, draw_cell
from napari_cellstage.sample_refraction import PhaseContrast, debris, delay_of
from napari_cellstage.sample_stained import focus_um, stained_field, stained_movie, unstained

LAMP = (0.0, 0.0)


def r(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def test_the_field_is_what_it_says() -> None:
    field = stained_field(seed=1, size=192, cells=10, planes=3)
    assert "synthetic" in field.stack.name
    assert field.stack.channel_names == ("phase", "DNA", "tubulin")
    assert field.stack.shape == (1, 3, 3, 192, 192)
    assert field.stack.data.dtype == np.uint16
    assert field.stack.pixel_size_um == (1.5, 0.4, 0.4)
    assert field.labels.shape == (1, 3, 192, 192)
    assert set(field.classes_of) == set(STAGES)
    assert set(CellTable.from_labels(field.labels[:, :1]).cell_id) <= set(range(1, 11))


def test_the_phase_is_no_copy_of_a_stain_and_yet_shows_the_nuclei() -> None:
    field = stained_field(seed=2, size=256, cells=14)
    phase, dna, tubulin = np.asarray(field.stack.data)[0, :, 0].astype(float)
    assert abs(r(phase, dna)) < 0.5
    assert abs(r(phase, tubulin)) < 0.8
    nuclei = field.labels[0, 0] > 0
    background = tubulin < np.percentile(tubulin, 20)
    assert abs(phase[nuclei].mean() - phase[background].mean()) > phase[background].std()


def test_a_field_out_of_focus_is_blurred_in_its_stains_and_another_picture_in_phase() -> None:
    stack = stained_field(seed=3, size=192, cells=8, planes=3).stack
    phase, dna = np.asarray(stack.data)[0, :2].astype(float)
    assert np.abs(np.diff(dna[1])).max() > 1.3 * np.abs(np.diff(dna[0])).max()
    noise = 80  # of the camera, in the difference of two pictures
    assert (phase[0] - phase[2]).std() > 2 * noise


@pytest.mark.parametrize("stage", STAGES)
def test_every_cell_delays_light_where_it_is_and_nowhere_else(stage: str) -> None:
    brush = Brush(np.random.default_rng(5))
    cell = draw_cell(stage, brush)
    delay = delay_of(cell, stage, brush)
    assert delay.shape == (TILE, TILE)
    assert delay[cell.mask].mean() > 0.5
    assert np.abs(delay[0]).max() < 0.05
    assert delay.min() > -0.05


def test_what_delays_no_light_is_an_even_background() -> None:
    shot = PhaseContrast(0.4).picture(np.zeros((64, 64)), (0.0, 2.0), LAMP, np.random.default_rng(0))
    assert shot.shape == (2, 64, 64)
    assert shot.std() < 0.1 * shot.mean()


def test_a_weak_delay_is_dark_in_focus_with_a_bright_halo() -> None:
    y, x = np.mgrid[-64:64, -64:64]
    disc = 0.4 * (np.hypot(y, x) < 12)
    shot = PhaseContrast(0.4).picture(disc, (0.0,), LAMP, np.random.default_rng(0))[0].astype(float)
    far = shot[:, :20].mean()
    assert shot[60:68, 60:68].mean() < 0.9 * far
    assert shot[64, 78:84].mean() > 1.02 * far


def test_debris_is_drawn_from_its_seed() -> None:
    first, same, other = (debris(np.random.default_rng(seed), 64, 5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@settings(max_examples=20)
@given(planes=st.integers(1, 31))
def test_planes_lie_evenly_around_the_focus(planes: int) -> None:
    focus = focus_um(planes)
    assert len(focus) == planes
    assert sum(focus) == pytest.approx(0)
    assert np.allclose(np.diff(focus), 1.5)


@pytest.mark.parametrize("planes", [0, -3, 32])
def test_so_many_planes_as_can_not_be_are_refused(planes: int) -> None:
    with pytest.raises(CellsError, match=f"{planes} planes can't be drawn. Ask for 1 to 31"):
        stained_field(size=64, cells=1, planes=planes)


def test_same_seed_same_pixels_another_seed_others() -> None:
    first, same, other = (stained_field(seed, 96, 3).stack.data for seed in (4, 4, 5))
    np.testing.assert_array_equal(np.asarray(first), np.asarray(same))
    assert (np.asarray(first) != np.asarray(other)).mean() > 0.5


def test_the_movie_has_mitoses_and_its_debris_lies_still() -> None:
    movie = stained_movie(seed=1, size=160, cells=6, frames=14)
    assert "synthetic" in movie.stack.name
    assert movie.stack.channel_names == ("phase", "DNA", "tubulin")
    assert movie.stack.shape == (14, 3, 1, 160, 160)
    assert movie.stack.time_step_s == 600
    assert movie.tracks.divisions >= 1
    assert {"metaphase", "interphase"} <= set(movie.classes_of)


def test_without_its_stains_the_same_phase_is_left() -> None:
    movie = stained_movie(seed=1, size=96, cells=2, frames=2).stack
    alone = unstained(movie)
    assert alone.channel_names == ("phase",)
    assert alone.name == "synthetic unstained movie (seed 1)"
    assert (alone.pixel_size_um, alone.time_step_s) == (movie.pixel_size_um, movie.time_step_s)
    np.testing.assert_array_equal(np.asarray(alone.data)[:, 0], np.asarray(movie.data)[:, 0])
