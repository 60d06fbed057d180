"""The cells of a bundle as files: class folders of TIFFs with the pixels that were trained on, and their masks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.exporting.crops import write_tiff
from napari_cellstage.core.exporting.places import distinct_names, safe_name
from napari_cellstage.core.pictures import read_picture
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.run_labels import RunLabels
from napari_cellstage.sharing.contents import CROPS, MASKS, BundleError

_STEP = 64  # files between two signs of progress
_LONGEST = 110  # characters of a file's name


def picture_names(labels: RunLabels) -> list[str]:
    """Return where the picture of each cell goes, relative to the bundle: a folder a class, one name a cell."""
    classes = sorted(set(labels.classes))
    folders = dict(zip(classes, distinct_names(classes), strict=True))
    found = [""] * len(labels)
    for name in classes:
        rows = [row for row, one in enumerate(labels.classes) if one == name]
        for row, stem in zip(rows, distinct_names(_stem(labels.names[row]) for row in rows), strict=True):
            found[row] = f"{CROPS}/{folders[name]}/{stem}.tif"
    return found


def original_names(labels: RunLabels) -> list[str]:
    """Return the file or image that each cell is from, relative to its data."""
    return [name.rpartition("#")[0] or name for name in labels.names]


def write_pictures(
    folder: Path, names: Sequence[str], data: TrainingSet, should_stop: Callable[[], bool]
) -> Generator[BatchDone, None, None]:
    """Write a TIFF a cell, and the masks in one file where there are any; a stop ends it in between."""
    for name in {str(PurePosixPath(one).parent) for one in names}:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for row, name in enumerate(names):
        if row % _STEP == 0:
            yield BatchDone("writing cells", row, len(names))
            if should_stop():
                return
        write_tiff(folder / name, data.crops[row])
    if data.masks is not None:
        np.savez_compressed(folder / MASKS, masks=np.packbits(data.masks, axis=-1))


def read_pictures(
    folder: Path, names: Sequence[str], shape: tuple[int, ...], dtype: str, should_stop: Callable[[], bool]
) -> Generator[BatchDone, None, NDArray[Any]]:
    """Return ``(N, C, H, W)`` pixels of files.

    Raises
    ------
    BundleError
        If one can't be read, or is of another size than the bundle says.
    """
    crops = np.empty((len(names), *shape), dtype=dtype)
    for row, name in enumerate(names):
        if row % _STEP == 0:
            yield BatchDone("reading cells", row, len(names))
            if should_stop():
                break
        picture = read_picture(folder / name)
        if isinstance(picture, str):
            raise BundleError(f"'{name}' of the bundle {picture}. Get the bundle again from where it came.")
        if picture.shape != shape:
            raise BundleError(f"'{name}' of the bundle has the shape {picture.shape}, but {shape} was trained on.")
        crops[row] = picture
    return crops


def read_masks(file: Path, count: int, height: int, width: int) -> NDArray[np.bool_]:
    """Return ``(N, H, W)``; which pixels are the cell.

    Raises
    ------
    BundleError
        If they are damaged, or of other cells.
    """
    wanted = (count, height, -(-width // 8))
    try:
        if not is_zipfile(file):
            raise ValueError("it holds no arrays")
        with ZipFile(file) as archive:
            if sum(one.file_size for one in archive.infolist()) > int(np.prod(wanted)) + 1000:
                raise ValueError("it is larger than the masks of these cells")
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as found:
            packed = found["masks"]
        if packed.shape != wanted or packed.dtype != np.uint8:
            raise ValueError(f"it is {packed.dtype} {packed.shape}, not uint8 {wanted}")
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as e:
        raise BundleError(f"'{MASKS}' of the bundle can't be used: {e}. Get the bundle again.") from e
    return np.unpackbits(packed, axis=-1, count=width).astype(bool)


def _stem(name: str) -> str:
    """Return a file's name for a cell, without its ending: of a crop its own, of an image with time and number."""
    before, sign, after = name.rpartition("#")
    ids = after.split("/")
    if sign and len(ids) == 3:
        return f"{safe_name(PurePosixPath(before).stem)[:_LONGEST]}_t{ids[1]:0>3}_c{ids[2]:0>5}"
    path = PurePosixPath(before or name)
    return safe_name("__".join((*path.parts[:-2], path.stem)))[-_LONGEST:]
