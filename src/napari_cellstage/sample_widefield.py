"""Synthetic widefield fluorescence pictures of microtubules: light of a cell, and what an 8-bit camera makes of it.

Lengths are pixels of about 0.1 micrometres. Gain and offset differ from picture to picture, so that brightness alone
tells nothing of a cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_cellstage.sample_filaments import Network, Nucleus
from napari_cellstage.sample_outlines import Floats, Outline

_COARSE = 4  # haze and the cell's body are worked out on pixels so many times larger
_NEAR_BLUR = 3.0  # of what lies a micrometre or two beside the focus
_TUBULIN = 0.7  # of a cell, on each pixel of it, in pixels of single filaments
_BACKGROUND = 0.12
_READ_NOISE = 4.0  # photons


@dataclass(frozen=True)
class Microscope:
    """How a microscope was set on a day.

    Parameters
    ----------
    blur
        Deviation of the point spread.
    haze
        Share of the light that comes from above and below the focus.
    photons
        Of a pixel's length of one filament.
    lamp
        Where the light is brightest, y and x, in half pictures from the middle; and how far it falls off.
    """

    blur: float
    haze: float
    photons: float
    lamp: tuple[float, float, float]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Microscope:
        """Draw the settings of a day."""
        y, x = rng.uniform(-0.6, 0.6, 2)
        blur, haze, photons = rng.uniform((1.05, 0.7, 30), (1.4, 1.2, 70))
        return cls(float(blur), float(haze), float(photons), (float(y), float(x), float(rng.uniform(0.08, 0.3))))


@dataclass(frozen=True)
class Place:
    """Where a cell lies in a picture.

    Parameters
    ----------
    shape
        Of the picture; whole multiples of 4.
    y, x
        The cell's middle.
    """

    shape: tuple[int, int]
    y: float
    x: float

    def grid(self, step: int = 1) -> tuple[Floats, Floats]:
        """Return y and x of each pixel from the cell's middle, or of each block of so many pixels a side."""
        inside = (step - 1) / 2
        y = np.arange(inside, self.shape[0], step, dtype=np.float32)[:, None] - np.float32(self.y)
        x = np.arange(inside, self.shape[1], step, dtype=np.float32)[None] - np.float32(self.x)
        shape = (y.size, x.size)
        return np.broadcast_to(y, shape), np.broadcast_to(x, shape)


def cell_light(
    rng: np.random.Generator, network: Network, outline: Outline, nucleus: Nucleus, place: Place, haze: float
) -> Floats:
    """Return the light of a cell: filaments, those out of focus, haze, and tubulin that is in no filament.

    Cells have tubulin in proportion to their size; what is in filaments is missing elsewhere.

    Parameters
    ----------
    rng
        Source of chance.
    network, outline, nucleus
        The cell.
    place
        Where it lies.
    haze
        As of `Microscope`.

    Returns
    -------
    ndarray
        ``place.shape`` before the point spread; 1 is a pixel's length of one filament.
    """
    sharp, over = (_splat(network, light, place) for light in (network.light, network.over))
    whole = sharp + over
    near = _smaller(whole)
    far = gaussian_filter(near, rng.uniform(2.0, 3.5))
    body = _body(outline, nucleus, place)
    share = rng.uniform(0.3, 0.6)
    soft = body * np.float32(share * near.sum() / body.sum()) + np.float32(haze) * far
    light = sharp + gaussian_filter(over + soft.repeat(_COARSE, 0).repeat(_COARSE, 1), _NEAR_BLUR)
    return np.asarray(light * np.float32(_TUBULIN * outline.area / light.sum()), dtype=np.float32)


def photographed(rng: np.random.Generator, light: Floats, microscope: Microscope, level: float) -> NDArray[np.uint8]:
    """Send light through optics and camera: point spread, uneven light, shot and read noise, gain.

    Parameters
    ----------
    rng
        Source of chance.
    light
        ``(Y, X)``, as of `cell_light`.
    microscope
        Its settings.
    level
        Mean gray value, of 255, that the gain is set for; it varies around that.
    """
    focus = rng.gamma(1.5, 0.25)
    seen = gaussian_filter(light, float(np.hypot(microscope.blur, focus))) + np.float32(_BACKGROUND)
    photons = seen * _lit(light.shape, microscope) * np.float32(microscope.photons)
    # At these counts shot noise is as good as normal.
    noise = rng.standard_normal(light.shape, dtype=np.float32) * np.sqrt(photons + np.float32(_READ_NOISE**2))
    gain = level * rng.lognormal(0, 0.28) / photons.mean()
    gray = (photons + noise) * np.float32(gain) + np.float32(rng.uniform(2, 10))
    return np.asarray(np.clip(np.rint(gray), 0, 255), dtype=np.uint8)


def _lit(shape: tuple[int, ...], microscope: Microscope) -> Floats:
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in shape)
    lamp_y, lamp_x, fall = (np.float32(one) for one in microscope.lamp)
    return np.asarray(1 - fall / 2 * ((y[:, None] - lamp_y) ** 2 + (x[None] - lamp_x) ** 2), dtype=np.float32)


def _splat(network: Network, light: Floats, place: Place) -> Floats:
    """Add points to the four pixels around each; those outside the picture are lost."""
    height, width = place.shape
    y, x = network.y + np.float32(place.y), network.x + np.float32(place.x)
    seen = (light > 0) & (y >= 0) & (x >= 0) & (y < height - 1) & (x < width - 1)
    y, x, light = y[seen], x[seen], light[seen]
    top, left = y.astype(np.intp), x.astype(np.intp)
    down, right = y - top, x - left
    pixel, low, high = top * width + left, light * (1 - down), light * down
    planes = np.zeros(height * width)
    for step, part in ((0, low), (width, high)):
        planes += np.bincount(pixel + step, part * (1 - right), height * width)
        planes += np.bincount(pixel + step + 1, part * right, height * width)
    return planes.reshape(height, width).astype(np.float32)


def _smaller(light: Floats) -> Floats:
    height, width = light.shape
    blocks = light.reshape(height // _COARSE, _COARSE, width // _COARSE, _COARSE)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _body(outline: Outline, nucleus: Nucleus, place: Place) -> Floats:
    """Return how thick the cell is over each block of pixels, without its nucleus: highest in the middle."""
    y, x = place.grid(_COARSE)
    share = outline.share(y, x)
    thick = np.clip((1 - share) / 0.06, 0, 1) * (1 + 1.3 * np.exp(-((share / 0.55) ** 2)))
    in_nucleus = np.clip((1.05 - nucleus.share(y, x)) / 0.12, 0, 1)
    return np.asarray(thick * (1 - 0.55 * in_nucleus), dtype=np.float32)
