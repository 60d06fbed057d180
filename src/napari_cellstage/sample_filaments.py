"""Drawing the microtubules of one synthetic cell under an effect of paclitaxel. `sample_microtubules` takes pictures.

Without the drug, single filaments grow from an organising centre beside the nucleus to the edge and bend along it.
With it they tear loose, get shorter and more curved, and lie side by side in bundles, at the rim most of all. Order is
lost at low effects already, bundles go on thickening, as is described of cells at rising doses (Schiff and Horwitz
1980, PNAS 77:1561). Lengths are pixels of about 0.1 micrometres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.sample_outlines import Floats, Outline

_STEP = 1.25  # along a filament, under the width of the point spread
_LONGEST = 150  # steps
_ARC = 8  # steps over which a filament keeps its curvature
_FILAMENTS = 330
_SCATTER = 0.6  # of how much an effect shows, in units of the effect
_RIM, _EDGE = 0.80, 0.965  # shares of the radius where filaments begin to give way to the edge, and where they end


@dataclass(frozen=True)
class Nucleus:
    """An ellipse that filaments pass over and under.

    Parameters
    ----------
    y, x
        Its middle, from the cell's middle.
    a, b, angle
        Half-axes, and the direction of `a`.
    """

    y: float
    x: float
    a: float
    b: float
    angle: float

    def share(self, y: Floats, x: Floats) -> Floats:
        """Return 0 in its middle, 1 on its outline."""
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        v, u = y - np.float32(self.y), x - np.float32(self.x)
        return np.hypot((u * cos + v * sin) / np.float32(self.a), (v * cos - u * sin) / np.float32(self.b))


@dataclass(frozen=True)
class Network:
    """Points along all filaments of a cell.

    Parameters
    ----------
    y, x
        ``(N,)`` from the cell's middle.
    light
        ``(N,)`` how much of a filament each stands for, in pixels of length.
    over
        ``(N,)`` the part of it that lies above or below the nucleus, out of focus.
    """

    y: Floats
    x: Floats
    light: Floats
    over: Floats


@dataclass(frozen=True)
class _Looks:
    """What an effect does to a network."""

    disorder: float
    in_bundles: float
    per_bundle: float
    length: float
    curvature: float

    @classmethod
    def under(cls, rng: np.random.Generator, effect: float) -> _Looks:
        """Draw the looks of a cell; two cells that a drug does the same to still differ."""
        on_order, on_bundles = effect + rng.normal(0, _SCATTER, 2)
        disorder = _sigmoid((on_order - 1.9) / 0.75)
        return cls(
            disorder=0.22 + 0.68 * disorder,
            in_bundles=0.06 + 0.74 * _sigmoid((on_bundles - 2.6) / 1.1),
            per_bundle=(0.6 + 1.25 * max(effect, 0.0)) * rng.lognormal(0, 0.2),
            length=1 - 0.30 * disorder,
            curvature=0.010 + 0.009 * disorder,
        )


def place_nucleus(rng: np.random.Generator, outline: Outline) -> Nucleus:
    """Put a nucleus near the middle of a cell."""
    size = float(np.mean(outline.radius))
    a, towards, away = size * rng.uniform(0.31, 0.40), rng.uniform(0, 2 * np.pi), size * rng.uniform(0.04, 0.2)
    middle = away * np.sin(towards), away * np.cos(towards)
    return Nucleus(*middle, a=a, b=a * rng.uniform(0.68, 0.95), angle=rng.uniform(0, np.pi))


def grow_network(rng: np.random.Generator, outline: Outline, nucleus: Nucleus, effect: float) -> Network:
    """Grow the filaments of a cell.

    Parameters
    ----------
    rng
        Source of chance.
    outline, nucleus
        Of the cell.
    effect
        Of the drug: about 0 in cells without it, 3 to 5 where it works.
    """
    looks = _Looks.under(rng, effect)
    member_of = _bundles(rng, looks)
    count = int(member_of[-1]) + 1
    y, x, angle = _paths(rng, outline, nucleus, looks, count)
    lengths = _lengths(rng, looks, count)
    y, x = _beside(rng, y[member_of], x[member_of], angle[member_of], np.bincount(member_of)[member_of])
    y, x, inside = _given_way(rng, outline, y, x)
    first, last = _extents(rng, lengths[member_of])
    steps = np.arange(_LONGEST, dtype=np.float32)
    light = np.zeros_like(y)
    light[:, 1:] = np.hypot(np.diff(y, axis=1), np.diff(x, axis=1))
    light *= inside & (steps >= first[:, None]) & (steps < last[:, None])
    return _over_nucleus(rng, nucleus, y, x, light)


def _bundles(rng: np.random.Generator, looks: _Looks) -> NDArray[np.intp]:
    """Return which path each filament follows: paths of their own first, then bundles."""
    filaments = int(_FILAMENTS * rng.lognormal(0, 0.14))
    together = int(rng.binomial(filaments, looks.in_bundles))
    sizes = 2 + rng.poisson(looks.per_bundle, together // 2 + 1)
    of_bundle = np.repeat(np.arange(len(sizes)), sizes)[:together]
    return np.concatenate((np.arange(filaments - together), filaments - together + of_bundle)).astype(np.intp)


def _paths(
    rng: np.random.Generator, outline: Outline, nucleus: Nucleus, looks: _Looks, count: int
) -> tuple[Floats, Floats, Floats]:
    """Return ``(count, _LONGEST)`` y, x and direction of persistent random walks."""
    loose = rng.random(count) < looks.disorder
    y, x, towards = _starts(rng, outline, nucleus, loose)
    curvature = rng.normal(0, looks.curvature, (count, -(-_LONGEST // _ARC))) + rng.normal(0, 0.003, (count, 1))
    turns = np.repeat(curvature.astype(np.float32) * np.float32(_STEP), _ARC, axis=1)[:, :_LONGEST]
    angle = np.cumsum(turns, axis=1) + towards[:, None]
    along_y = np.cumsum(np.sin(angle), axis=1) * np.float32(_STEP)
    along_x = np.cumsum(np.cos(angle), axis=1) * np.float32(_STEP)
    return y[:, None] + along_y, x[:, None] + along_x, angle


def _starts(
    rng: np.random.Generator, outline: Outline, nucleus: Nucleus, loose: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Return where filaments begin, y and x, and in which direction: at the organising centre, or anywhere."""
    count = len(loose)
    # On the side of the nucleus that faces the middle of the cell.
    side = np.arctan2(-nucleus.y, -nucleus.x) + rng.normal(0, 0.4)
    beside = nucleus.b * 0.9
    centre_y, centre_x = nucleus.y + beside * np.sin(side), nucleus.x + beside * np.cos(side)
    angle = rng.uniform(0, 2 * np.pi, count)
    out = np.sqrt(rng.uniform(0.06, 0.86, count)) * outline.at(np.sin(angle), np.cos(angle))
    along = angle + np.pi / 2 + np.pi * rng.integers(0, 2, count)  # the rim
    towards = np.where(rng.random(count) < 0.55, along + rng.normal(0, 0.45, count), rng.uniform(0, 2 * np.pi, count))
    near_y, near_x = rng.normal(0, 1, (2, count)) * rng.gamma(1.2, 6.0, count)
    y = np.where(loose, out * np.sin(angle), centre_y + near_y)
    x = np.where(loose, out * np.cos(angle), centre_x + near_x)
    return tuple(v.astype(np.float32) for v in (y, x, np.where(loose, towards, rng.uniform(0, 2 * np.pi, count))))  # type: ignore[return-value]


