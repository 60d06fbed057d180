"""Saved contact sheets as images of a project, and what their cells are called there."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.contact_sheet import ContactSheet
from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack

ENDING = ".cellsheet"


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
    if not stack.tile or stack.path is None or stack.path.suffix != ENDING:
        return None
    return _loaded(stack.path, stack.path.stat().st_mtime_ns)


def groups_of(stack: ImageStack, cell_id: NDArray[np.integer[Any]]) -> NDArray[np.str_] | None:
    """Return the group of each cell of a contact sheet, ``(N,)``; None where the image is none, and so one group."""
    sheet = sheet_of(stack)
    if sheet is None:
        return None
    names = sheet.groups or sheet.names
    # A cell drawn by hand over a sheet has no picture; it stands for itself.
    return np.array([names[i - 1] if 0 < i <= len(names) else f"cell {i}" for i in cell_id.tolist()], dtype=np.str_)


@lru_cache(maxsize=8)
def _loaded(file: Path, _changed: int) -> ContactSheet:
    return ContactSheet.load(file)
