from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.core import channel_guess
from napari_cellstage.core.channel_guess import channel_sentence, guessed_channels, looks_nuclear, nuclear_score
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.images import ImageStack, from_array, open_image
from napari_cellstage.core.sheets import prepare_sheet
from napari_cellstage.sample_data import cell_cycle_field


def nuclei(side: int = 200) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    spots = ((y % 40) - 20) ** 2 + ((x % 40) - 20) ** 2 < 100
    return (spots * 200 + np.random.default_rng(0).normal(20, 4, (side, side))).clip(0, 255).astype(np.uint8)


def fibres(side: int = 200) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    net = ((y + x) % 17 < 3) | ((y - 2 * x) % 23 < 3)
    return (net * 200 + np.random.default_rng(1).normal(20, 4, (side, side))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_nuclei_are_found_among_fibres(place: int) -> None:
    channels = [fibres(), fibres()[::-1]]
    channels.insert(place, nuclei())
    assert looks_nuclear(from_array(np.stack(channels), "CYX", "a")) == place


@pytest.mark.parametrize("side", [200, 1500])
def test_of_large_images_parts_are_looked_at(side: int) -> None:
    assert looks_nuclear(from_array(np.stack([fibres(side), nuclei(side)]), "CYX", "a")) == 1


def test_a_name_decides_and_one_channel_needs_no_guess() -> None:
    both = np.stack([fibres(), nuclei()])
    assert looks_nuclear(from_array(both, "CYX", "a", channel_names=("DAPI", "GFP"))) == 0
    assert looks_nuclear(from_array(nuclei(), "YX", "a")) is None


def test_between_equals_the_first_is_taken() -> None:
    assert looks_nuclear(from_array(np.stack([nuclei(), nuclei()[::-1]]), "CYX", "a")) == 0
    assert looks_nuclear(from_array(np.zeros((3, 30, 40), np.uint16), "CYX", "a")) == 0


@pytest.mark.parametrize(
    "plane", [np.zeros((20, 20)), np.full((20, 20), np.nan), np.eye(20, dtype=bool), np.ones((1, 1))]
)
def test_planes_without_cells_have_a_score_too(plane: Any) -> None:
    assert 0 <= nuclear_score(plane) < 3


def test_pixels_that_can_not_be_read_leave_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_what: Any) -> Any:
        raise ImageError("The disk is gone.")

    stack = from_array(np.stack([nuclei(), fibres()]), "CYX", "a")
    monkeypatch.setattr(ImageStack, "region", gone)
    assert looks_nuclear(stack) is None
    assert guessed_channels([stack]) == {}


def test_of_colour_pictures_only_those_on_dark_ground_are_judged() -> None:
    dark = np.stack([fibres(), fibres()[::-1], nuclei()], axis=-1)
    assert looks_nuclear(from_array(dark, "YXS", "a")) == 2
    assert looks_nuclear(from_array(255 - dark, "YXS", "a")) is None


def test_one_guess_for_each_number_of_channels() -> None:
    named = from_array(np.stack([fibres(), nuclei()]), "CYX", "a", channel_names=("DNA", "x"))
    plain = from_array(np.stack([fibres(), nuclei()]), "CYX", "b")
    turned = from_array(np.stack([nuclei(), fibres()]), "CYX", "c")
    three = from_array(np.stack([fibres(), fibres(), nuclei()]), "CYX", "d")
    assert guessed_channels([named, plain, turned, three]) == {2: 1, 3: 2}


def test_a_guess_is_put_in_words() -> None:
    both = np.stack([fibres(), nuclei()])
    assert "found in channel 1, which looks most like it. Give --channel" in channel_sentence(
        from_array(both, "CYX", "a"), 1
    )
    assert "in channel 1 ('GFP')," in channel_sentence(
        from_array(both, "CYX", "a", channel_names=("mCherry", "GFP")), 1
    )
    assert channel_sentence(from_array(both, "CYX", "a", channel_names=("GFP", "DNA")), 1) == ""
    assert channel_sentence(from_array(nuclei(), "YX", "a"), 0) == ""


def test_the_sample_is_as_it_was() -> None:
    assert looks_nuclear(cell_cycle_field(seed=1, size=512, cells=40).stack) in (0, None)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("fields/tubulin_h2b_field.tif", 1),
        ("fields/cell_dna_microtubules_actin.tif", 0),
        ("pairs/embryo_transmission_fluorescence.tif", 1),
    ],
)
def test_real_images(data_dir: Path, name: str, channel: int) -> None:
    assert looks_nuclear(open_image(data_dir / name)) == channel


@pytest.mark.data
def test_a_real_contact_sheet(data_dir: Path) -> None:
    crops = read_class_folders(data_dir / "jurkat")
    prepared = prepare_sheet(crops, data_dir / "jurkat")
    stack = prepared.sheet.stack(None, lambda cell: crops.crops[prepared.order[cell]])
    assert looks_nuclear(stack) == 1  # bright field, DNA, dark field


def test_of_pictures_that_tell_nothing_only_a_few_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    bright = from_array(255 - np.stack([fibres(), fibres()[::-1], nuclei()], axis=-1), "YXS", "a")
    read = []
    monkeypatch.setattr(channel_guess, "looks_nuclear", lambda stack: read.append(stack.name))
    assert guessed_channels([bright] * 50) == {}
    assert len(read) == 3
