from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import TEMPLATES
from napari_cellstage.core.errors import CellsError
from napari_cellstage.sample_cells import Brush
from napari_cellstage.sample_eggs import EGG_STAGES, draw_egg
from napari_cellstage.sample_phone import Phone, View, jpeg, photographed
from napari_cellstage.sample_photographs import WIDTH, draw_photograph, photograph_crops, photograph_field


def test_crops_are_colour_pictures_by_stage() -> None:
    crops = photograph_crops(per_class=3, seed=4)
    assert crops.crops.shape == (15, 3, 112, 112)
    assert crops.crops.dtype == np.uint8
    assert crops.channel_names == ("red", "green", "blue")
    assert crops.classes == EGG_STAGES
    assert set(EGG_STAGES) <= set(TEMPLATES["cell cycle"][1])
    assert all("synthetic" in name and name.endswith(".jpg") for name in crops.names)
    assert set(crops.groups) == {"slide01"}


def test_same_seed_same_pixels_however_many_are_asked_for() -> None:
    few, more = (photograph_crops(count, seed=4) for count in (1, 2))
    np.testing.assert_array_equal(few.crops, more.crops[::2])
    assert (draw_photograph(5, "metaphase", 0) != draw_photograph(4, "metaphase", 0)).mean() > 0.5


def test_chromatin_is_blue_on_pale_pink() -> None:
    picture = photograph_crops(per_class=6, seed=1).take(np.arange(12, 18)).crops.astype(float)  # metaphases
    ground = picture[:, :, :12, :12].mean(axis=(2, 3))
    assert (ground[:, 0] > ground[:, 1]).mean() > 0.8  # red over green: pink
    middle = picture[:, :, 36:76, 36:76].reshape(6, 3, -1)
    darkest = np.sort(middle.sum(axis=1), axis=1)[:, :40].mean(axis=1)
    assert (darkest < 0.6 * picture.mean(axis=(2, 3)).sum(axis=1)).all()


def test_the_field_is_round_with_eggs_inside() -> None:
    field = photograph_field(seed=3, cells=10)
    assert "synthetic" in field.stack.name
    assert field.stack.rgb
    assert field.stack.shape == (1, 3, 1, 900, WIDTH)
    assert field.stack.data.dtype == np.uint8
    assert sorted(field.classes_of.tolist()) == sorted(2 * EGG_STAGES)
    cells = CellTable.from_labels(field.labels)
    assert cells.cell_id.tolist() == list(range(1, 11))
    assert not cells.at_border.any()
    light = np.asarray(field.stack.data)[0, :, 0].mean(axis=0)
    assert light[:50, :50].mean() < 0.2 * light[400:500, 550:650].mean()


def test_a_photograph_of_any_size_has_the_same_eggs() -> None:
    small, usual = photograph_field(2, 5, width=600), photograph_field(2, 5)
    assert small.stack.shape[3:] == (450, 600)
    np.testing.assert_array_equal(small.labels, usual.labels[..., ::2, ::2])
    assert small.stack.fingerprint == photograph_field(2, 5, width=600).stack.fingerprint
    one, other = (np.asarray(f.stack.data)[0, :, 0].astype(float) for f in (small, usual))
    coarse = other.reshape(3, 450, 2, 600, 2).mean(axis=(2, 4))
    assert np.corrcoef(one.ravel(), coarse.ravel())[0, 1] > 0.97


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(CellsError, match=r"500 eggs have no room in one photograph, only \d+"):
        photograph_field(cells=500)
    with pytest.raises(CellsError, match="100 pixels wide"):
        photograph_field(width=100)
    with pytest.raises(CellsError, match="0 crops a class"):
        photograph_crops(0)


def test_a_dividing_egg_is_two_masses_of_chromatin() -> None:
    for seed in range(4):
        egg = draw_egg("telophase", Brush(np.random.default_rng(seed)))
        assert egg.stains.shape == (128, 128, 2)
        assert 6000 < egg.mask.sum() < 10000
        y, x = np.nonzero(egg.stains[..., 0] > 0.6 * egg.stains[..., 0].max())
        assert np.hypot(y - y.mean(), x - x.mean()).mean() > 10


def test_colours_part_towards_the_edge_only() -> None:
    phone = Phone((1, 1, 1), parting=0.02, focus=0.01, edge_blur=0.01, noise=0, quality=100)
    stains = np.zeros((900, 900, 2), dtype=np.float32)
    stains[:, ::30] = 0.1
    seen = photographed(np.random.default_rng(0), stains, phone, View((900, 900), 0, 0, (900, 900))).astype(float)

    def parted(columns: slice) -> float:
        red, blue = (seen[430:470, columns, c].mean(axis=0) for c in (0, 2))
        return float(abs(red / red.mean() - blue / blue.mean()).mean())

    assert parted(slice(100, 200)) > 2 * parted(slice(430, 470))


def test_jpeg_leaves_traces() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    seen = jpeg(noise, 60)
    assert seen.shape == noise.shape
    assert 0 < np.abs(seen.astype(int) - noise).mean() < 80
