"""Drawing one synthetic dividing egg of a roundworm in its shell, stained with haematoxylin. `sample_photographs`.

Stages run into one another as they do in life. Lengths are pixels of the drawing; a shell is about 100 of them wide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.sample_cells import Brush, Plane, edge

EGG_STAGES = ("interphase", "prophase", "metaphase", "anaphase", "telophase")
SHELL = 50.0  # half of its width


@dataclass(frozen=True)
class DrawnEgg:
    """One egg on a ``(TILE, TILE)`` tile.

    Parameters
    ----------
    stains
        ``(TILE, TILE, 2)`` density of haematoxylin and eosin.
    mask
        The egg with its shell.
    """

    stains: NDArray[np.float32]
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class _Inside:
    """What lies in a shell: chromatin (density of haematoxylin), spindle and asters, pixels inside the cell."""

    chromatin: Plane
    fibres: Plane
    cell: Plane


def draw_egg(stage: str, brush: Brush) -> DrawnEgg:
    """Draw one egg of a stage out of `EGG_STAGES`, with its own angle, size, shade and progress."""
    rng = brush.rng
    u, v = brush.turned(rng.uniform(0, 2 * np.pi))
    long, wide = SHELL * rng.uniform(0.95, 1.06), SHELL * rng.uniform(0.86, 0.98)
    shell = brush.blob(u, v, long, wide, 0.008)
    within = _DRAW[stage](brush, u, v)
    body = edge(np.minimum(within.cell, shell - 7), 1.0)
    grains = 1 + 0.16 * brush.texture(2.5) + 0.13 * brush.texture(1.2)
    yolk = 0.35 * np.clip(brush.texture(2.5) - 0.9, 0, 1)  # pale droplets
    shade = rng.lognormal(0, 0.18)
    blue = body * (0.016 * grains + 0.03 * within.fibres) * shade
    blue = blue + body * within.chromatin * np.float32(0.72 * rng.lognormal(0, 0.12))
    pink = body * (0.030 * grains * (1 - yolk) + 0.02 * within.fibres) * shade
    # The shell is clear and thick: it is seen by its edges, which bend the light away.
    edges = 0.050 * _line(shell - 0.6, 1.1) + 0.030 * _line(shell - 6.5, 0.9) + 0.008 * _line(shell - 3.5, 2.2)
    rim = 0.022 * _line(within.cell - 0.8, 1.0) * edge(shell - 6, 1)
    stains = np.stack((blue + 0.55 * (edges + rim), pink + 0.6 * (edges + rim)), axis=-1)
    return DrawnEgg(np.clip(stains, 0, None).astype(np.float32), shell > 0)


def _line(inside: Plane, width: float) -> Plane:
    line: Plane = np.exp(-((inside / np.float32(width)) ** 2))
    return line


def _interphase(brush: Brush, u: Plane, v: Plane) -> _Inside:
    rng = brush.rng
    nucleus, u, v = _nucleus(brush, u, v)
    net = 0.030 * (1 + 0.5 * brush.texture(2.5) + 0.35 * brush.texture(1.2))
    spot = brush.blob(u - np.float32(rng.uniform(-4, 4)), v, rng.uniform(2.2, 3.6), rng.uniform(2.2, 3.4), 0.05)
    chromatin = edge(nucleus, 1) * net + 0.09 * edge(spot, 1) + 0.045 * _line(nucleus - 0.5, 1.0)
    return _Inside(chromatin, np.zeros_like(u), _round(brush, u, v))


def _prophase(brush: Brush, u: Plane, v: Plane) -> _Inside:
    progress = brush.rng.beta(1.5, 1.2)
    nucleus, u, v = _nucleus(brush, u, v)
    # Threads run where a smooth noise crosses zero.
    threads = _line(brush.texture(2.5), 0.5) * (0.5 + 0.5 * _line(brush.texture(6.0) - 0.4, 0.9))
    chromatin = edge(nucleus - 1, 1) * (0.020 * (1 - progress) + (0.12 + 0.13 * progress) * threads)
    chromatin = chromatin + 0.03 * (1 - progress) * _line(nucleus - 0.5, 1.0)
    asters = 0.5 * progress * sum(_aster(brush, u - np.float32(side * 17), v) for side in (-1, 1))
    return _Inside(chromatin, np.asarray(asters, dtype=np.float32), _round(brush, u, v))


def _metaphase(brush: Brush, u: Plane, v: Plane) -> _Inside:
    rng = brush.rng
    u, v = _shifted(brush, u, v, 4)
    if rng.random() < 0.2:  # seen from a pole: four chromosomes beside one another
        turned = rng.uniform(0, np.pi) + np.arange(4) * np.pi / 2 + rng.normal(0, 0.2, 4)
        plate = np.max([_rod(brush, u, v, angle, 5.5) for angle in turned], axis=0)
        return _Inside(0.20 * edge(plate, 1), _aster(brush, u, v) * np.float32(0.5), _round(brush, u, v))
    plate = brush.bar(u, v, rng.uniform(2.8, 4.2), rng.uniform(10, 13.5))
    chromatin = 0.22 * edge(plate, 1) * (1 + 0.12 * brush.texture(1.2))
    return _Inside(chromatin, _spindle(brush, u, v, rng.uniform(17, 21)), _round(brush, u, v))


def _anaphase(brush: Brush, u: Plane, v: Plane) -> _Inside:
    rng = brush.rng
    progress = rng.beta(1.2, 1.2)
    u, v = _shifted(brush, u, v, 3)
    half = 4.5 + 9.5 * progress
    thick, long = rng.uniform(2.2, 3.2), rng.uniform(8.5, 11)
    # The arms trail behind, towards the middle.
    sets = [brush.bar(side * u - np.float32(half), v, thick, long, bend=-3.5) for side in (-1, 1)]
    chromatin = 0.21 * edge(np.maximum(*sets), 1) * (1 + 0.12 * brush.texture(1.2))
    longer = np.float32(1 + 0.10 * progress)
    return _Inside(chromatin, _spindle(brush, u, v, half + 9), _round(brush, u / longer, v * longer))


def _telophase(brush: Brush, u: Plane, v: Plane) -> _Inside:
    rng = brush.rng
    progress = rng.beta(1.3, 1.0)
    half = 15.5 + 5 * progress
    grown = rng.uniform(4.5, 5.5) + 3.5 * progress
    sets = [brush.blob(side * u - np.float32(half), v, grown * 0.8, grown * 1.2, 0.08) for side in (-1, 1)]
    chromatin = (0.20 - 0.10 * progress) * edge(np.maximum(*sets), 1) * (1 + 0.2 * brush.texture(1.2))
    both = [brush.blob(side * u - np.float32(18.5), v, 21.5, 29.0 + 3 * (1 - progress), 0.02) for side in (-1, 1)]
    neck = brush.blob(u, v, 20, 30 * (1 - progress) + 1, 0.02)
    midbody = 0.8 * _line(u, 1.5) * _line(v, 5.0)
    fibres = midbody + 0.5 * sum(_aster(brush, side * u - np.float32(half + 5), v) for side in (-1, 1))
    return _Inside(chromatin, np.asarray(fibres, dtype=np.float32), np.maximum.reduce([*both, neck]))


def _round(brush: Brush, u: Plane, v: Plane) -> Plane:
    radius = brush.rng.uniform(36.5, 41)
    return brush.blob(u, v, radius, radius * brush.rng.uniform(0.93, 1.0), 0.012)


def _nucleus(brush: Brush, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    u, v = _shifted(brush, u, v, 5)
    radius = brush.rng.uniform(10.5, 14)
    return brush.blob(u, v, radius, radius * brush.rng.uniform(0.85, 1), 0.03), u, v


def _shifted(brush: Brush, u: Plane, v: Plane, by: float) -> tuple[Plane, Plane]:
    along, aside = brush.rng.normal(0, by / 2, 2).astype(np.float32)
    return u - along, v - aside


def _rod(brush: Brush, u: Plane, v: Plane, angle: float, out: float) -> Plane:
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, aside = u * cos + v * sin, v * cos - u * sin
    return brush.bar(along - np.float32(out), aside, 1.8, brush.rng.uniform(4, 6.5), 1.5)


def _spindle(brush: Brush, u: Plane, v: Plane, pole: float) -> Plane:
    """Return fibres between two poles on the u axis, with an aster around each."""
    width = 8.5 * np.clip(1 - (u / np.float32(pole)) ** 2, 0, 1) + 0.5
    between = np.exp(-((v / width) ** 2)) * (np.abs(u) < pole)
    stripes = 1 + 0.35 * np.sin(v / width * 9 + np.float32(brush.rng.uniform(0, 6)))
    asters = sum(_aster(brush, u - np.float32(side * pole), v) for side in (-1, 1))
    return np.asarray(0.55 * between * stripes + asters, dtype=np.float32)


def _aster(brush: Brush, u: Plane, v: Plane) -> Plane:
    distance, angle = np.hypot(u, v), np.arctan2(v, u)
    rays = 1 + 0.5 * np.sin(angle * int(brush.rng.integers(9, 15)) + np.float32(brush.rng.uniform(0, 6)))
    return np.asarray(0.8 * np.exp(-distance / 7) * rays + 1.6 * np.exp(-((distance / 1.6) ** 2)), dtype=np.float32)


_DRAW: dict[str, Callable[[Brush, Plane, Plane], _Inside]] = {
    "interphase": _interphase,
    "prophase": _prophase,
    "metaphase": _metaphase,
    "anaphase": _anaphase,
    "telophase": _telophase,
}
