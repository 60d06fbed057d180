from __future__ import annotations

import numpy as np
import pytest

from napari_cellstage.core.finding.shapes import fill_holes
from napari_cellstage.core.finding.splitting import split_touching


def two_discs(apart: int, radius: int = 10) -> np.ndarray:
    y, x = np.indices((40, 80))
    return ((y - 20) ** 2 + (x - 25) ** 2 <= radius**2) | ((y - 20) ** 2 + (x - 25 - apart) ** 2 <= radius**2)


@pytest.mark.parametrize(("apart", "split", "count"), [(19, 0.85, 2), (19, 0.0, 1), (8, 0.85, 1), (30, 0.0, 2)])
def test_a_narrow_contact_parts_and_a_wide_one_does_not(apart: int, split: float, count: int) -> None:
    mask = two_discs(apart)
    labels = split_touching(mask, np.ones(mask.shape), split)
    assert labels.max() >= count
    assert len(np.unique(labels[mask])) == count
    np.testing.assert_array_equal(labels > 0, mask)


def test_a_dark_line_parts_what_has_no_waist() -> None:
    mask = np.zeros((40, 80), dtype=bool)
    mask[10:30, 20:60] = True
    light = np.where(np.abs(np.arange(80) - 40) < 3, 10.0, 100.0) * np.ones((40, 1))
    parted, whole = (split_touching(mask, values, 0.85) for values in (light, np.full(mask.shape, 100.0)))
    assert len(np.unique(parted[mask])) == 2
    assert len(np.unique(whole[mask])) == 1


@pytest.mark.parametrize(("radius", "count"), [(10.0, 2), (20.0, 1)])
def test_two_lobes_part_where_nuclei_are_as_thick_and_stay_one_where_nuclei_are_thicker(
    radius: float, count: int
) -> None:
    mask = two_discs(18)
    labels = split_touching(mask, np.ones(mask.shape), 0.9, radius)
    assert len(np.unique(labels[mask])) == count


def test_thin_pieces_part_when_asked_to() -> None:
    mask = two_discs(18)
    labels = split_touching(mask, np.ones(mask.shape), 0.9, 20.0, thin_too=True)
    assert len(np.unique(labels[mask])) == 2


@pytest.mark.parametrize("shape", [(61, 83), (3, 61, 83)])
def test_odd_sizes_of_large_nuclei_keep_every_pixel_of_the_mask(shape: tuple[int, ...]) -> None:
    mask = np.zeros(shape, dtype=bool)
    mask[..., 3:60, 40:83] = True
    labels = split_touching(mask, np.ones(shape), 0.85)
    np.testing.assert_array_equal(labels > 0, mask)


def test_an_empty_mask_stays_empty() -> None:
    empty = np.zeros((20, 30), dtype=bool)
    assert split_touching(empty, np.ones(empty.shape), 0.85).max() == 0


def test_holes_of_one_nucleus_are_filled_but_not_between_two_nor_at_the_edge() -> None:
    labels = np.zeros((30, 60), dtype=np.int32)
    labels[5:25, 5:25] = 1
    labels[10:20, 10:20] = 0
    labels[5:25, 30:45] = 2
    labels[5:25, 45:58] = 3
    labels[10:20, 40:50] = 0
    labels[0:4, 0:12] = 4
    labels[0:2, 3:6] = 0
    filled = fill_holes(labels)
    assert (filled[10:20, 10:20] == 1).all()
    assert (filled[10:20, 40:50] == 0).all()
    assert (filled[0:2, 3:6] == 0).all()
    np.testing.assert_array_equal(filled[labels > 0], labels[labels > 0])
