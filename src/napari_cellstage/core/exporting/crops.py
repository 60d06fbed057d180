"""Cells as pictures in class folders, which `read_class_folders` reads again: the same labels, the same pixels."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.crops import crop_cells
from napari_cellstage.core.exporting.places import cannot_write, distinct_names, empty_folder, make_folder, safe_name
from napari_cellstage.core.exporting.source import Exported, ExportError, ExportImage, ExportSource
from napari_cellstage.core.images import ImageStack

ShouldStop = Callable[[], bool]
_BATCH = 256
_PREDICTED = "Cells without a label, put under their predicted class: {}. Look through them before you train on them."


def export_crops(
    source: ExportSource,
    out: Path,
    size: int,
    should_stop: ShouldStop,
    *,
    with_predicted: bool = False,
    png: bool = False,
    overwrite: bool = False,
) -> Generator[tuple[int, int], None, Exported]:
    """Write a folder a class with a picture a cell; yields cells done and all cells.

    Pictures are TIFFs with all channels in the image's dtype, named by image, time point and cell; of a contact sheet,
    by the picture's own name.

    Parameters
    ----------
    source
        What to export.
    out
        The folder.
    size
        Side of the pictures in pixels; a contact sheet keeps that of its tiles.
    should_stop
        Asked batch by batch; what is written until then stays.
    with_predicted
        Cells without a label go to the folder of their predicted class.
    png
        Write PNG where the image has 8 or 16 bits and one channel, or is an 8-bit colour picture.
    overwrite
        The folder may hold files.

    Raises
    ------
    ExportError
        If no cell has a class, or the folder can't be written.
    """
    images = [image for image in source.images if image.stack is not None]
    chosen = {image.image_id: _rows(image, with_predicted) for image in images}
    total, done = sum(map(len, chosen.values())), 0
    notes = [f"The file of '{i.name}' is missing, so its cells have no pictures." for i in source.images if not i.stack]
    if not total:
        source.check_cells(labelled_only=not with_predicted)
        raise ExportError(f"No picture can be made: {notes[0] if notes else 'no cell has a class.'} Find the file.")
    empty_folder(out, overwrite)
    folders = _class_folders(source, out)
    names = dict(zip((i.image_id for i in images), distinct_names(Path(i.name).stem for i in images), strict=True))
    for image in images:
        for rows in _batches(image, chosen[image.image_id]):
            if should_stop():
                break
            _write_batch(image, rows, names[image.image_id], folders, size, png)
            done += len(rows)
            yield done, total
    guessed = sum(int((i.class_ids[chosen[i.image_id]] == UNLABELLED).sum()) for i in images)
    notes += [_PREDICTED.format(guessed)] if guessed else []
    notes += [note for image in images for note in image.stain_notes]
    return Exported(done, (out,), tuple(notes), done < total)


def _rows(image: ExportImage, with_predicted: bool) -> NDArray[np.int64]:
    if not with_predicted:
        return image.rows(labelled_only=True)
    return np.flatnonzero(image.best_class(np.arange(len(image.cells))) != UNLABELLED)


def _class_folders(source: ExportSource, out: Path) -> dict[int, Path]:
    names = distinct_names(one.name for one in source.scheme)
    return {one.id: out / name for one, name in zip(source.scheme, names, strict=True)}


def _batches(image: ExportImage, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split rows into batches, cells of one plane together, so that each plane is read but once or twice."""
    order = np.lexsort((image.cells.y[rows], image.cells.z[rows].round(), image.cells.t[rows]))
    return np.split(rows[order], range(_BATCH, len(rows), _BATCH)) if len(rows) else []


def _write_batch(
    image: ExportImage, rows: NDArray[np.int64], name: str, folders: dict[int, Path], size: int, png: bool
) -> None:
    stack = image.stack
    if stack is None:
        return
    crops = crop_cells(stack, image.cells.take(rows), stack.tile or size, tuple(range(stack.shape[1])))
    as_png = png and _fits_png(crops, stack.rgb)
    for crop, row, class_id in zip(crops, rows.tolist(), image.best_class(rows).tolist(), strict=True):
        file = folders[class_id] / f"{_name(image, row, name)}.{'png' if as_png else 'tif'}"
        make_folder(file.parent)
        try:
            _write_png(file, crop) if as_png else write_tiff(file, crop, stack)
        except OSError as error:
            raise cannot_write(file, error) from error


def _name(image: ExportImage, row: int, name: str) -> str:
    if image.files is not None and image.files[row]:
        # The whole way, as pictures of different folders may share a name.
        return (
            safe_name(image.files[row].rpartition(".")[0].replace("/", "__"))[-110:] + f"_c{image.cells.cell_id[row]}"
        )
    return f"{name}_t{image.cells.t[row]:03d}_c{image.cells.cell_id[row]:05d}"


def _fits_png(crops: NDArray[Any], rgb: bool) -> bool:
    one = crops.shape[1] == 1 and crops.dtype in (np.uint8, np.uint16)
    return one or (rgb and crops.dtype == np.uint8)


def _write_png(file: Path, crop: NDArray[Any]) -> None:
    import imageio.v3 as imageio  # slow to load

    imageio.imwrite(file, crop[0] if len(crop) == 1 else crop.transpose(1, 2, 0))


def write_tiff(file: Path, crop: NDArray[Any], stack: ImageStack | None = None) -> None:
    """Write ``(C, H, W)`` pixels as they are, every channel and the whole range; True and False as 1 and 0.

    Where the image that they are of has predicted channels, the file says which.
    """
    import tifffile  # slow to load

    if crop.dtype == bool:
        crop = crop.astype(np.uint8)
    # Without "minisblack" three channels would become a colour picture.
    metadata: dict[str, Any] = {"axes": "CYX"}
    if stack is not None and (predicted := [one.note for one in stack.stains if one is not None]):
        metadata |= {"channels": list(stack.channel_names), "predicted": predicted}
    tifffile.imwrite(file, crop, photometric="minisblack", metadata=metadata, compression="zlib")
