"""Drawing one synthetic HeLa-like cell of a given stage: DNA, tubulin, mask. `sample_data` makes fields of them.

Each stage is drawn with a random progress within the stage, so that neighbouring stages run into one another as they
do in life: late prophase looks like prometaphase, late anaphase like telophase, late telophase like two small cells.
Lengths are pixels of about 0.4 micrometres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Plane = NDArray[np.floating[Any]]
TILE = 128
STAGES = ("interphase", "prophase", "prometaphase", "metaphase", "anaphase", "telophase")
# Half of the room a cell's DNA takes up, so that nuclei touch now and then but seldom lie on one another.
REACH = dict(zip(STAGES, (20.0, 21.0, 19.0, 17.0, 21.0, 28.0), strict=True))
_TEXTURE_SIZE = 512


@dataclass(frozen=True)
class DrawnCell:
    """One cell on a ``(TILE, TILE)`` tile: brightness of DNA and tubulin (interphase is about 1), mask of its DNA."""

    dna: Plane
    tubulin: Plane
    mask: NDArray[np.bool_]


class Brush:
    """Coordinates, noise and random numbers for drawing; one for a whole field.

    Parameters
    ----------
    rng
        The only source of chance.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        middle = np.arange(TILE, dtype=np.float32) - TILE / 2
        self._y, self._x = np.meshgrid(middle, middle, indexing="ij")
        self._textures = {sigma: self._make_texture(sigma) for sigma in (1.2, 2.5, 6.0)}

    def turned(self, angle: float) -> tuple[Plane, Plane]:
        """Return coordinates u, v of a frame turned by `angle`; spindles lie along u."""
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        return self._x * cos + self._y * sin, self._y * cos - self._x * sin

    def texture(self, sigma: float) -> Plane:
        """Return noise of mean 0 and deviation 1 whose grains have about this size: 1.2, 2.5 or 6."""
        top, left = self.rng.integers(0, _TEXTURE_SIZE - TILE, 2)
        grains: Plane = self._textures[sigma][top : top + TILE, left : left + TILE]
        return grains

    def blob(self, u: Plane, v: Plane, a: float, b: float, rough: float, lobes: int = 4) -> Plane:
        """Return about how many pixels each pixel lies inside an ellipse of half-axes a, b with a wavy outline."""
        scaled_u, scaled_v = u / a, v / b
        angle = np.arctan2(scaled_v, scaled_u)
        outline = np.ones_like(u)
        for order in range(2, lobes + 1):
            height = self.rng.normal(0, rough / np.sqrt(order - 1))
            outline += np.float32(height) * np.cos(order * angle + np.float32(self.rng.uniform(0, 2 * np.pi)))
        inside: Plane = (outline - np.hypot(scaled_u, scaled_v)) * np.float32(np.sqrt(a * b))
        return inside

    def bar(self, u: Plane, v: Plane, half_width: float, half_length: float, bend: float = 0.0) -> Plane:
        """Return about how many pixels each pixel lies inside a ragged bar along v, its ends bent towards +u."""
        bent = u - np.float32(bend) * (v / half_length) ** 2
        ragged = half_width * (1 + 0.22 * self.texture(2.5))
        inside: Plane = np.minimum(ragged - np.abs(bent), half_length * (1 + 0.1 * self.texture(6.0)) - np.abs(v))
        return inside

    def _make_texture(self, sigma: float) -> Plane:
        noise = gaussian_filter(self.rng.standard_normal((_TEXTURE_SIZE, _TEXTURE_SIZE), dtype=np.float32), sigma)
        grains: Plane = noise / noise.std()
        return grains


def draw_cell(stage: str, brush: Brush) -> DrawnCell:
    """Draw one cell of a stage out of `STAGES`, with its own angle, size, brightness and progress."""
    rng = brush.rng
    u, v = brush.turned(rng.uniform(0, 2 * np.pi))
    inside, texture, tubulin = _DRAW[stage](brush, u, v)
    dna = edge(inside, 1.2) * np.clip(texture, 0.05, None) * np.float32(rng.lognormal(0, 0.2))
    tubulin = np.clip(tubulin, 0, None) * np.float32(rng.lognormal(0, 0.2))
    return DrawnCell(dna.astype(np.float32), tubulin.astype(np.float32), inside > 0)


def edge(inside: Plane, softness: float) -> Plane:
    """Turn pixels inside an outline into coverage 0..1 with an edge that is soft over so many pixels."""
    coverage: Plane = np.clip(0.5 + inside / np.float32(2 * softness), 0, 1)
    return coverage


