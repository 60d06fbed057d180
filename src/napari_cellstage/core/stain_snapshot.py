"""Images frozen for a worker that trains on stains or predicts them, and the way of its answers to the disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from napari_cellstage.core.predicted import Prediction
from napari_cellstage.core.whole_files import PART

if TYPE_CHECKING:
    from napari_cellstage.core.image_stack import ImageStack
    from napari_cellstage.core.stain_files import KeptPrediction

_PLACE = "stain-"


@dataclass(frozen=True)
class StainImage:
    """One image of the project as it was at the moment of the snapshot.

    Parameters
    ----------
    image_id, name
        Of the project.
    channel_names
        Of the file first, then those predicted; known without opening it.
    group
        What a split must not cut: the well, plate or donor where the project is split by it, else the image.
    opened
        Opens it, with its channels as they were; None when its file is missing or can't be read.
    """

    image_id: int
    name: str
    channel_names: tuple[str, ...]
    group: str
    opened: Callable[[], ImageStack | None]


@dataclass(frozen=True)
class StainSnapshot:
    """What training and prediction of stains may look at.

    Parameters
    ----------
    images
        In the order of the project.
    version
        For `session.add_stains`: an answer to a snapshot of another project is dropped.
    runs
        Folder for the run.
    cache
        Where a worker may write what `session.add_stains` takes over by moving it.
    """

    images: tuple[StainImage, ...]
    version: int
    runs: Path
    cache: Path

    def place(self, image_id: int) -> Path:
        """Return a folder that is not there yet, to predict into."""
        return self.cache / f"{_PLACE}{image_id}-{uuid4().hex}.zarr"

    def keep(self, image_id: int, prediction: Prediction) -> KeptPrediction:
        """Write a prediction in the way projects keep it, in the worker; `session.add_stains` then only moves it.

        Raises
        ------
        ImageError
            If it can't be written.
        """
        from napari_cellstage.core.stain_files import write_prediction

        return write_prediction(self.place(image_id), prediction)


def forget_untaken(cache: Path) -> None:
    """Delete predictions that nobody took over, whole or not: the program was closed, or the project changed."""
    for place in (*cache.glob(f"{_PLACE}*.zarr"), *cache.glob(f"{PART}{_PLACE}*.zarr")):
        shutil.rmtree(place, ignore_errors=True)
