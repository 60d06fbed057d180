"""Tracks of the open project's images: kept beside the cells they are of, and put on whatever table is shown now."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.store import Project
from napari_cellstage.core.tracks import Tracks
from napari_cellstage.core.whole_files import write_whole


class TrackFiles:
    """The tracks of each image of a project.

    They are of one version of the segmentation: another one has none, or its own. Cells drawn or taken away by hand
    leave the others in their tracks, and a cell that undo brings back is in its track again.

    Parameters
    ----------
    project
        Where they are kept.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._linked: dict[int, tuple[int, CellTable, Tracks]] = {}
        self._placed: dict[int, tuple[CellTable, Tracks | None]] = {}

    def of(self, image_id: int, image: AnnotatedImage) -> Tracks | None:
        """Return the tracks of an image on its present table, None when there are none."""
        table, tracks = self._placed.get(image_id, (None, None))
        if table is not image.cells:
            tracks = self._found(image_id, image)
            self._placed[image_id] = (image.cells, tracks)
        return tracks

    def put(self, image_id: int, image: AnnotatedImage, tracks: Tracks) -> None:
        """Keep the tracks of an image; in memory only where the project can't be written."""
        if not self._project.read_only:
            self._write(_path(self._project.folder, image_id, image.version), tracks, image.cells)
        self._linked[image_id] = (image.version, image.cells, tracks)
        self._placed[image_id] = (image.cells, tracks)

    def _found(self, image_id: int, image: AnnotatedImage) -> Tracks | None:
        version, table, tracks = self._linked.get(image_id, (-1, image.cells, None))
        if version == image.version and tracks is not None:
            return tracks.placed(image.rows_of(table.t, table.cell_id), len(image.cells))
        return stored_tracks(self._project.folder, image_id, image)

    def _write(self, path: Path, tracks: Tracks, cells: CellTable) -> None:
        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez(file, allow_pickle=False, **tracks.to_arrays(cells))

        write_whole(path, write)


def stored_tracks(folder: Path, image_id: int, image: AnnotatedImage) -> Tracks | None:
    """Return the tracks of an image from the disk; None when there are none that can be read.

    Parameters
    ----------
    folder
        Of the project.
    image_id, image
        Its number, and its cells.
    """
    try:
        with _path(folder, image_id, image.version).open("rb") as file:
            arrays = np.load(file, allow_pickle=False)
            named = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None  # cells can be followed again; labels are elsewhere
    return Tracks.from_arrays(named, image.rows_of, len(image.cells))


def _path(folder: Path, image_id: int, version: int) -> Path:
    return folder / "tracks" / f"{image_id}-{version}.npz"
