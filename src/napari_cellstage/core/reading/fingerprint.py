"""What changes when pixels change: of a file its size, time of change and first bytes; of an array some rows."""

from __future__ import annotations

import hashlib
import os
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.reading.series_names import is_pattern, members
from napari_cellstage.core.reading.zarr_layout import attributes

_HASHED_BYTES = 1 << 16
_HASHED_ROWS = 4096
_HASHED_PLANES = 64
_HASHED_PLANE_BYTES = 256 * 1024**2
_HASHED_FILES = 64


def of_file(path: Path, scene: str, place: Path | None = None) -> str:
    """Return the fingerprint of one image.

    Parameters
    ----------
    path
        Its file, its Zarr folder, or the folder of its series.
    scene
        Which image of the file; of a series its pattern.
    place
        The folder of the image within a Zarr folder.
    """
    if path.is_dir():
        files = list(members(path, scene).values()) if is_pattern(scene) else _of_zarr(place or path)
        head = b"" if is_pattern(scene) else repr(attributes(place or path)).encode()
    else:
        files, head = [path], _head(path)
    facts = " ".join(f"{file.name} {stat.st_size} {stat.st_mtime_ns}" for file in files for stat in [file.stat()])
    # The name of a file is none of its pixels: it may be renamed.
    facts = facts.removeprefix(f"{path.name} ") if files == [path] else facts
    return hashlib.sha256(f"{facts} ".encode() + head + scene.encode()).hexdigest()


def of_array(data: Any) -> str:
    """Hash shape, dtype and rows spread over planes of all time points, channels and depths.

    Work is bounded whatever the size: up to `_HASHED_PLANES` planes, the first and the last among them, fewer where
    planes are large, and `_HASHED_ROWS` rows in all.
    """
    made = hashlib.sha256(f"{data.shape} {data.dtype} ".encode())
    count = int(np.prod(data.shape[:3]))
    planes = np.unique(np.linspace(0, count - 1, min(count, _planes_of(data))).round().astype(int))
    step = max(1, data.shape[3] * len(planes) // _HASHED_ROWS)
    for t, c, z in zip(*np.unravel_index(planes, data.shape[:3]), strict=True):
        made.update(np.ascontiguousarray(data[int(t), int(c), int(z), ::step]).tobytes())
    return made.hexdigest()


def _planes_of(data: Any) -> int:
    """Return how many planes may be read: of a lazy array whole ones are, whatever is hashed of them."""
    plane = int(np.prod(data.shape[3:])) * int(data.dtype.itemsize)
    return min(_HASHED_PLANES, max(8, _HASHED_PLANE_BYTES // max(plane, 1)))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HASHED_BYTES)


def _of_zarr(folder: Path) -> list[Path]:
    """Return what describes a Zarr image and its arrays, and the first pieces of them: not all of a million."""
    found: list[Path] = []
    waiting = [folder]
    while waiting and len(found) < _HASHED_FILES:
        with os.scandir(waiting.pop(0)) as entries:
            some = sorted(islice(entries, _HASHED_FILES), key=lambda entry: entry.name)
        found += [Path(entry) for entry in some if entry.is_file()]
        waiting += [Path(entry) for entry in some if entry.is_dir()]
    return found[:_HASHED_FILES]
