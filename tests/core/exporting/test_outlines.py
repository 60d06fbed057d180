from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_cellstage.core.exporting.outlines import polygons_of


def filled(polygons: list[list[list[tuple[int, int]]]], shape: tuple[int, int]) -> np.ndarray:
    """Paint polygons again: a pixel is inside when a ray from its middle crosses their edges an odd number of times."""
    counts = np.zeros(shape, dtype=int)
    for polygon in polygons:
        for ring in polygon:
            assert ring[0] == ring[-1]
            assert len(set(ring)) == len(ring) - 1, "no ring touches itself"
            for (x0, y0), (x1, y1) in pairwise(ring):
                if x0 == x1:
                    counts[min(y0, y1) : max(y0, y1), :x0] += 1
    return counts % 2 == 1


@settings(max_examples=200, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_outlines_are_exact_whatever_the_shape(mask: np.ndarray) -> None:
    polygons = polygons_of(mask)
    assert (filled(polygons, mask.shape) == mask).all()


def test_a_square_has_four_corners() -> None:
    mask = np.zeros((5, 6), bool)
    mask[1:4, 2:5] = True
    assert sorted(polygons_of(mask)[0][0][:4]) == [(2, 1), (2, 4), (5, 1), (5, 4)]


@pytest.mark.parametrize(
    ("text", "rings"),
    [
        ("#####|#...#|#.#.#|#...#|#####", [2, 1]),  # an island in a hole
        ("#.|.#", [1, 1]),  # parts that meet in a corner
        ("####|#.##|##.#|####", [3]),  # holes that meet in a corner
        ("####.|#..#.|#..#.|###.#", [2, 1]),
        ("...", []),
    ],
)
def test_parts_and_holes_are_told_apart(text: str, rings: list[int]) -> None:
    mask = np.array([[one == "#" for one in row] for row in text.split("|")])
    assert [len(polygon) for polygon in polygons_of(mask)] == rings
    assert (filled(polygons_of(mask), mask.shape) == mask).all()
