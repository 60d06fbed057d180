"""By which names experts' tables may call the cells of a project: those that its exports have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.exporting.places import distinct_names


@dataclass(frozen=True)
class NamedImage:
    """An image of a project, its cells, and the picture of each where it is made of class folders."""

    image_id: int
    name: str
    cells: CellTable
    files: NDArray[np.str_] | None = None


def project_names(images: Sequence[NamedImage]) -> list[tuple[str, ...]]:
    """Return the names of each cell, image after image.

    These are image, time and cell as in tables (``"field.tif/0/12"``, with the image's number too, and without the time
    where there is one time point), the exported crop (``"field_t000_c00012"``, also with its ending), and for cells of
    class folders the picture's file.
    """
    stems = distinct_names(Path(one.name).stem for one in images)
    return [names for one, stem in zip(images, stems, strict=True) for names in _of_image(one, stem)]


def file_names(file: str) -> tuple[str, ...]:
    """Return what a picture may be called: with its folder, and without."""
    return file, file.rpartition("/")[2]


def _of_image(image: NamedImage, stem: str) -> Iterable[tuple[str, ...]]:
    one_time = len(np.unique(image.cells.t)) < 2
    for row, (t, cell_id) in enumerate(zip(image.cells.t.tolist(), image.cells.cell_id.tolist(), strict=True)):
        crop = f"{stem}_t{t:03d}_c{cell_id:05d}"
        names = [crop, f"{crop}.tif", f"{crop}.png"]
        for start in (image.name, str(image.image_id)):
            names += [f"{start}/{t}/{cell_id}", *([f"{start}/{cell_id}"] if one_time else [])]
        if image.files is not None and image.files[row]:
            names += file_names(str(image.files[row]))
        yield tuple(names)
