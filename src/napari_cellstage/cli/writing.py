"""Names of files, and label images as files: TIFF by tiles, or a Zarr folder with levels; never all in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_cellstage.cli.answers import OutputError, cannot_write
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.volumes import LabelVolume

_TILE = 512
_LARGE = 1 << 24  # pixels of a plane; a smaller one is written as it is, which every program reads


def safe_name(text: str) -> str:
    """Return a text, such as the name of a scene, as part of a file's name on every system."""
    return "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in text)


def write_labels(labels: Any, file: Path, largest: int | None = None) -> None:
    """Write labels where the name says: ``.zarr`` a folder with levels, anything else a TIFF.

    Parameters
    ----------
    labels
        ``(T, Z, Y, X)``, an array or a `LabelVolume`.
    file
        To write; its folder is made.
    largest
        The largest label, where it is known.

    Raises
    ------
    OutputError
        If it can't be written, or is there already and a folder.
    """
    volume = labels if isinstance(labels, LabelVolume) else LabelVolume.of(labels)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".zarr":
            _write_folder(volume, file)
        else:
            _write_tiff(volume, file, _largest(volume) if largest is None else largest)
    except OSError as error:
        raise cannot_write(file, error) from error


def _write_folder(volume: LabelVolume, folder: Path) -> None:
    if folder.exists():
        raise OutputError(f"'{folder}' is there already. Choose another name with --out, or remove it.")
    volume.write(folder)


def _write_tiff(volume: LabelVolume, file: Path, largest: int) -> None:
    # Not 8 bits, as such a label image is easily taken for a picture.
    dtype = np.dtype(np.uint16) if largest < 2**16 else volume.dtype
    frames, depth, height, width = volume.shape
    lengths = [n for n in (frames, depth) if n > 1]
    axes = "".join(axis for axis, length in zip("TZ", (frames, depth), strict=True) if length > 1) + "YX"
    whole = height * width <= _LARGE
    tifffile.imwrite(
        file,
        _planes(volume, dtype) if whole else _tiles(volume, dtype),
        shape=(*lengths, height, width),
        dtype=dtype,
        tile=None if whole else (_TILE, _TILE),
        compression="zlib",
        photometric="minisblack",  # else three planes would become a colour picture
        metadata={"axes": axes},
        bigtiff=frames * depth * height * width * dtype.itemsize > 2**31,
    )


def _planes(volume: LabelVolume, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    for t in range(volume.shape[0]):
        for z in range(volume.shape[1]):
            yield np.asarray(volume[t, z]).astype(dtype)


def _tiles(volume: LabelVolume, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """Yield tiles row by row, plane by plane; those at the edges smaller. A strip of them is read at a time."""
    frames, depth, height, width = volume.shape
    for t in range(frames):
        for z in range(depth):
            for top in range(0, height, _TILE):
                strip = np.asarray(volume[t, z, top : min(top + _TILE, height)]).astype(dtype)
                for left in range(0, width, _TILE):
                    yield strip[:, left : left + _TILE]


def _largest(volume: LabelVolume) -> int:
    table = volume.cells if volume.cells is not None else CellTable.from_labels(volume)
    return int(table.cell_id.max(initial=0))
