"""What unstained synthetic cells do to light: how much they delay it, and what a phase contrast microscope makes of it.

A cell delays light by how thick it is and by what it is made of: the cytoplasm and its granules, a nucleus that is a
little less dense, nucleoli and condensed chromosomes that are denser. The picture of these delays is then computed by
wave optics. So it is no copy of the stain: much of the stain can be told from it, but how bright a nucleus is stained
leaves no trace, and debris delays light without any stain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import distance_transform_edt, gaussian_filter

from napari_cellstage.sample_cells import Brush, DrawnCell

Plane = NDArray[np.floating[Any]]
WAVELENGTH_UM, APERTURE = 0.55, 0.6
_RING_UM = 9.0  # structures wider than that are taken for background by the ring: halos and shade-off
_RING_LIGHT = 0.55  # how much of the unscattered light the ring lets through
_SPREAD, _ROUND = 1.3, 2.6  # radians by which a flat and a rounded cell delay light
_FLAT = ("interphase", "prophase")
_PHOTONS, _OFFSET, _READ_NOISE = 9000.0, 100.0, 4.0


def delay_of(cell: DrawnCell, stage: str, brush: Brush) -> Plane:
    """Return ``(TILE, TILE)`` radians by which a cell delays light.

    Parameters
    ----------
    cell, stage
        The cell that was drawn, and its stage: dividing cells are round, all others flat.
    brush
        Where its granules are from.
    """
    body = (gaussian_filter(cell.tubulin, 2.0) > 0.1) | cell.mask
    inside, nucleus = (distance_transform_edt(mask).astype(np.float32) for mask in (body, cell.mask))
    flat = stage in _FLAT
    height = _SPREAD * (1 - np.exp(-inside / 7)) if flat else _ROUND * np.sqrt(np.clip(inside / 18, 0, 1))
    granules = 0.16 * np.clip(brush.texture(1.2), 0, 3) * (1 - np.exp(-inside / 4)) * (nucleus == 0)
    delay = gaussian_filter(height, 1.2) + granules
    if not flat:
        return np.asarray(delay + 0.9 * (1 - np.exp(-nucleus / 2)), dtype=np.float32)
    rim = 0.3 * np.exp(-((nucleus - 1) ** 2) / 2) * cell.mask
    dense = np.clip(1 - cell.dna / np.maximum(gaussian_filter(cell.dna, 5.0), 1e-3), 0, 1) * (nucleus > 3)
    return np.asarray(delay - 0.3 * (1 - np.exp(-nucleus / 4)) + rim + 1.6 * dense, dtype=np.float32)


def debris(rng: np.random.Generator, size: int, pieces: int) -> Plane:
    """Return ``(size, size)`` radians of small things that delay light and take up no stain."""
    points = np.zeros((size, size), dtype=np.float32)
    y, x = rng.integers(0, size, (2, pieces))
    points[y, x] = rng.uniform(10, 40, pieces)
    return np.asarray(gaussian_filter(points, 1.4) + 0.4 * gaussian_filter(points, 3.0), dtype=np.float32)


@dataclass(frozen=True)
class PhaseContrast:
    """A phase contrast microscope with its camera.

    Light that was not scattered passes the ring, which dims it and shifts it by a quarter of a wave, so that delays
    become darkness; what is wider than the ring can tell gets a bright halo. Focus is moved by the angular spectrum
    method (Goodman, Introduction to Fourier Optics, section 3.10), in its paraxial form.

    Parameters
    ----------
    pixel_um
        Side of a pixel.
    """

    pixel_um: float

    def picture(
        self, delay: Plane, planes_um: tuple[float, ...], lamp: tuple[float, float], rng: np.random.Generator
    ) -> NDArray[np.uint16]:
        """Return ``(Z, Y, X)`` counts of a camera, one plane a focus.

        Parameters
        ----------
        delay
            ``(Y, X)`` radians.
        planes_um
            Focus of each plane, 0 in the cells.
        lamp
            Where illumination is brightest, in half fields from the middle.
        rng
            Source of the noise.
        """
        y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in delay.shape), indexing="ij")
        light = 1.05 - 0.15 * ((y - lamp[0]) ** 2 + (x - lamp[1]) ** 2)
        planes = np.stack([self._intensity(delay, z) for z in planes_um]) * light
        counts = rng.poisson(planes * _PHOTONS) / 2 + rng.normal(_OFFSET, _READ_NOISE, planes.shape)
        return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)

    def _intensity(self, delay: Plane, z_um: float) -> Plane:
        """Return ``(Y, X)`` intensity at a focus; 1 is the empty background."""
        fy, fx = (fft.fftfreq(n, self.pixel_um).astype(np.float32) for n in delay.shape)
        squared = fy[:, None] ** 2 + fx[None] ** 2
        straight = np.exp(-squared * np.float32((2 * np.pi * _RING_UM / 2) ** 2 / 2))
        ring = 1 - straight - 1j * _RING_LIGHT * straight
        pupil = squared <= (APERTURE / WAVELENGTH_UM) ** 2
        focus = np.exp(-1j * np.pi * WAVELENGTH_UM * z_um * squared)
        wave = fft.ifft2(fft.fft2(np.exp(1j * delay)) * ring * pupil * focus)
        blur = 0.5 + 0.25 * abs(z_um)  # the lamp is no point, so that out of focus fringes fade
        return np.asarray(gaussian_filter(np.abs(wave) ** 2, blur) / _RING_LIGHT**2, dtype=np.float32)
