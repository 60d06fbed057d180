"""Predicted stains on disk: a Zarr group with mean, uncertainty and the map of what is unlike the training images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_cellstage.core.predicted import Prediction


@dataclass(frozen=True)
class KeptPrediction:
    """A prediction that is on the disk as a whole.

    Parameters
    ----------
    folder
        Where.
    stain_names
        One a stain.
    shape
        ``(T, S, Z, Y, X)``.
    verdict, text
        The worst of all time points.
    """

    folder: Path
    stain_names: tuple[str, ...]
    shape: tuple[int, ...]
    verdict: str
    text: str


def write_prediction(folder: Path, prediction: Prediction) -> KeptPrediction:
    """Write a prediction chunk by chunk beside its place, flush it to the disk, and give it its name.

    Raises
    ------
    ImageError
        If it can't be written, or has no shape ``(T, S, Z, Y, X)``.
    """
    raise NotImplementedError
