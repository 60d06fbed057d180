"""What changes when the pixels of a file change: a hash of its size, time of change and first bytes."""

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
    """Hash shape, dtype and up to `_HASHED_ROWS` rows spread over the first plane; enough to tell images apart."""
    plane = data[0, 0, 0]
    rows = np.ascontiguousarray(plane[:: max(1, plane.shape[0] // _HASHED_ROWS)])
    return hashlib.sha256(f"{data.shape} {data.dtype} ".encode() + rows.tobytes()).hexdigest()


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
