"""Features of all cells of an image as one file, so that a new model on the same cells needs no pixel of them.

`FeatureCache` knows a cell by its pixels, which must be cut out to be compared. Here an image is known by what
`ImageSnapshot.content` says, together with all that decides how its cells are cut and measured. The files may be
deleted at any time; where they can't be read or written, work goes on without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.feature_cache import FEATURE_VERSION
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.learn.measure import Measure
from napari_cellstage.learn.recipe import Recipe

Values = NDArray[np.float32]
LARGEST_TABLE = 256 * 1024**2
LARGEST_FOLDER = 2 * 1024**3
CUT_BY = ("crop_size", "crop", "crop_um", "margin", "surroundings", "planes", "planes_count", "normalise")


class FeatureTables:
    """Files of features, one an image and way to measure.

    Parameters
    ----------
    folder
        The project's cache folder; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "features"

    def get(self, key: str, cells: int) -> Values | None:
        """Return ``(N, F)`` features that were kept, read as they are used; None where there are none."""
        file = self._folder / f"{key}.npy"
        try:
            found: Values = np.load(file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return found if found.ndim == 2 and len(found) == cells and found.dtype == np.float32 else None

    def put(self, key: str, features: Values) -> None:
        """Keep features, and let go of the oldest where all take much room."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            beside = self._folder / f"{key}.part"
            with beside.open("wb") as file:
                np.save(file, features)
            beside.replace(self._folder / f"{key}.npy")
            self._make_room()

    def _make_room(self) -> None:
        files = sorted(self._folder.glob("*.npy"), key=lambda one: one.stat().st_mtime)
        total = sum(one.stat().st_size for one in files)
        for file in files[:-1]:
            if total <= LARGEST_FOLDER:
                return
            total -= file.stat().st_size
            file.unlink()


def table_key(
    image: ImageSnapshot,
    channels: tuple[int, ...],
    recipe: Recipe,
    measure: Measure,
    uses_masks: bool,
    plate: Sequence[ImageStack] = (),
) -> str:
    """Return what names the features of an image's cells; empty where nobody can tell whether they are the same.

    Parameters
    ----------
    image
        With its cells.
    channels, recipe, plate
        How cells are cut out; see `Cutter`.
    measure, uses_masks
        How crops are measured.
    """
    if not image.content:
        return ""
    stack = image.stack
    told = (
        FEATURE_VERSION,
        image.content,
        stack.own_shape,
        stack.pixel_size_um,
        stack.tile,
        channels,
        [getattr(recipe, name) for name in CUT_BY],
        measure.normalisation,
        measure.settings,
        uses_masks,
        [one.identity(channels) for one in plate],
        *((stack.pixels.identity(channels),) if stack.pixels.identity(channels) else ()),
    )
    return blake2b(repr(told).encode(), digest_size=16).hexdigest()
