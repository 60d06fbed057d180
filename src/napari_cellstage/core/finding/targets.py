"""Where labels go as they are made: in memory, or on disk where they are large."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellstage.core.volumes import LabelVolume

_IN_MEMORY = 1 << 29


def target_for(shape: tuple[int, int, int, int], scratch: Path | None, dtype: Any = np.int32) -> LabelVolume:
    """Return an empty volume to fill with `put`.

    Parameters
    ----------
    shape
        T, Z, Y, X.
    scratch
        Folder to make for labels that are large; None: a temporary one. It goes with the volume, unless a project
        has taken it.
    dtype
        Of the labels.
    """
    if np.prod(shape, dtype=np.int64) * np.dtype(dtype).itemsize <= _IN_MEMORY:
        return LabelVolume.blank(shape, dtype)
    place = Path(tempfile.mkdtemp(prefix="cellstage-")) / "labels.zarr" if scratch is None else scratch
    volume = LabelVolume.create(place, shape, dtype)
    volume.keep = _ScratchFolder(place.parent if scratch is None else place)
    return volume


class _ScratchFolder:
    """A folder that is deleted with the last volume that keeps it, where it was not moved into a project meanwhile."""

    def __init__(self, path: Path) -> None:
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
