"""Whether the planes of z-stacks are in order: in one stack, and against other stacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LEAST_GAIN = 0.15  # share by which another order must make neighbouring planes less unlike
_FOLDED = 0.5  # share
_ALIKE, _BETTER = 0.5, 0.4  # how well a profile must fit the others when reversed, and how much better than as it is
_OTHERS = 2
_TINY = 1e-9
Floats = NDArray[np.float64]
Order = NDArray[np.int64]


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
    """Return an order in which neighbouring planes are clearly more alike, from the end that was first; None without.

    It is the shortest path through the planes that is found by turning and moving parts of an order (Croes 1958,
    Operations Research 6:791; Or 1976), from the order as it is and from that of the second eigenvector of the
    likenesses' Laplacian (Atkins et al. 1998, SIAM J Comput 28:297), which alone folds stacks that look alike above and
    below focus. Where planes there are more alike than neighbours, so does the path, and nothing can be told.
    """
    unlike = 1 - likeness
    as_it_is = np.arange(len(unlike))
    paths = [_shortened(unlike, start) for start in (as_it_is, _by_eigenvector(likeness))]
    order = min(paths, key=lambda path: _length(unlike, path))
    if _length(unlike, order) >= (1 - _LEAST_GAIN) * _length(unlike, as_it_is) or _is_fold(order):
        return None
    if np.flatnonzero(order == 0)[0] > len(order) / 2:
        order = order[::-1]
    return tuple(order.tolist())


def _length(unlike: Floats, order: Order) -> float:
    return float(unlike[order[:-1], order[1:]].sum())


def _is_fold(order: Order) -> bool:
    """Return whether most neighbours lie as far above the middle as below it."""
    return bool((np.abs(order[:-1] + order[1:] - (len(order) - 1)) <= 1).mean() > _FOLDED)


def _by_eigenvector(likeness: Floats) -> Order:
    weights = (likeness + 1) / 2
    _values, vectors = np.linalg.eigh(np.diag(weights.sum(axis=1)) - weights)
    return np.argsort(vectors[:, 1], kind="stable")


def _shortened(unlike: Floats, order: Order) -> Order:
    """Return an order that no turn of a part, and no move of one plane, makes shorter."""
    while True:
        turn, move = _gains_of_turns(unlike, order), _gains_of_moves(unlike, order)
        first, last = np.unravel_index(int(min((turn, move), key=np.min).argmin()), turn.shape)
        if min(turn.min(), move.min()) > -_TINY:
            return order
        if turn.min() <= move.min():
            order = np.concatenate([order[:first], order[first : last + 1][::-1], order[last + 1 :]])
        else:  # the plane at `first` to behind the one at `last`, or before it
            order = np.insert(np.delete(order, first), last, order[first])


def _gains_of_turns(unlike: Floats, order: Order) -> Floats:
    """Return ``(Z, Z)``: by how much the path grows where the part from one place to a later one is turned around."""
    path = _open_ended(unlike, order)
    steps = np.diagonal(path, 1)
    gains = path[:-2, 1:-1] + path[1:-1, 2:] - steps[:-1, None] - steps[None, 1:]
    return np.where(np.triu(np.ones_like(gains), 1) > 0, gains, 0)


def _gains_of_moves(unlike: Floats, order: Order) -> Floats:
    """Return ``(Z, Z)``: by how much the path grows where the plane at one place is put to another."""
    path = _open_ended(unlike, order)
    steps, over = np.diagonal(path, 1), np.diagonal(path, 2)
    away = (over - steps[:-1] - steps[1:])[:, None]
    beside = path[1:-1]
    later = away + beside[:, 1:-1] + beside[:, 2:] - steps[None, 1:]
    sooner = away + beside[:, :-2] + beside[:, 1:-1] - steps[None, :-1]
    places = np.arange(len(order))
    there = np.where(places[None] > places[:, None], later, sooner)
    np.fill_diagonal(there, 0)
    return there


def _open_ended(unlike: Floats, order: Order) -> Floats:
    """Return ``(Z + 2, Z + 2)``: how unlike planes are in this order; what would be beyond the ends is like any."""
    return np.pad(unlike[np.ix_(order, order)], 1)


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


def _standard(values: Floats) -> Floats:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros(values.shape)


def _filled(plane: NDArray[np.float32]) -> Floats:
    known = np.isfinite(plane)
    return np.where(known, plane, np.median(plane[known]) if known.any() else 0).astype(np.float64)
