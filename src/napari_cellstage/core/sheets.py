"""Saved contact sheets as images of a project, and what their cells are called there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.contact_sheet import ContactSheet
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.images import SHEET_ENDING, ImageStack
from napari_cellstage.core.volumes import LabelVolume


@dataclass(frozen=True)
class PreparedSheet:
    """A sheet ready to go into a project: what takes time was done, in whatever thread.

    Parameters
    ----------
    sheet
        Its description.
    order
        ``(N,)``; which crop each of its cells is.
    labels
        Its cells, measured.
    """

    sheet: ContactSheet
    order: NDArray[np.int64]
    labels: LabelVolume


def prepare_sheet(crops: CropSet, root: Path) -> PreparedSheet:
    """Lay crops out, and measure the cells."""
    sheet, order = ContactSheet.of(crops, root)
    labels = LabelVolume.of(sheet.labels())
    labels.cells = CellTable.from_labels(labels)
    return PreparedSheet(sheet, order, labels)


def open_sheet(file: Path) -> ImageStack:
    """Open a saved contact sheet; its pictures are read as they are asked for.

    Raises
    ------
    ImageError
        If it can't be read, or the folder of its pictures is gone.
    """
    sheet = ContactSheet.load(file)
    if not sheet.root.is_dir():
        raise ImageError(
            f"The class folders of this contact sheet are not at '{sheet.root}' any more. Show where that folder is "
            "now; its labels are kept."
        )
    return sheet.stack(path=file.absolute())


def sheet_of(stack: ImageStack) -> ContactSheet | None:
    """Return the description behind an image, None where it is no saved contact sheet."""
    if not stack.tile or stack.path is None or stack.path.suffix != SHEET_ENDING:
        return None
    return _loaded(stack.path, stack.path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _loaded(file: Path, _changed: int) -> ContactSheet:
    return ContactSheet.load(file)
