"""Whether the planes of z-stacks are in order: in one stack, and against other stacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_GAIN = 0.03  # by which another order must make neighbouring planes more alike
_ALIKE, _BETTER = 0.5, 0.4  # how well a profile must fit the others when reversed, and how much better than as it is
_OTHERS = 2
Floats = NDArray[np.float64]


def profile(planes: Sequence[NDArray[np.float32]]) -> Floats:
    """Return ``(2, Z)``: how sharp each plane is and how much contrast it has, each with mean 0 and deviation 1.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000, ICPR 3:314) over that of the plane.
    """
    from scipy.ndimage import laplace

    filled = [_filled(plane) for plane in planes]
    contrast = np.array([plane.var() for plane in filled])
    sharpness = np.array([laplace(plane).var() for plane in filled]) / np.where(contrast > 0, contrast, 1)
    return np.stack([_standard(np.log1p(sharpness)), _standard(np.log1p(contrast))])


def likenesses(planes: Sequence[NDArray[np.float32]]) -> Floats:
    """Return ``(Z, Z)``: how well each plane correlates with each other one; 0 with a blank one."""
    flat = np.stack([_filled(plane).ravel() for plane in planes])
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1)
    flat /= np.where(length > 0, length, 1)[:, None]
    return flat @ flat.T


def better_order(likeness: Floats) -> tuple[int, ...] | None:
    """Return an order in which neighbouring planes are clearly more alike; None where there is none.

    It is told by the second eigenvector of the likenesses' Laplacian (Atkins et al. 1998, SIAM J Comput 28:297), from
    the end that was first.
    """
    weights = (likeness + 1) / 2
    _values, vectors = np.linalg.eigh(np.diag(weights.sum(axis=1)) - weights)
    order = np.argsort(vectors[:, 1], kind="stable")
    if np.flatnonzero(order == 0)[0] > len(order) / 2:
        order = order[::-1]
    gain = _between_neighbours(likeness[np.ix_(order, order)]) - _between_neighbours(likeness)
    return tuple(order.tolist()) if gain > _GAIN else None


def reversed_ones(profiles: Sequence[Floats]) -> list[int]:
    """Return the places of the stacks whose planes run the other way than those of most.

    Stacks of other lengths than most, and those that look alike both ways, can't be told.
    """
    if len(profiles) <= _OTHERS:
        return []
    lengths = [one.shape[1] for one in profiles]
    usual = max(set(lengths), key=lengths.count)
    kept = [place for place, length in enumerate(lengths) if length == usual]
    return [
        place
        for place in kept
        if len(kept) > _OTHERS and _is_reversed(profiles[place], [profiles[i] for i in kept if i != place])
    ]


def _is_reversed(one: Floats, others: Sequence[Floats]) -> bool:
    middle = np.median(others, axis=0).ravel()
    as_it_is, turned = (_fit(form.ravel(), middle) for form in (one, one[:, ::-1]))
    return turned > _ALIKE and turned - as_it_is > _BETTER


def _fit(one: Floats, other: Floats) -> float:
    return 0.0 if one.std() == 0 or other.std() == 0 else float(np.corrcoef(one, other)[0, 1])


def _between_neighbours(likeness: Floats) -> float:
    return float(np.diagonal(likeness, 1).mean())


def _standard(values: Floats) -> Floats:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros(values.shape)


def _filled(plane: NDArray[np.float32]) -> Floats:
    known = np.isfinite(plane)
    return np.where(known, plane, np.median(plane[known]) if known.any() else 0).astype(np.float64)
