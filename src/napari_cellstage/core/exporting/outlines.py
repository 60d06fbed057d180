"""Outlines of cells along the edges of their pixels: exact, with holes and parts, valid for every geometry library."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Point = tuple[int, int]  # x, y
Ring = list[Point]
Polygon = list[Ring]  # outer ring, then its holes


def polygons_of(mask: NDArray[np.bool_]) -> list[Polygon]:
    """Return the polygons of a mask, largest first, in coordinates of pixel corners.

    Parameters
    ----------
    mask
        ``(Y, X)`` bool. Pixel y, x covers the square from ``(x, y)`` to ``(x + 1, y + 1)``.

    Returns
    -------
    list of list of list of (x, y)
        A polygon a part; its first ring is the outside, the others are holes. Rings are closed, and none touches
        itself: where two parts or holes meet in a corner, each has a ring of its own.
    """
    outer: list[Ring] = []
    holes: list[Ring] = []
    for ring in _rings(mask):
        (outer if _area(ring) > 0 else holes).append(ring)
    outer.sort(key=_area, reverse=True)
    polygons: list[Polygon] = [[ring] for ring in outer]
    for hole in holes:
        inside = [polygon for polygon in polygons if _contains(polygon[0], hole)]
        inside[-1].append(hole)  # the smallest that surrounds it
    return polygons


def _rings(mask: NDArray[np.bool_]) -> Iterator[Ring]:
    """Walk along the edges with the mask on one side; a loop is cut off where the walk meets itself."""
    following = _edges(mask)
    while following:
        path = [next(iter(following))]
        place = {path[0]: 0}
        while path[-1] in following:
            ends = following[path[-1]]
            point = ends.pop()
            if not ends:
                del following[path[-1]]
            if point not in place:
                place[point] = len(path)
                path.append(point)
                continue
            loop = path[place[point] :]
            yield _without_straight(loop)
            del path[place[point] + 1 :]
            for gone in loop[1:]:
                del place[gone]


def _edges(mask: NDArray[np.bool_]) -> dict[Point, list[Point]]:
    """Return where each edge between inside and outside leads, directed so that outer rings have positive area."""
    padded = np.pad(mask, 1)
    inside, up, left = padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[1:-1, :-2]
    down, right = padded[2:, 1:-1], padded[1:-1, 2:]
    edges: dict[Point, list[Point]] = {}
    for outside, (y0, x0), (y1, x1) in (
        (up, (0, 0), (0, 1)),
        (right, (0, 1), (1, 1)),
        (down, (1, 1), (1, 0)),
        (left, (1, 0), (0, 0)),
    ):
        for y, x in np.argwhere(inside & ~outside).tolist():
            edges.setdefault((x + x0, y + y0), []).append((x + x1, y + y1))
    return edges


def _without_straight(ring: Ring) -> Ring:
    """Return a closed ring of its corners only."""
    points = np.array(ring)
    turns = (np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)).all(axis=1)
    corners = [ring[i] for i in np.flatnonzero(turns)]
    return [*corners, corners[0]]


def _area(ring: Ring) -> float:
    points: NDArray[Any] = np.array(ring, dtype=np.int64)
    x, y = points[:, 0], points[:, 1]
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) / 2


def _contains(ring: Ring, hole: Ring) -> bool:
    """Tell whether a hole lies in a ring, by the pixel below and right of its top left corner, which is in the hole."""
    left, top = min(hole, key=lambda point: (point[1], point[0]))
    x, y = left + 0.5, top + 0.5
    crossed = False
    for (x0, y0), (x1, y1) in pairwise(ring):
        if x0 == x1 and x0 > x and min(y0, y1) < y < max(y0, y1):
            crossed = not crossed
    return crossed
