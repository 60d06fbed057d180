"""Mean distances to the nearest of some references, with those of a cell's own group left out where asked."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
NEIGHBOURS = 5
BLOCK = 4096  # cells whose distances to all references are in memory at once
TINY = 1e-6


def group_codes(names: NDArray[np.str_]) -> Floats:
    """Return a number for each name, the same in every run, that float32 holds exactly."""
    unique, places = np.unique(names, return_inverse=True)
    codes = np.array([zlib.crc32(name.encode()) & 0xFFFFFF for name in unique.tolist()], dtype=np.float32)
    found: Floats = codes[places.reshape(-1)]
    return found


def nearest(values: Floats, references: Floats, codes: Floats | None, reference_codes: Floats | None) -> Floats:
    """Return ``(N,)`` mean distance to the nearest references, those with a cell's own code left out; NaN for none."""
    if codes is None or reference_codes is None:
        from sklearn.neighbors import NearestNeighbors

        finder = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(references)), algorithm="brute").fit(references)
        distances, _ = finder.kneighbors(values)
        return np.asarray(distances.mean(axis=1), dtype=np.float32)
    blocks = [slice(start, start + BLOCK) for start in range(0, len(values), BLOCK)]
    return np.concatenate([_nearest_others(values[b], references, codes[b], reference_codes) for b in blocks])


def _nearest_others(values: Floats, references: Floats, codes: Floats, reference_codes: Floats) -> Floats:
    from sklearn.metrics.pairwise import euclidean_distances

    distances = euclidean_distances(values, references)
    distances[codes[:, None] == reference_codes] = np.inf
    count = min(NEIGHBOURS, len(references))
    nearest = np.partition(distances, count - 1, axis=1)[:, :count]
    there = np.isfinite(nearest)
    sums = np.where(there, nearest, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return np.where(there.any(axis=1), sums, np.nan).astype(np.float32)


def directions(values: Floats) -> Floats:
    """Return ``(N, E)`` of length 1, 0 where there is no direction."""
    unit: Floats = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), TINY)
    return unit
