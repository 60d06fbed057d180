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
        Folder to make for labels that are large; None: one that goes with the volume.
    dtype
        Of the labels.
    """
    if np.prod(shape, dtype=np.int64) * np.dtype(dtype).itemsize <= _IN_MEMORY:
        return LabelVolume.blank(shape, dtype)
    if scratch is not None:
        return LabelVolume.create(scratch, shape, dtype)
    folder = _ScratchFolder()
    volume = LabelVolume.create(folder.path / "labels.zarr", shape, dtype)
    volume.keep = folder
    return volume


class _ScratchFolder:
    """A temporary folder that is deleted with the last volume that keeps it, without the warning of `tempfile`."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="cellstage-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
