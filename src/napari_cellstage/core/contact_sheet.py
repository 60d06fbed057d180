"""Class folders as one image: a tile a cell, sorted by class. The description is kept; the pixels stay in their files.

Each cell keeps its number and place for good: what is added to the folder later, or taken away, moves none. So labels
stay with their pictures.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.folder_files import FolderCell, listed_cells
from napari_cellstage.core.folders import CropSet, read_cell
from napari_cellstage.core.group_guesses import original_of
from napari_cellstage.core.image_records import relative_path
from napari_cellstage.core.images import RGB_NAMES, ImageStack, from_array
from napari_cellstage.core.sheet_pixels import Grid, Mosaic, PictureOf, SheetPixels
from napari_cellstage.core.whole_files import write_whole

_WIDTH_TO_HEIGHT = 1.0  # of the grid; beside the dock there is about as much room both ways
_FORM = 1


@dataclass(frozen=True, eq=False)
class ContactSheet:
    """Which picture is which tile.

    Parameters
    ----------
    root
        The folder of class folders.
    grid
        Tiles: their side, how many a row, and the place of each cell; cell number ``i + 1`` is at ``places[i]``.
    cells
        The files of each cell.
    groups
        One a cell, as in `CropSet`; empty when every cell is its own group.
    channel_names
        One a channel.
    dtype, fill
        Type of the pixels, and what an empty tile holds, one value a channel.
    digest
        Changes with the pixels.
    """

    root: Path
    grid: Grid
    cells: tuple[FolderCell, ...]
    groups: tuple[str, ...]
    channel_names: tuple[str, ...]
    dtype: str
    fill: tuple[float, ...]
    digest: str

    @classmethod
    def of(cls, crops: CropSet, root: Path) -> tuple[Self, NDArray[np.int64]]:
        """Lay crops out, sorted by class and then name; return the sheet, and which crop each of its cells is."""
        order = np.lexsort((np.arange(len(crops)), crops.labels))
        cells = tuple(crops.cells[i] for i in order)
        groups = tuple(str(crops.groups[i]) for i in order)
        own = groups == tuple(original_of(cell.name) for cell in cells)
        values = np.ascontiguousarray(crops.crops)
        sheet = cls(
            root=root.absolute(),
            grid=Grid(max(crops.crops.shape[2:]), _columns(len(crops)), _places(crops.labels[order])),
            cells=cells,
            groups=() if own else groups,
            channel_names=crops.channel_names,
            dtype=str(values.dtype),
            fill=tuple(float(v) for v in values.min(axis=(0, 2, 3))),
            digest=hashlib.blake2b(values.data, digest_size=16).hexdigest(),
        )
        return sheet, order

    def save(self, file: Path) -> None:
        """Write the description; the folder is noted as it is, and as seen from the file."""
        values = {
            "contact sheet": _FORM,
            "root": str(self.root),
            "root from here": relative_path(self.root, file.parent),
            "tile": self.grid.tile,
            "columns": self.grid.columns,
            "places": self.grid.places.tolist(),
            "cells": [[one.class_name, [f.relative_to(self.root).as_posix() for f in one.files]] for one in self.cells],
            "groups": self.groups,
            "file channels": next((one.channels for one in self.cells), ()),
            "channel names": self.channel_names,
            "dtype": self.dtype,
            "fill": self.fill,
            "digest": self.digest,
        }

        def write(path: Path) -> None:
            path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")

        write_whole(file, write)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a description.

        Raises
        ------
        ImageError
            If it is missing or damaged.
        """
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            return cls._from(values, _root(values, file))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise ImageError(
                f"The contact sheet '{file}' can't be read: {error}. Bring it back from a copy of the project, or open "
                "the class folders again."
            ) from error

    @classmethod
    def _from(cls, values: dict[str, Any], root: Path) -> Self:
        channels = tuple(values["file channels"])
        cells = (
            FolderCell(files[0], name, tuple(root / f for f in files), channels) for name, files in values["cells"]
        )
        places = np.array(values["places"], dtype=np.int64)
        return cls(
            root=root,
            grid=Grid(int(values["tile"]), int(values["columns"]), places),
            cells=tuple(cells),
            groups=tuple(values["groups"]),
            channel_names=tuple(values["channel names"]),
            dtype=str(np.dtype(values["dtype"])),
            fill=tuple(values["fill"]),
            digest=values["digest"],
        )

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files, one a cell."""
        return tuple(cell.name for cell in self.cells)

    @property
    def notes(self) -> tuple[str, ...]:
        """What changed in the folder since: itself gone, pictures gone, pictures new; a sentence each."""
        if not self.root.is_dir():
            return (
                f"The class folders of the contact sheet '{self.root.name}' are not at '{self.root}' any more. Show "
                "where that folder is now; its labels are kept.",
            )
        now = {cell.name for cell in listed_cells(self.root)}
        gone, new = set(self.names) - now, now - set(self.names)
        return tuple(text for text in (self._gone_text(gone), self._new_text(new)) if text)

    def _gone_text(self, names: set[str]) -> str:
        if not names:
            return ""
        return (
            f"{_pictures(names)} no longer in '{self.root}', such as '{min(names)}'. The tiles are empty now; the "
            "labels are kept. Put the files back to see them."
        )

    def _new_text(self, names: set[str]) -> str:
        if not names:
            return ""
        return (
            f"{_pictures(names)} new in '{self.root}', such as '{min(names)}'. Open the folder once more to add a "
            "sheet of the new ones."
        )

    def groups_of(self, cell_id: NDArray[np.integer[Any]]) -> NDArray[np.str_]:
        """Return the group of each cell, ``(N,)``: its movie, say, or its own picture, with turned copies of that."""
        names = tuple(f"movie {name}" for name in self.groups) or tuple(map(original_of, self.names))
        # A cell drawn by hand over a sheet has no picture; it stands for itself.
        return np.array([names[i - 1] if 0 < i <= len(names) else f"cell {i}" for i in cell_id.tolist()], dtype=np.str_)

    def found_in(self, folder: Path) -> Path | None:
        """Return where the class folders are in a tree; None when they are not there."""
        for place, folders, _ in os.walk(folder):
            if Path(place).name == self.root.name or place == str(folder):
                files = (Path(place, cell.files[0].relative_to(self.root)) for cell in self.cells)
                if any(file.exists() for file in files):
                    return Path(place)
            folders.sort()
        return None

    def moved_to(self, root: Path) -> ContactSheet:
        """Return the sheet with its folder elsewhere; `ImageError` when that folder has none of its pictures."""
        cells = tuple(
            replace(one, files=tuple(root / file.relative_to(self.root) for file in one.files)) for one in self.cells
        )
        if not any(cell.files[0].exists() for cell in cells):
            raise ImageError(
                f"'{root}' holds none of the pictures of this contact sheet, such as '{self.names[0]}'. Choose the "
                f"folder that was '{self.root}' before."
            )
        return replace(self, root=root.absolute(), cells=cells)

    def stack(self, path: Path | None = None, picture_of: PictureOf | None = None) -> ImageStack:
        """Return the sheet as an image.

        Parameters
        ----------
        path
            Where the sheet is saved.
        picture_of
            Gives ``(C, H, W)`` of a cell, from 0; its file is read where None.
        """
        read = picture_of or (lambda cell: read_cell(self.cells[cell]))
        pixels = SheetPixels(read, self.grid.tile, np.dtype(self.dtype), self.fill)
        names = self.channel_names
        return from_array(
            Mosaic(pixels, self.grid),
            "TCZYX",
            self.root.name,
            channel_names=names,
            path=path,
            fingerprint=self._fingerprint,
            rgb=names == RGB_NAMES and self.dtype == "uint8",
            tile=self.grid.tile,
        )

    def labels(self) -> NDArray[np.int32]:
        """Return ``(1, 1, Y, X)``: in each tile its cell's number, but for a thin edge."""
        return self.grid.labels()[None, None]

    @property
    def _fingerprint(self) -> str:
        return hashlib.sha256("\n".join((self.digest, str(self.grid.tile), *self.names)).encode()).hexdigest()


def _root(values: dict[str, Any], file: Path) -> Path:
    noted, beside = Path(values["root"]), values["root from here"]
    moved = (file.parent / beside).resolve() if beside else noted
    return moved if moved.is_dir() and not noted.is_dir() else noted


def _columns(count: int) -> int:
    return max(1, math.ceil(math.sqrt(count * _WIDTH_TO_HEIGHT)))


def _places(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of each cell, sorted by class already: each class begins a new row."""
    columns = _columns(len(labels))
    places = np.empty(len(labels), dtype=np.int64)
    start = 0
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        places[rows] = start + np.arange(len(rows))
        start += -(-len(rows) // columns) * columns
    return places


def _pictures(names: set[str]) -> str:
    return "1 picture is" if len(names) == 1 else f"{len(names)} pictures are"
