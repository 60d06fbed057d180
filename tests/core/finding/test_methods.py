from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.method import METHODS
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import from_array
from napari_cellstage.core.segment import find_cells, find_cells_in_stack

CENTRES = [(20, 20), (20, 70), (60, 30), (75, 80)]
HERE = [name for name, method in METHODS.items() if not method.extra and not method.wants_second_channel]


def discs(centres: list[tuple[int, int]], radius: float, shape: tuple[int, int] = (96, 100)) -> np.ndarray:
    y, x = np.indices(shape)
    return np.any([(y - cy) ** 2 + (x - cx) ** 2 <= radius**2 for cy, cx in centres], axis=0)


def noise(shape: tuple[int, int] = (96, 100), sigma: float = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(0, sigma, shape)


def bright_field(centres: list[tuple[int, int]], radius: float, shape: tuple[int, int] = (96, 100)) -> np.ndarray:
    """Cells as bright as the ground, grainy inside and with a dark rim."""
    inside, core = discs(centres, radius, shape), discs(centres, radius - 2, shape)
    grains = np.random.default_rng(1).normal(0, 40, shape)
    return 500 + noise(shape) + np.where(core, grains, 0) - 80.0 * (inside & ~core)


# ---- what a method is


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_says_what_it_is_for_and_which_choices_matter(method: object) -> None:
    assert method.title
    assert method.tip.endswith(".")
    assert set(method.fields) <= {one.name for one in fields(SegmentSettings)}  # type: ignore[attr-defined]
    code = method.code  # type: ignore[attr-defined]
    assert callable(code.calibrate)
    assert callable(code.find)
    assert callable(code.margin)


def test_methods_that_come_with_the_package_are_installed() -> None:
    assert all(METHODS[name].installed for name in (*HERE, "cells"))


@pytest.mark.parametrize("name", HERE)
def test_images_without_contrast_are_told_by_every_method(name: str) -> None:
    settings = SegmentSettings(method=name)
    with pytest.raises(CellsError, match="All pixels have the same value, 7"):
        find_cells(np.full((40, 40), 7), settings)
    with pytest.raises(CellsError, match="All pixels are NaN or infinite"):
        find_cells(np.full((40, 40), np.nan), settings)


@pytest.mark.parametrize("name", [*HERE, "cells"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 40, 40)])
def test_odd_sizes_break_no_method(name: str, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape)
    second = image if name == "cells" else None
    settings = SegmentSettings(method=name, second_channel=1)
    with suppress(CellsError):  # too small for a cell, or without contrast: a sentence, tested above
        assert find_cells(image, settings, second).shape == shape


# ---- nuclei


@pytest.mark.parametrize("name", ["otsu", "local", "log", "dark"])
def test_each_nucleus_is_found_where_it_is(name: str) -> None:
    image = discs(CENTRES, 8) * 200.0 + noise()
    labels = find_cells(255 - image if name == "dark" else image, SegmentSettings(method=name))
    assert labels.max() == 4
    assert len({labels[y, x] for y, x in CENTRES} - {0}) == 4
    areas = np.bincount(labels.ravel())[1:]
    assert np.abs(areas - np.pi * 64).max() < 50


def test_numbers_go_from_top_to_bottom() -> None:
    labels = find_cells(discs(CENTRES, 8) * 200.0 + noise(), SegmentSettings())
    first = [int(np.flatnonzero(labels.ravel() == i)[0]) for i in range(1, 5)]
    assert first == sorted(first)


def test_dim_nuclei_beside_bright_ones_keep_their_size_and_bright_ones_lose_their_halo() -> None:
    y, x = np.indices((80, 120))
    halo = 900 * np.exp(-(((y - 40) ** 2 + (x - 40) ** 2) / 60))
    image = halo + 80.0 * discs([(40, 62)], 8, (80, 120)) + noise((80, 120))
    labels = find_cells(image, SegmentSettings())
    assert labels.max() == 2
    bright, dim = labels[40, 40], labels[40, 64]
    assert 0 != bright != dim != 0
    assert (labels == dim).sum() > 100


def test_blob_seeds_part_a_clump_of_equal_nuclei() -> None:
    clump = [(30, 30), (30, 43), (43, 36), (43, 49)]
    image = sum(120 * np.exp(-(((np.indices((76, 80)) - np.reshape(c, (2, 1, 1))) ** 2).sum(0) / 40)) for c in clump)
    settings = SegmentSettings(method="log", diameter=13)
    assert find_cells(image + noise((76, 80), 1), settings).max() == 4


# ---- depth


def ball(shape: tuple[int, int, int], centre: tuple[int, int, int], radius: float, ratio: float) -> np.ndarray:
    z, y, x = np.indices(shape)
    return ((z - centre[0]) * ratio) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2


def test_planes_far_apart_are_no_waists_in_depth() -> None:
    balls = ball((14, 60, 60), (4, 30, 22), 12, 4.0) | ball((14, 60, 60), (9, 30, 36), 12, 4.0)
    image = balls * 200.0 + np.random.default_rng(0).normal(0, 3, balls.shape)
    assert find_cells(image, SegmentSettings(z_ratio=4.0)).max() == 2


@pytest.mark.parametrize(
    ("given", "pixel_size", "ratio"),
    [(0.0, (2.0, 0.5, 0.5), 4.0), (3.0, (2.0, 0.5, 0.5), 3.0), (0.0, None, 0.0), (0.0, (0.0, 0.5, 0.5), 0.0)],
)
def test_the_image_says_how_far_apart_planes_lie(
    given: float, pixel_size: tuple[float, float, float] | None, ratio: float
) -> None:
    assert SegmentSettings(z_ratio=given).fitted(pixel_size).z_ratio == ratio


