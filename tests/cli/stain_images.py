"""Tiny files of transmitted light and stain for the tests of `stain ...`, and a recipe that is quick."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter, laplace

NAMES = ("bright field", "DNA", "actin")
TINY = """name = "tiny"
filters = 4
levels = 2
patch = 16
batch_size = 4
epochs = 2
patches = 16
views = 1
holdout = 0.25
validation = 0.0
device = "cpu"
"""


def pixels(seed: int, side: tuple[int, int] = (40, 48), depth: int = 1) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Return ``(C, Z, Y, X)``: blobs of two stains, and light that they take away and bend."""
    rng = np.random.default_rng(seed)
    stains = []
    for width in (2.0, 3.0):
        dots = np.zeros(side)
        dots[rng.integers(4, side[0] - 4, 8), rng.integers(4, side[1] - 4, 8)] = rng.uniform(0.5, 1.5, 8)
        planes = [gaussian_filter(dots, width + abs(z - (depth - 1) / 2)) * 12 * width**2 for z in range(depth)]
        stains.append(1000 * np.stack(planes))
    light = 20_000 - 2 * stains[0] - 4 * np.stack([laplace(gaussian_filter(plane, 1)) for plane in stains[0]])
    noisy = np.stack([light, *stains]) + rng.normal(0, 10, (3, depth, *side)) + 200
    return noisy.clip(0, 65535).astype(np.uint16)


def write(file: Path, values: np.ndarray[Any, Any], names: Sequence[str] = NAMES, um: float | None = 0.5) -> Path:
    """Write ``(C, Z, Y, X)``, or ``(T, C, Z, Y, X)``, as OME-TIFF with channel names."""
    file.parent.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {"axes": "TCZYX"[-values.ndim :], "Channel": {"Name": list(names)}}
    if um is not None:
        sizes = {f"PhysicalSize{axis}": um for axis in "XYZ"} | {f"PhysicalSize{axis}Unit": "µm" for axis in "XYZ"}
        about |= sizes
    tifffile.imwrite(file, values, ome=True, photometric="minisblack", metadata=about)
    return file


def last_json(result: Any) -> dict[str, Any]:
    """Return the line of JSON that a command ends with."""
    values = json.loads(result.stdout.splitlines()[-1])
    assert isinstance(values, dict)
    return values


def words(text: str) -> str:
    """Return text without its line breaks."""
    return " ".join(text.split())
