"""Predicted stains as a file of their own: OME-TIFF or OME-Zarr, whose names and metadata say that they are predicted.

Loads no torch.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.exporting.source import ExportError
from napari_cellstage.core.image_stack import ImageStack
from napari_cellstage.core.predicted import free_name
from napari_cellstage.core.whole_files import reason_of, whole_folder
from napari_cellstage.stain.ome_writing import Facts, write_tiff, write_zarr
from napari_cellstage.stain.prediction import StainPrediction

ENDINGS = (".tif", ".tiff", ".zarr")


@dataclass(frozen=True, eq=False)
class Answer:
    """What one model says of an image.

    Parameters
    ----------
    run
        Name of the model's run folder.
    prediction
        The stains that it predicts.
    inputs
        Names of the channels that it looked at.
    """

    run: str
    prediction: StainPrediction
    inputs: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What is predicted, by which model, of what, and the verdict: sentences for metadata."""
        stains, worst = ", ".join(self.prediction.stain_names), self.prediction.worst
        looked_at = f" from {', '.join(self.inputs)}" if self.inputs else ""
        judged = f" Verdict: {worst.level}. {worst.text}" if worst is not None else ""
        return f"{stains}: predicted{looked_at} by the model '{self.run}'.{judged}"


@dataclass(frozen=True)
class _Channel:
    """Where the pixels of one channel of the file are: which array of the answer, and which stain in it."""

    name: str
    pixels: Any
    stain: int
    rows: tuple[int, ...]


class Predicted:
    """Predicted stains of one image as the channels of a file, read part by part.

    Parameters
    ----------
    stack
        The image.
    answers
        One a model; a stain that a second model predicts, too, is named after its run.
    uncertainty
        Whether the uncertainty of each stain is a channel, too, after all stains.

    Raises
    ------
    ExportError
        If the models predict planes of different numbers, or no time point was reached.
    """

    def __init__(self, stack: ImageStack, answers: Sequence[Answer], *, uncertainty: bool = False) -> None:
        self.stack = stack
        self.answers = tuple(answers)
        reached = [set(one.prediction.times) for one in self.answers]
        self.times = tuple(sorted(set.intersection(*reached))) if reached else ()
        if not self.times:
            raise ExportError(f"No time point of '{stack.name}' was predicted, so there is nothing to write.")
        depths = {one.prediction.mean.shape[2] for one in self.answers}
        if len(depths) > 1:
            told = ", ".join(f"{one.prediction.mean.shape[2]} by '{one.run}'" for one in self.answers)
            raise ExportError(
                f"The models predict different numbers of planes ({told}), which do not fit into one file. Write the "
                "answer of each model into its own file."
            )
        self._channels = (*self._of("mean"), *(self._of("uncertainty") if uncertainty else ()))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the channels, such as ``"DNA (predicted)"``."""
        return tuple(one.name for one in self._channels)

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """T, C, Z, Y, X."""
        depth, height, width = self.answers[0].prediction.mean.shape[2:]
        return len(self.times), len(self._channels), depth, height, width

    def read(self, t: int, c: int, z: int, rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return ``(h, w)`` float32 of one plane of one channel."""
        one = self._channels[c]
        return np.asarray(one.pixels[one.rows[t], one.stain, z, rows, columns], dtype=np.float32)

    @cached_property
    def facts(self) -> Facts:
        """What the file says of itself."""
        step = self.stack.time_step_s if self.times == tuple(range(self.times[0], self.times[-1] + 1)) else None
        about = "PREDICTED by napari-cellstage, not measured. " + " ".join(one.note for one in self.answers)
        return Facts(
            self.stack.name,
            self.names,
            self.stack.pixel_size_um,
            step,
            f"{about} Image: '{self.stack.name}'.",
            self._plain(),
        )

    def _plain(self) -> dict[str, Any]:
        """Return the same for programs."""
        models = [
            {
                "run": one.run,
                "inputs": list(one.inputs),
                "stains": list(one.prediction.stain_names),
                "verdicts": [verdict.to_dict() for verdict in one.prediction.verdicts],
            }
            for one in self.answers
        ]
        return {"predicted": True, "image": self.stack.name, "models": models, "times": list(self.times)}

    def _of(self, kind: str) -> list[_Channel]:
        found: list[_Channel] = []
        for one in self.answers:
            rows = tuple(one.prediction.times.index(t) for t in self.times)
            for place, stain in enumerate(one.prediction.stain_names):
                name = free_name(stain, one.run, [channel.name for channel in found])
                pixels = getattr(one.prediction, kind)
                found.append(_Channel(name, pixels, place, rows))
        if kind == "mean":
            return found
        return [replace(one, name=one.name.replace("(predicted", "(uncertainty")) for one in found]


def check_place(file: Path, overwrite: bool = False) -> None:
    """Raise `ExportError` where predicted stains can't go: before a prediction that may take hours."""
    if file.suffix.lower() not in ENDINGS:
        raise ExportError(
            f"'{file.name}' does not say in which format to write. Give it one of the endings .ome.tif and .ome.zarr."
        )
    if file.exists() and not overwrite:
        raise ExportError(f"'{file}' is there already. Choose another name, or add --overwrite.")


def write_predicted(predicted: Predicted, file: Path, overwrite: bool = False) -> None:
    """Write predicted stains as OME-Zarr (``.zarr``) or OME-TIFF, whole or not at all.

    Raises
    ------
    ExportError
        If the name has another ending, something is there already, or it can't be written.
    """
    check_place(file, overwrite)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix.lower() == ".zarr":
            _write_folder(predicted, file)
        else:
            _write_file(predicted, file)
    except OSError as error:
        raise ExportError(
            f"'{file}' can't be written: {reason_of(error)}. Choose another place, or make room."
        ) from error


def _write_folder(predicted: Predicted, folder: Path) -> None:
    with whole_folder(folder) as beside:
        write_zarr(beside, predicted.shape, predicted.read, predicted.facts)
        if folder.is_dir():
            shutil.rmtree(folder)


def _write_file(predicted: Predicted, file: Path) -> None:
    beside = file.with_name(f".part-{file.name}")
    try:
        write_tiff(beside, predicted.shape, predicted.read, predicted.facts)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def verdict_lines(answer: Answer) -> list[str]:
    """Return what to say of how far an answer can be trusted: of each time point where there are several.

    Time points with the same words are said together.
    """
    prediction = answer.prediction
    words: dict[str, list[int]] = {}
    for t, verdict in zip(prediction.times, prediction.verdicts, strict=True):
        words.setdefault(f"{verdict.level}: {verdict.text}", []).append(t)
    if len(prediction.times) == 1 or len(words) == 1:
        return list(words)
    return [f"time point{'s' * (len(times) > 1)} {_listed(times)}: {text}" for text, times in words.items()]


def _listed(times: Sequence[int], most: int = 8) -> str:
    shown = ", ".join(map(str, times[:most]))
    return shown if len(times) <= most else f"{shown} and {len(times) - most} more"
