"""samples.md: what the synthetic samples look like."""

from __future__ import annotations

import numpy as np
from PIL import Image

from napari_cellstage.sample_eggs import EGG_STAGES
from napari_cellstage.sample_microtubules import DOSES, PER_DAY, draw_crop
from napari_cellstage.sample_photographs import PER_SLIDE, draw_photograph, photograph_field

from .places import PICTURES

COLUMNS = 6


def make() -> None:
    """Make the pictures."""
    cells = np.vstack([np.hstack([draw_crop(0, dose, PER_DAY * n) for n in range(COLUMNS)]) for dose in DOSES])
    _save(cells, 1080, "samples-microtubules.jpg")
    eggs = [np.hstack([draw_photograph(0, stage, PER_SLIDE * n) for n in range(COLUMNS)]) for stage in EGG_STAGES]
    _save(np.vstack(eggs), 672, "samples-eggs.jpg")
    field = np.asarray(photograph_field().stack.data)[0, :, 0]
    _save(np.ascontiguousarray(np.moveaxis(field, 0, -1)), 800, "samples-photograph.jpg")


def _save(pixels: np.ndarray, width: int, name: str) -> None:
    height = round(pixels.shape[0] * width / pixels.shape[1])
    picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    picture.save(PICTURES / name, quality=80, comment="SYNTHETIC")
