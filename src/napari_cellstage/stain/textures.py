"""At which shift the looks of transmitted light tell most of a stain's texture.

Light and stain look different, and which look of the light goes with the stain differs from microscope to microscope:
a cell may be brighter, darker, or only rougher than the ground. So the light is looked at in several ways, blurred and
by its edges, fine and coarse. At each shift, the mix of these looks is taken that is nearest to the stain's edges, and
how much of them it tells, the squared multiple correlation, is a map with its peak at the shift sought. With one look
this is the cross-correlation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Pixels. Light blurred more than this is mostly halo, which light that falls in aslant makes stronger on one side.
_BLURS, _EDGES = (1.0, 3.0), (1.0, 3.0, 9.0)
_FARTHEST = 0.25  # of a side; more leaves too little to compare
_SHRINKAGE = 0.02  # looks that are nearly the same would be played off against each other
_LEAST_SIDE = 8


def looks(planes: Sequence[NDArray[np.float32]]) -> Plane:
    """Return the looks of transmitted light.

    Parameters
    ----------
    planes
        ``(h, w)`` each: channels, and planes of the stack. NaN is allowed.

    Returns
    -------
    ndarray
        ``(looks, h, w)`` float32.
    """
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    found = []
    for plane in planes:
        whole = _whole(plane)
        found += [gaussian_filter(whole, scale) for scale in _BLURS]
        found += [gaussian_filter(gaussian_gradient_magnitude(whole, scale), scale) for scale in _EDGES]
    return np.stack(found)


def texture(planes: Sequence[NDArray[np.float32]]) -> Plane:
    """Return ``(h, w)``: where stains have edges, each of them counting alike; zero where none has any."""
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    edges = [gaussian_filter(gaussian_gradient_magnitude(_whole(plane), 1), 2) for plane in planes]
    return np.asarray(np.mean([_standard(one) for one in edges], axis=0))


def best_shift(light: Plane, stain: Plane) -> tuple[int, int, float] | None:
    """Return where the looks of the light tell most of the stain's texture.

    Parameters
    ----------
    light
        ``(looks, h, w)``, see `looks`.
    stain
        ``(h, w)``, see `texture`.

    Returns
    -------
    tuple or None
        By how many pixels the stain is to be moved down and to the right, and how much is told then beyond what is told
        at any shift, as a correlation from 0 to 1. None where there is no texture.
    """
    height, width = stain.shape
    if min(height, width) < _LEAST_SIDE:
        return None
    fade = np.outer(*(np.hanning(n + 2)[1:-1] for n in (height, width))).astype(np.float32)  # borders are no texture
    seen, sought = _unit(light * fade), _unit(stain[None] * fade)
    seen = seen[seen.any(axis=(1, 2))]
    if not len(seen) or not sought.any():
        return None
    told = _told(seen, sought[0])
    far = [int(_FARTHEST * n) for n in told.shape]
    near = np.fft.fftshift(told)[
        tuple(slice(n // 2 - by, n // 2 + by + 1) for n, by in zip(told.shape, far, strict=True))
    ]
    down, right = np.unravel_index(int(near.argmax()), near.shape)
    chance, best = float(np.median(told)), float(near.max())
    return int(down) - far[0], int(right) - far[1], max(0.0, (best - chance) / max(1 - chance, 1e-6)) ** 0.5


def _told(seen: Plane, sought: Plane) -> Plane:
    """Return ``(h, w)``: the squared multiple correlation at every shift, which goes around at the borders."""
    from scipy.fft import irfft2, rfft2

    flat = seen.reshape(len(seen), -1)
    alike = (flat @ flat.T).astype(np.float64) + _SHRINKAGE * np.eye(len(flat))
    apart = np.linalg.solve(np.linalg.cholesky(alike), np.eye(len(flat))).astype(np.float32)
    turned = np.conj(rfft2(sought))
    mixed = (apart @ flat).reshape(seen.shape)  # uncorrelated with each other, so what each tells adds up
    return np.asarray(np.sum([irfft2(rfft2(one) * turned, s=sought.shape) ** 2 for one in mixed], axis=0))


def _whole(plane: NDArray[np.float32]) -> Plane:
    known = np.isfinite(plane)
    filled = np.where(known, plane, np.median(plane[known]) if known.any() else 0.0)
    return _standard(filled.astype(np.float32))


def _standard(values: Plane) -> Plane:
    spread = float(values.std())
    flat = spread <= 1e-6 * float(np.abs(values).max())
    return np.zeros_like(values) if flat else (values - values.mean()) / spread


def _unit(planes: Plane) -> Plane:
    """Return planes of mean 0 and length 1; those without any texture as zero."""
    middle = planes - planes.mean(axis=(1, 2), keepdims=True)
    length = np.linalg.norm(middle, axis=(1, 2), keepdims=True)
    return np.where(length > 1e-5, middle / np.maximum(length, 1e-5), 0).astype(np.float32)
