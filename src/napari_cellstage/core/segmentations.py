"""The segmentations of a project on disk: label volumes, each with the table of its cells. Never overwritten."""

from __future__ import annotations

import contextlib
import shutil
import struct
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.errors import CellsError, ProjectError
from napari_cellstage.core.volumes import LabelVolume
from napari_cellstage.core.whole_files import reason_of, write_whole

# Volumes up to this size are worked on in memory; larger ones are read from the disk as they are looked at.
LARGEST_IN_MEMORY = 256 * 1024**2
# What reading a missing, cut-off or damaged file raises.
_BROKEN = (OSError, ValueError, RuntimeError, IndexError, KeyError, EOFError, struct.error, zlib.error,
           zipfile.BadZipFile)  # fmt: skip


class Segmentations:
    """Label volumes by image and version.

    Parameters
    ----------
    folder
        The project's folder.
    in_memory
        Whether volumes that are not large are read as a whole.
    """

    def __init__(self, folder: Path, in_memory: bool = True) -> None:
        self._largest = LARGEST_IN_MEMORY if in_memory else 0
        self._folder = folder / "labels"
        self._cache = folder / "cache"

    def write(self, image_id: int, version: int, labels: LabelVolume, cells: CellTable) -> LabelVolume:
        """Store a volume and its cells; return it as it is to be worked on.

        A volume on disk that lies in the project's cache is moved here, not copied.
        """
        place = self._place(image_id, version)
        write_whole(place.with_suffix(".cells.npz"), lambda path: _write_cells(path, cells))
        if labels.folder is not None and labels.folder.is_relative_to(self._cache) and not labels.painted:
            _move(labels.folder, place)
            return LabelVolume.open(place)
        stored = labels.write(place)
        return labels.frozen() if labels.nbytes <= LARGEST_IN_MEMORY and not labels.on_disk else stored

    def labels(self, image_id: int, version: int, shape: tuple[int, ...]) -> LabelVolume:
        """Read a volume.

        Raises
        ------
        ProjectError
            If it can't be read.
        """
        place = self._place(image_id, version)
        old = place.with_suffix(".tif")  # of a project of format 1
        try:
            if not place.exists() and old.exists():
                import tifffile  # slow to load

                return LabelVolume.of(np.asarray(tifffile.imread(old)).reshape(shape))
            volume = LabelVolume.open(place)
            if tuple(volume.shape) != tuple(shape):
                raise ValueError(f"its shape is {volume.shape}, not {shape}")
            return LabelVolume.of(np.asarray(volume)) if volume.nbytes <= self._largest else volume
        except (CellsError, *_BROKEN) as error:
            raise _unreadable(image_id, place, reason_of(error)) from error

    def check(self, image_id: int, version: int) -> None:
        """Raise `ProjectError` when a volume is not there; whether it can be read shows when it is read."""
        place = self._place(image_id, version)
        if not place.is_dir() and not place.with_suffix(".tif").is_file():
            raise _unreadable(image_id, place, "it is not there")

    def cells(self, image_id: int, version: int) -> CellTable | None:
        """Return the stored table of a volume's cells; None when it has to be measured."""
        try:
            with np.load(self._place(image_id, version).with_suffix(".cells.npz"), allow_pickle=False) as arrays:
                return CellTable(**{one.name: arrays[one.name] for one in fields(CellTable)})
        except _BROKEN:
            return None

    def forget(self, image_id: int, version: int) -> None:
        """Delete a version that nothing refers to any more."""
        place = self._place(image_id, version)
        shutil.rmtree(place, ignore_errors=True)
        for suffix in (".tif", ".cells.npz"):
            with contextlib.suppress(OSError):
                place.with_suffix(suffix).unlink(missing_ok=True)

    def _place(self, image_id: int, version: int) -> Path:
        return self._folder / f"{image_id}-{version}.zarr"


def _unreadable(image_id: int, place: Path, reason: str) -> ProjectError:
    return ProjectError(
        f"The cells of image {image_id} can't be read from '{place}': {reason}. "
        "Its labels are safe in the journal. Bring the file back from a copy, or find the cells anew."
    )


def _write_cells(path: Path, cells: CellTable) -> None:
    with path.open("wb") as file:
        np.savez(file, **{one.name: getattr(cells, one.name) for one in fields(CellTable)})


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(exist_ok=True)
        source.replace(target)
    except OSError as error:
        raise ProjectError(
            f"The cells can't be put into '{target}': {reason_of(error)}. This change was not made; everything before "
            "it is safe. Free disk space or check the drive, and do it again."
        ) from error