def test_spacing_not_known_is_taken_to_be_two() -> None:
    assert SegmentSettings().spacing == 2.0


# ---- whole cells


def test_cells_grow_from_nuclei_over_what_the_second_channel_shows() -> None:
    nuclei = discs([(40, 30), (40, 66)], 7) * 200.0 + noise()
    bodies = discs([(40, 30), (40, 66)], 20) * 100.0 + noise()
    labels = find_cells(nuclei, SegmentSettings(method="cells", second_channel=1), bodies)
    assert labels.max() == 2
    assert np.abs(np.bincount(labels.ravel())[1:] - np.pi * 400).max() < 200
    assert labels[40, 30] != labels[40, 66]
    assert (labels[40, :46].max(), labels[40, 52:].min(initial=9, where=labels[40, 52:] > 0)) == (1, 2)


def test_whole_cells_need_two_channels() -> None:
    stack = from_array(np.zeros((2, 20, 20)), "CYX", "two")
    same, missing = (SegmentSettings(method="cells", second_channel=n) for n in (0, 5))
    with pytest.raises(CellsError, match=r"are both 0\. Choose two different channels"):
        list(find_cells_in_stack(stack, same))
    with pytest.raises(CellsError, match="Channel 5 was chosen for finding cells, but 'two' has channels 0 to 1"):
        list(find_cells_in_stack(stack, missing))


@pytest.mark.data
def test_whole_cells_of_a_real_field(data_dir: Path) -> None:
    tubulin, h2b = tifffile.imread(data_dir / "fields" / "tubulin_h2b_field.tif")[:, :600, :700]
    settings = SegmentSettings()
    nuclei = find_cells(h2b, settings)
    cells = find_cells(h2b, replace(settings, method="cells", second_channel=1), tubulin)
    assert cells.max() == nuclei.max()
    assert (cells > 0).sum() > 1.5 * (nuclei > 0).sum()
    assert ((cells > 0) | (nuclei == 0)).all()


# ---- bright field


def test_grainy_cells_are_found_though_they_are_as_bright_as_the_ground() -> None:
    image = bright_field(CENTRES, 10)
    slope = np.linspace(0, 300, 100)
    labels = find_cells(image + slope, SegmentSettings(method="texture"))
    assert labels.max() == 4
    assert len({labels[y, x] for y, x in CENTRES} - {0}) == 4
    assert np.abs(np.bincount(labels.ravel())[1:] - np.pi * 100).max() < 110


def test_touching_cells_in_bright_field_are_split_by_shape() -> None:
    assert find_cells(bright_field([(48, 36), (48, 56)], 12), SegmentSettings(method="texture")).max() == 2


@pytest.mark.data
def test_a_real_mosaic_of_bright_field_cells(data_dir: Path) -> None:
    rows = [sorted(folder.glob("*.tif"))[:10] for folder in sorted((data_dir / "jurkat").iterdir()) if folder.is_dir()]
    mosaic = np.concatenate([np.concatenate([tifffile.imread(file)[0] for file in row], axis=1) for row in rows])
    labels = find_cells(mosaic, SegmentSettings(method="texture"))
    middles = labels[20::40, 20::40]
    assert (middles[:-1] > 0).mean() > 0.95
    assert len(np.unique(middles[:-1])) > 0.9 * middles[:-1].size


# ---- figures on fields with masks


@pytest.mark.data
def test_nuclei_in_depth_are_found_without_tuning(data_dir: Path) -> None:
    from tests.core.test_segment import detection_f1

    folder = data_dir / "formats" / "stardist"
    image, mask = tifffile.imread(folder / "img3d.tif"), tifffile.imread(folder / "mask3d.tif")
    assert detection_f1(mask, find_cells(image, SegmentSettings())) >= 0.75


# ---- block by block


def crowd(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Nuclei 12 apart at least, their light and that of the cells around them."""
    rng = np.random.default_rng(seed)
    places: list[tuple[int, int]] = []
    while len(places) < 60:
        y, x = (int(n) for n in rng.integers(12, 308, 2))
        if all((y - a) ** 2 + (x - b) ** 2 > 26**2 for a, b in places):
            places.append((y, x))
    shape = (320, 320)
    return discs(places, 8, shape) * 200.0 + noise(shape), discs(places, 12, shape) * 100.0 + noise(shape)


@pytest.mark.parametrize("name", ["otsu", "local", "log", "dark", "cells", "texture"])
def test_a_block_with_its_margin_gives_the_cells_of_the_whole(name: str) -> None:
    method = METHODS[name]
    settings = SegmentSettings(method=name, second_channel=1, background=40.0, max_diameter=40.0)
    nuclei, bodies = crowd()
    if name == "dark":
        nuclei = 255 - nuclei
    whole = np.stack([nuclei, bodies])[: 1 + method.wants_second_channel, None].astype(np.float32)
    levels = method.calibrate([whole], settings)
    expected = method.find(whole, settings, levels)[0]
    core = slice(100, 220)
    outer = slice(max(0, 100 - method.margin(settings, levels)), min(320, 220 + method.margin(settings, levels)))
    found = method.find(whole[..., outer, outer], settings, levels)[0]
    part = found[core.start - outer.start :][:120, core.start - outer.start :][:, :120]
    inside = expected[core, core]
    assert expected.max() >= 50
    assert ((part > 0) == (inside > 0)).mean() > 0.995
    pairs = {(a, b) for a, b in zip(part[(part > 0) & (inside > 0)], inside[(part > 0) & (inside > 0)], strict=True)}
    clear = [a for a, _b in pairs]
    assert len(set(clear)) / len(clear) > 0.9  # nearly every cell of the block is one cell of the whole
