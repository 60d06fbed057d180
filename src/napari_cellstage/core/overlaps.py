"""Which cells of two frames lie on one another, and in how many pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_cellstage.core.volumes import LabelVolume


def overlaps(first: NDArray[Any], second: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which labels of two planes lie on one another, ``(M, 2)``, and in how many pixels, ``(M,)``."""
    both = (first > 0) & (second > 0)
    under, over = first[both].astype(np.int64), second[both].astype(np.int64)
    base = int(over.max(initial=0)) + 1
    pairs, shared = np.unique(under * base + over, return_counts=True)
    return np.stack(np.divmod(pairs, base), axis=1), shared.astype(np.int64)


def frame_overlaps(labels: LabelVolume | NDArray[Any], t: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the same for the frames t and t + 1, plane by plane."""
    found = [overlaps(np.asarray(labels[t, z]), np.asarray(labels[t + 1, z])) for z in range(labels.shape[1])]
    pairs, which = np.unique(np.concatenate([p for p, _ in found]), axis=0, return_inverse=True)
    shared = np.bincount(which.ravel(), np.concatenate([n for _, n in found]), len(pairs))
    return pairs, shared.astype(np.int64)
