"""Predicted stains on disk: a Zarr group with mean, uncertainty and the map of what is unlike the training images.

``mean-0`` and ``uncertainty-0`` are ``(T, S, Z, Y, X)`` float32, ``-1`` their every second pixel, and so on, as for
label volumes. What is not there is NaN, which no prediction is: a lost chunk is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.predicted import Prediction, worst
from napari_cellstage.core.volumes import blocks_of, levels_of
from napari_cellstage.core.whole_files import reason_of, whole_folder

CHUNK = 1024
KINDS = ("mean", "uncertainty")
_FORMAT = "cellstage stains"


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
        ``(T, S, Z, Y, X)`` of what was predicted.
    times
        The image's time points of axis T.
    verdict, text
        The worst of all time points.
    """

    folder: Path
    stain_names: tuple[str, ...]
    shape: tuple[int, ...]
    times: tuple[int, ...]
    verdict: str = ""
    text: str = ""


class StainFiles:
    """The arrays of one prediction on disk, opened when pixels are first asked for.

    Parameters
    ----------
    kept
        Where they are, and their shape.
    step
        How many pixels of the image one of the coarse map is high and wide.
    levels
        How many levels there are.
    gaps
        Whether there are pixels without a value; where there are none, a missing value is a missing file.
    """

    def __init__(self, kept: KeptPrediction, step: tuple[float, float], levels: int, gaps: bool) -> None:
        self.kept, self.step, self.levels, self.gaps = kept, step, levels, gaps
        self._arrays: dict[str, Any] = {}

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what `write_prediction` noted, in a millisecond: without its pixels, and without loading Zarr.

        Raises
        ------
        ImageError
            If it isn't there, isn't whole, or isn't readable.
        """
        try:
            told = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))["attributes"]
            if told["format"] != _FORMAT:
                raise ValueError("it holds no predicted stains")
            shape, times = (tuple(map(int, told[name])) for name in ("shape", "times"))
            names = tuple(map(str, told["stain_names"]))
            kept = KeptPrediction(folder, names, shape, times, str(told["verdict"]), str(told["text"]))
            step_y, step_x = map(float, told["step"])
            return cls(kept, (step_y, step_x), int(told["levels"]), bool(told["gaps"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(folder, error) from error

    def read(self, name: str, index: tuple[Any, ...]) -> NDArray[np.float32]:
        """Return a part of an array such as ``"mean-0"``, by slices with steps forward, or lists along one axis.

        Raises
        ------
        ImageError
            If it can't be read, or a chunk of it is lost.
        """
        try:
            if name not in self._arrays:
                import zarr  # half a second

                self._arrays[name] = zarr.open_array(self.kept.folder / name, mode="r")
            values = np.asarray(self._arrays[name][index], dtype=np.float32)
        except Exception as error:  # the store, its JSON and its codecs each raise their own kinds
            raise _unreadable(self.kept.folder, error) from error
        if not self.gaps and not np.isfinite(values).all() and name != "unlike":
            raise _unreadable(self.kept.folder, ValueError("a part of it is lost"))
        return values


def write_prediction(folder: Path, prediction: Prediction) -> KeptPrediction:
    """Write a prediction chunk by chunk beside its place, flush it to the disk, and give it its name.

    Raises
    ------
    ImageError
        If it can't be written, or has no shape ``(T, S, Z, Y, X)``.
    """
    shape = tuple(int(n) for n in prediction.mean.shape)
    names, times = tuple(prediction.stain_names), tuple(int(t) for t in prediction.times)
    if len(shape) != 5 or shape[:2] != (len(times), len(names)) or tuple(prediction.uncertainty.shape) != shape:
        raise ImageError(
            f"A prediction of {len(names)} stains for {len(times)} time points can't have the shape {shape} with an "
            f"uncertainty of {tuple(prediction.uncertainty.shape)}: T, S, Z, Y, X are needed. Predict it again."
        )
    verdict, text = worst(prediction.verdicts)
    kept = KeptPrediction(folder, names, shape, times, verdict, text)
    try:
        with whole_folder(folder) as beside:
            _write(beside, kept, prediction)
    except OSError as error:
        raise ImageError(
            f"The predicted stains can't be written to '{folder}': {reason_of(error)}. Nothing was changed. Free disk "
            "space or check the drive, and predict them again."
        ) from error
    return kept


def _write(folder: Path, kept: KeptPrediction, prediction: Prediction) -> None:
    import zarr  # half a second

    group = zarr.open_group(folder, mode="w")
    levels, gaps = levels_of(kept.shape), False
    for kind in KINDS:
        arrays = [_new_array(group, f"{kind}-{level}", kept.shape, level) for level in range(levels)]
        for index in _blocks(kept.shape):
            values = np.asarray(getattr(prediction, kind)[index], dtype=np.float32)
            gaps = gaps or not bool(np.isfinite(values).all())
            arrays[0][index] = values
        for fine, coarse in pairwise(arrays):
            for t, s, z, rows, columns in _blocks(coarse.shape):
                twice = (slice(2 * rows.start, 2 * rows.stop), slice(2 * columns.start, 2 * columns.stop))
                coarse[t, s, z, rows, columns] = fine[(t, s, z, *twice)][::2, ::2]
    unlike = np.asarray(prediction.unlike, dtype=np.float32)
    group.create_array("unlike", data=unlike, chunks=(1, 1, 1, *unlike.shape[3:]))
    told = {name: value for name, value in asdict(kept).items() if name != "folder"}
    judged = [{"level": one.level, "text": one.text} for one in prediction.verdicts]
    step = [float(one) for one in prediction.step]
    note = "Stains predicted from transmitted light: nobody measured them."
    group.update_attributes(
        told | {"format": _FORMAT, "step": step, "levels": levels, "gaps": gaps, "verdicts": judged, "note": note}
    )


def _new_array(group: Any, name: str, shape: tuple[int, ...], level: int) -> Any:
    from zarr.codecs import BloscCodec

    *outer, height, width = shape
    halved = (-(-height // 2**level), -(-width // 2**level))
    return group.create_array(
        name, shape=(*outer, *halved), chunks=(1, 1, 1, *(min(CHUNK, n) for n in halved)), dtype=np.float32,
        compressors=BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle"), fill_value=np.nan,
        dimension_names=("t", "s", "z", "y", "x"),
    )  # fmt: skip


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[int, int, int, slice, slice]]:
    """Yield t, s, z, rows and columns of blocks that cover an array once, each a whole chunk."""
    frames, stains, *volume = shape
    for s, (t, z, rows, columns) in product(range(stains), blocks_of((frames, *volume), CHUNK)):
        yield t, s, z, rows, columns


def _unreadable(folder: Path, error: BaseException) -> ImageError:
    return ImageError(
        f"The predicted stains in '{folder}' can't be read: {reason_of(error)}. Bring the folder back from a copy, or "
        "predict them again."
    )