def _lengths(rng: np.random.Generator, looks: _Looks, count: int) -> Floats:
    """Return the length of each path in steps."""
    return np.clip(rng.lognormal(np.log(115 * looks.length), 0.4, count), 15, _LONGEST).astype(np.float32)


def _extents(rng: np.random.Generator, lengths: Floats) -> tuple[Floats, Floats]:
    """Return from which step to which each filament covers its path."""
    first, last = rng.uniform((0, 0.65), (0.3, 1), (len(lengths), 2)).T.astype(np.float32)
    alone = rng.random(len(lengths)) < 0.5
    return np.where(alone, 0, first * lengths), last * lengths


def _beside(
    rng: np.random.Generator, y: Floats, x: Floats, angle: Floats, beside: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Move each filament of a bundle to the side; they weave a little, so that single ones can be seen at places."""
    rows = len(y)
    apart = np.where(beside > 1, 0.75 * np.sqrt(beside), 0)
    shift = rng.normal(0, 1, rows) * apart
    weave, phase = rng.uniform(0.2, 0.9, rows) * (beside > 1), rng.uniform(0, 2 * np.pi, rows)
    often = _STEP / rng.uniform(14, 34, rows)
    columns = np.stack((shift, weave, often, phase))[..., None].astype(np.float32)
    aside = columns[0] + columns[1] * np.sin(np.arange(_LONGEST, dtype=np.float32) * columns[2] + columns[3])
    return y + aside * np.cos(angle), x - aside * np.sin(angle)


def _given_way(
    rng: np.random.Generator, outline: Outline, y: Floats, x: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Bend filaments along the edge instead of over it; return places, and which of them are left of each filament."""
    share = np.maximum(outline.share(y, x), np.float32(1e-3))
    rim, room = np.float32(_RIM), np.float32(_EDGE - _RIM)
    held = np.where(share > rim, rim + room * (1 - np.exp(-(share - rim) / room)), share)
    shrunk = np.asarray(held / share, dtype=np.float32)
    ends = rng.uniform(0.86, 1.25, (len(y), 1)).astype(np.float32)
    inside = np.logical_and.accumulate(share < ends, axis=1)
    return y * shrunk, x * shrunk, inside


def _over_nucleus(rng: np.random.Generator, nucleus: Nucleus, y: Floats, x: Floats, light: Floats) -> Network:
    """Leave out most of what would go through the nucleus; the rest passes over or under it, out of focus."""
    within = nucleus.share(y, x) < 1
    passes = rng.random((len(y), 1)) < 0.5
    light = np.where(within & ~passes, 0, light)
    over = np.where(within, light * np.float32(0.72), 0)
    kept = light > 0
    return Network(y[kept], x[kept], (light - over)[kept], over[kept])


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
