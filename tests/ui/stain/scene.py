"""Images with transmitted light, and what networks would say of them, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_cellstage.core.images import ImageStack, from_array
from napari_cellstage.stain.events import StainEpoch, StainPicture
from napari_cellstage.stain.prediction import StainPrediction
from napari_cellstage.stain.verdicts import Verdict

SIDE = 32


def image(name: str, channels: tuple[str, ...] = ("phase", "DNA"), planes: int = 1, frames: int = 1) -> ImageStack:
    """An image whose channels are noise, another in each image."""
    rng = np.random.default_rng(sum(map(ord, name)))
    pixels = rng.integers(0, 1000, (frames, len(channels), planes, SIDE, SIDE)).astype(np.uint16)
    return from_array(pixels, "TCZYX", name, channel_names=channels)


def prediction(
    stack: ImageStack, stains: tuple[str, ...] = ("DNA",), level: Any = "like", text: str = "It looks like them."
) -> StainPrediction:
    """What a model might say of an image."""
    frames, _, planes, height, width = stack.shape
    shape = (frames, len(stains), planes, height, width)
    mean = np.random.default_rng(0).random(shape, dtype=np.float32)
    verdicts = tuple(Verdict(level, text, 0.0 if level == "like" else 0.7, 0.1) for _ in range(frames))
    unlike = np.zeros((frames, 1, 1, 4, 4), np.float32)
    return StainPrediction(stains, mean, mean / 10, unlike, (8.0, 8.0), verdicts, tuple(range(frames)))


def epoch(number: int, epochs: int = 3, **r: float) -> StainEpoch:
    """One epoch of a training, with a picture of its stains."""
    stains = tuple(r) or ("DNA",)
    truth = np.linspace(0, 100, 12 * 16 * len(stains), dtype=np.float32).reshape(len(stains), 12, 16)
    picture = StainPicture(stains, truth[0], truth, truth + 10, np.full_like(truth, 10))
    return StainEpoch(number, epochs, 1 / number, r or {"DNA": 0.5}, 50.0, picture)