def _interphase(brush: Brush, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    rng = brush.rng
    copies = rng.uniform(1, 2)
    a = 16.5 * np.sqrt(copies) * rng.uniform(0.92, 1.08)
    b = a * rng.uniform(0.62, 0.92)
    inside = brush.blob(u, v, a, b, rng.choice((0.03, 0.05, 0.09)))
    grain = rng.uniform(0.08, 0.22)
    texture = 1 + grain * brush.texture(2.5) + 0.5 * grain * brush.texture(1.2)
    texture -= _nucleoli(brush, u, v, a, b, depth=0.45)
    return inside, texture, _spread_body(brush, u, v, a, b, inside)


def _prophase(brush: Brush, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    rng = brush.rng
    progress = rng.beta(1.6, 1.2)
    a = rng.uniform(19, 23)
    b = a * rng.uniform(0.72, 0.95)
    inside = brush.blob(u, v, a, b, 0.03 + 0.03 * progress)
    threads = np.clip(brush.texture(1.2), -1, 2.5) * (0.18 + 0.42 * progress)
    texture = 1.05 + 0.35 * progress + threads - _nucleoli(brush, u, v, a, b, depth=0.4 * (1 - progress))
    tubulin = _spread_body(brush, u, v, a, b, inside) * (1 - 0.25 * progress)
    spread = rng.uniform(0.3, 1.0)
    for side in (-1, 1):
        tubulin += _aster(brush, u - np.float32(side * a * spread), v - np.float32(b * 0.6), 1.1 + progress)
    return inside, texture, tubulin


def _prometaphase(brush: Brush, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    rng = brush.rng
    progress = rng.uniform(0, 1)
    a = rng.uniform(15, 18) - 5.5 * progress
    b = rng.uniform(14.5, 18)
    inside = brush.blob(u, v, a, b, 0.09, lobes=7) + 1.3 * brush.texture(2.5)
    hole = rng.uniform(0, 0.85) * np.exp(-((u / (0.45 * a)) ** 2 + (v / (0.5 * b)) ** 2))
    texture = (1.65 + 0.55 * progress) * (1 + 0.28 * brush.texture(1.2) - hole)
    pole = 13 + 5 * progress
    tubulin = _round_body(brush, u, v, 29, 29) + (0.4 + 0.9 * progress) * _spindle(brush, u, v, pole, 12)
    return inside, texture, tubulin


def _metaphase(brush: Brush, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    rng = brush.rng
    tilt = rng.beta(1, 5)
    inside = brush.bar(u, v, rng.uniform(4.2, 5.6) + 5 * tilt, rng.uniform(15, 19))
    texture = (2.8 - 0.8 * tilt) * (1 + 0.14 * brush.texture(1.2))
    pole = rng.uniform(18, 22) * (1 - 0.5 * tilt)
    return inside, texture, _round_body(brush, u, v, 30, 28) + 2.0 * _spindle(brush, u, v, pole, 13)


def _anaphase(brush: Brush, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    rng = brush.rng
    progress = rng.beta(1.2, 1.2)
    half = 6.0 + 10.5 * progress
    length = rng.uniform(13.5, 16.5) - 2.5 * progress
    # The arms trail behind the poles' pull, so the ends of both bars point to the middle.
    left = brush.bar(-u - np.float32(half), v, rng.uniform(3.2, 4.2), length, bend=-2.5)
    right = brush.bar(u - np.float32(half), v, rng.uniform(3.2, 4.2), length, bend=-2.5)
    texture = 2.6 * (1 + 0.14 * brush.texture(1.2))
    tubulin = _round_body(brush, u, v, 31 + 6 * progress, 27 - 3 * progress)
    tubulin += (1.7 - 0.5 * progress) * _spindle(brush, u, v, half + 9, 12)
    return np.maximum(left, right), texture, tubulin


def _telophase(brush: Brush, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    rng = brush.rng
    progress = rng.uniform(0, 1)
    half = 17 + 9 * progress
    a, b = 5.2 + 4.5 * progress * rng.uniform(0.6, 1.1), rng.uniform(12, 14.5)
    daughters = [(side, _daughter(brush, u, v, side * half)) for side in (-1, 1)]
    inside = np.maximum(*(brush.blob(du, dv, a, b, 0.05) for _, (du, dv) in daughters))
    texture = (2.3 - 1.0 * progress) * (1 + 0.14 * brush.texture(2.5) + 0.08 * brush.texture(1.2))
    bodies = [_round_body(brush, u - np.float32(side * (half + 2)), v, 19, 23) for side, _ in daughters]
    bridge = np.exp(-((v / (2.2 - 0.6 * progress)) ** 2)) * edge(half - 3 - np.abs(u), 5)
    waist = np.exp(-((v / 8) ** 2)) * edge(half - 4 - np.abs(u), 6) * (1 - progress)
    streaks = 1 + 0.3 * np.sin(2.1 * v + rng.uniform(0, 6))
    return inside, texture, np.maximum(*bodies) + 2.6 * bridge + 1.2 * waist * streaks


def _daughter(brush: Brush, u: Plane, v: Plane, shift: float) -> tuple[Plane, Plane]:
    """Return coordinates of a daughter nucleus, slightly turned and off the axis, as cells roll apart."""
    angle = brush.rng.normal(0, 0.22)
    moved_u, moved_v = u - np.float32(shift), v - np.float32(brush.rng.normal(0, 2))
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return moved_u * cos + moved_v * sin, moved_v * cos - moved_u * sin


def _nucleoli(brush: Brush, u: Plane, v: Plane, a: float, b: float, depth: float) -> Plane:
    rng = brush.rng
    dark = np.zeros_like(u)
    for _ in range(rng.integers(1, 5)):
        cu, cv = rng.uniform(-0.5, 0.5) * a, rng.uniform(-0.5, 0.5) * b
        dark += np.exp(-((u - np.float32(cu)) ** 2 + (v - np.float32(cv)) ** 2) / np.float32(rng.uniform(4, 14)))
    return np.float32(depth) * np.clip(dark, 0, 1)


def _spread_body(brush: Brush, u: Plane, v: Plane, a: float, b: float, nucleus: Plane) -> Plane:
    """Draw the microtubules of a flat cell: fibres around the nucleus that thin out to a wavy edge."""
    rng = brush.rng
    shift_u, shift_v = rng.normal(0, 4, 2)
    body = brush.blob(u - np.float32(shift_u), v - np.float32(shift_v), a + 17, b + 17, 0.13)
    angle = np.arctan2(v, u) + 0.12 * brush.texture(6.0)
    fibres = sum(np.sin(k * angle + np.float32(rng.uniform(0, 6))) for k in (17, 29, 43))
    thinning = np.exp(-np.clip(-nucleus, 0, None) / np.float32(rng.uniform(14, 24)))
    light = edge(body, 7) * thinning * (1 + 0.1 * fibres + 0.16 * brush.texture(1.2))
    light = light * (1 - 0.55 * edge(nucleus, 3))
    cap_u, cap_v = a * rng.uniform(-0.9, 0.9), b * rng.choice((-0.9, 0.9))
    cap = np.exp(-((u - np.float32(cap_u)) ** 2 + (v - np.float32(cap_v)) ** 2) / np.float32(150))
    return np.asarray(light * (1 + rng.uniform(0, 0.9) * cap), dtype=np.float32)


def _round_body(brush: Brush, u: Plane, v: Plane, a: float, b: float) -> Plane:
    inside = brush.blob(u, v, a, b, 0.03)
    return edge(inside, 5) * (0.75 + 0.1 * brush.texture(2.5) + 0.05 * brush.texture(1.2))


def _spindle(brush: Brush, u: Plane, v: Plane, pole: float, half_width: float) -> Plane:
    """Draw fibres between two poles at ``u = -pole`` and ``u = pole``, and the light around the poles."""
    rng = brush.rng
    narrowing = np.sqrt(np.clip(1 - (u / pole) ** 2, 0.02, 1))
    across = v / (half_width * narrowing)
    fibres = 1 + 0.35 * np.sin(11 * across + np.float32(rng.uniform(0, 6))) + 0.1 * brush.texture(1.2)
    lens = edge((1 - np.abs(across)) * half_width * narrowing, 2) * edge(pole - np.abs(u), 2)
    light = 0.75 * lens * fibres
    for side in (-1, 1):
        light = light + 0.8 * np.exp(-((u - np.float32(side * pole * 0.95)) ** 2 + v**2) / np.float32(22))
    return np.asarray(light, dtype=np.float32)


def _aster(brush: Brush, u: Plane, v: Plane, level: float) -> Plane:
    distance = np.hypot(u, v)
    rays = 1 + 0.5 * np.sin(9 * np.arctan2(v, u) + np.float32(brush.rng.uniform(0, 6)))
    light = np.exp(-((distance / 2.2) ** 2)) + 0.45 * rays * np.exp(-distance / 7)
    return np.asarray(level * light, dtype=np.float32)


_DRAW: dict[str, Callable[[Brush, Plane, Plane], tuple[Plane, Plane, Plane]]] = {
    "interphase": _interphase,
    "prophase": _prophase,
    "prometaphase": _prometaphase,
    "metaphase": _metaphase,
    "anaphase": _anaphase,
    "telophase": _telophase,
}
