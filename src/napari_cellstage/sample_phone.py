"""What a phone on a paper microscope makes of a stained slide: colours, the round dark-edged field, dust, JPEG.

A paper microscope has one ball lens: sharp in the middle only, colours part towards the edge, the field is round.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import affine_transform, gaussian_filter
from skimage.color import combine_stains, rgb_from_hed
from skimage.draw import bezier_curve, disk

Floats = NDArray[np.float32]
Photograph = NDArray[np.uint8]
_FIELD = 0.98  # radius of the round field, in half heights of the picture


@dataclass(frozen=True)
class Phone:
    """A phone, lamp and slide as they were for one photograph.

    Parameters
    ----------
    white
        How bright red, green and blue are where nothing is stained, 0 to 1.
    parting
        By which share red is larger than green, and blue smaller.
    focus, edge_blur
        Deviation of the blur in the middle and at the edge of the field, in pixels of a picture 900 high.
    noise
        Deviation, of 255.
    quality
        Of the JPEG, 0 to 100.
    """

    white: tuple[float, float, float]
    parting: float
    focus: float
    edge_blur: float
    noise: float
    quality: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Phone:
        """Draw a phone, a lamp and a hand that focuses."""
        warm, tint, light = rng.normal(0, 0.045), rng.normal(0, 0.02), rng.uniform(0.78, 0.93)
        white = (light * (1 + warm), light * (0.98 - tint), light * (0.97 - warm))
        parting, focus, edge_blur, noise = rng.uniform((0.0012, 0.7, 2.2, 2.5), (0.0035, 1.5, 4.0, 5.0))
        return cls(white, parting, focus, edge_blur, noise, int(rng.integers(58, 84)))


@dataclass(frozen=True)
class View:
    """Which part of the microscope's field a picture shows.

    Parameters
    ----------
    shape
        Of the picture.
    top, left
        Of its first pixel in the whole photograph.
    whole
        Shape of the whole photograph.
    """

    shape: tuple[int, int]
    top: int
    left: int
    whole: tuple[int, int]

    @property
    def scale(self) -> float:
        """Pixels to one of a picture 900 high."""
        return self.whole[0] / 900

    def out(self) -> tuple[Floats, Floats]:
        """Return y and x of each pixel from the middle of the field, in half heights."""
        half = self.whole[0] / 2
        y = (np.arange(self.shape[0], dtype=np.float32) + np.float32(self.top - half)) / np.float32(half)
        x = (np.arange(self.shape[1], dtype=np.float32) + np.float32(self.left - self.whole[1] / 2)) / np.float32(half)
        return y[:, None], x[None]


def photographed(rng: np.random.Generator, stains: Floats, phone: Phone, view: View) -> Photograph:
    """Photograph a slide.

    Parameters
    ----------
    rng
        Source of chance.
    stains
        ``(Y, X, 2)`` density of haematoxylin and eosin; 0.1 is dark.
    phone
        What takes the picture.
    view
        Which part of the field it is.

    Returns
    -------
    ndarray
        ``(Y, X, 3)`` as it comes out of the JPEG file.
    """
    three = np.concatenate((stains, np.zeros_like(stains[..., :1])), axis=-1)
    # Colours of the stains after Ruifrok and Johnston (2001), Anal Quant Cytol Histol 23:291.
    light = np.asarray(combine_stains(three, rgb_from_hed), dtype=np.float32) * (1 - _dust(rng, view))[..., None]
    light = np.stack([_parted(light[..., c], 1 + (1 - c) * phone.parting, view) for c in range(3)], axis=-1)
    y, x = view.out()
    out = np.hypot(y, x)
    light = _blurred(light, out, phone, view.scale) * np.array(phone.white, dtype=np.float32)
    light *= _vignette(rng, y, x)[..., None]
    gray = 255 * light ** np.float32(0.92) + _sensor_noise(rng, light.shape, phone.noise)
    return jpeg(np.clip(np.rint(gray), 0, 255).astype(np.uint8), phone.quality)


def jpeg(picture: Photograph, quality: int) -> Photograph:
    """Return what is left of a picture after it was a JPEG file, with colours at half the resolution."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=2)
    return np.array(Image.open(file))


def _parted(light: Floats, scale: float, view: View) -> Floats:
    """Return one colour drawn larger or smaller around the middle of the field."""
    middle = np.array([view.whole[0] / 2 - view.top, view.whole[1] / 2 - view.left])
    return np.asarray(affine_transform(light, [1 / scale] * 2, middle * (1 - 1 / scale), order=1, mode="nearest"))


def _blurred(light: Floats, out: Floats, phone: Phone, scale: float) -> Floats:
    near, far = (gaussian_filter(light, (b * scale, b * scale, 0)) for b in (phone.focus, phone.edge_blur))
    share = (np.clip(out, 0, 1) ** np.float32(2.5))[..., None]
    return np.asarray(near * (1 - share) + far * share, dtype=np.float32)


def _vignette(rng: np.random.Generator, y: Floats, x: Floats) -> Floats:
    """Return the light of the round field: brightest beside the middle, dark outside with a faint glow."""
    beside_y, beside_x = rng.normal(0, 0.12, 2).astype(np.float32)
    falling = 1 - np.float32(0.22) * ((y - beside_y) ** 2 + (x - beside_x) ** 2)
    out = np.hypot(y, x)
    open_share = 1 / (1 + np.exp((out - np.float32(_FIELD)) / np.float32(0.012)))
    glow = np.float32(0.035) * np.exp(-np.maximum(out - np.float32(_FIELD), 0) / np.float32(0.12))
    return np.asarray(np.clip(falling, 0.2, 1) * open_share + glow, dtype=np.float32)


def _dust(rng: np.random.Generator, view: View) -> Floats:
    """Return how dark specks and hairs on the lens are, 0 to 1; about a dozen on a whole field."""
    dark = np.zeros(view.shape, dtype=np.float32)
    height, width = view.shape
    share = height * width / (view.whole[0] * view.whole[1])
    for _ in range(rng.poisson(13 * share)):
        radius = view.scale * rng.lognormal(0.9, 0.6)
        middle = rng.uniform(0, height), rng.uniform(0, width)
        dark[disk(middle, radius, shape=view.shape)] = rng.uniform(0.2, 0.75)  # type: ignore[no-untyped-call]
    for _ in range(rng.poisson(1.5 * share)):
        start = rng.uniform(0, 1, 2) * view.shape
        bend, end = start + rng.normal(0, 60 * view.scale, (2, 2))
        y0, x0, y1, x1, y2, x2 = (int(one) for one in (*start, *bend, *end))
        hair = bezier_curve(y0, x0, y1, x1, y2, x2, 1.5, view.shape)  # type: ignore[no-untyped-call]
        dark[hair] = 0.9
    return np.asarray(gaussian_filter(dark, 1.3 * view.scale), dtype=np.float32)


def _sensor_noise(rng: np.random.Generator, shape: tuple[int, ...], deviation: float) -> Floats:
    """Return noise with the blotches of colour that a phone's own filter leaves."""
    fine = rng.standard_normal(shape, dtype=np.float32)
    blotches = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), (1.5, 1.5, 0)) * np.float32(3.0)
    return np.asarray(np.float32(deviation) * (np.float32(0.6) * fine + np.float32(0.5) * blotches))
