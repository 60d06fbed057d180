"""Crops as the eye wants them, for the gallery: a little more than the network sees, black and white by their image.

Brightness is information, so what is black and white is the same for all cells of an image. No widgets; in a worker.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.crops import crop_cells, crop_masks
from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.intensities import Levels, levels_of
from napari_cellstage.core.plane_reader import KEPT_BYTES, PlaneReader
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.snapshot import Images, ImageSnapshot, WorkSnapshot
from napari_cellstage.core.windows import Windows
from napari_cellstage.learn.attention import placed
from napari_cellstage.learn.cutting import Cutter
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.ui.crop_pictures import tints

WIDER = 1.25  # than what the network sees
LARGEST = 160  # pixels of a picture; what is wider is reduced
HELD_BYTES = 512 << 20  # of images whose pixels are remembered
GONE = "The file of this image is not where it was."
NOT_THERE = "This cell is not there any more."
Window = tuple[float, float, float, float]  # top, left, height and width in pixels of the image


@dataclass(frozen=True)
class Picture:
    """One crop.

    Parameters
    ----------
    pixels
        ``(h, w, 3)`` uint8; None where there is none.
    outline
        ``(h, w)`` bool, the rim of the cell; None where nobody knows it.
    window
        Which part of the image it shows.
    problem
        Why there is none, in a sentence.
    """

    pixels: NDArray[np.uint8] | None = field(default=None, repr=False)
    outline: NDArray[np.bool_] | None = field(default=None, repr=False)
    window: Window = (0.0, 0.0, 1.0, 1.0)
    problem: str = ""


def cutting_of(run: Path | None) -> Recipe:
    """Return how the model of a run cuts cells; the plain way where there is none, or its card can't be read."""
    try:
        card = json.loads((run / "card.json").read_text(encoding="utf-8")) if run is not None else {}
        known = Recipe().but(**{**card["recipe"], "device": "auto"})
        return known.but(crop_size=int(card["crop_size"]))
    except (OSError, ValueError, KeyError, TypeError, CellStageError):
        return Recipe()


class CropLooks:
    """Makes pictures of cells of several images; those looked at last stay open.

    Parameters
    ----------
    work
        The project as it was.
    run
        Folder of the run whose way to cut is followed; None: the plain way.
    """

    def __init__(self, work: WorkSnapshot, run: Path | None = None) -> None:
        self._work, self._run = work, run
        self._open: OrderedDict[int, _OpenImage | None] = OrderedDict()

    @cached_property
    def recipe(self) -> Recipe:
        """How cells are cut."""
        return cutting_of(self._run).but(surroundings="kept", normalise="dataset")

    def pictures(self, cells: CellRefs) -> list[Picture]:
        """Return a picture of each cell, or why there is none."""
        made = [Picture(problem=GONE)] * len(cells)
        for image_id, places in cells.by_image().items():
            for place, picture in zip(places.tolist(), self._of_image(image_id, cells.take(places)), strict=True):
                made[place] = picture
        return made

    def _of_image(self, image_id: int, cells: CellRefs) -> list[Picture]:
        try:
            image = self._image(image_id)
            return [Picture(problem=GONE)] * len(cells) if image is None else image.pictures(cells)
        except CellStageError as error:
            return [Picture(problem=str(error))] * len(cells)

    def _image(self, image_id: int) -> _OpenImage | None:
        if image_id not in self._open:
            found = self._readers.get(image_id, _nothing)()
            self._open[image_id] = None if found is None else _OpenImage(found, self._work.channels, self.recipe)
        self._open.move_to_end(image_id)
        while len(self._open) > 1 and sum(one.weight for one in self._open.values() if one) > HELD_BYTES:
            self._open.popitem(last=False)
        return self._open[image_id]

    @cached_property
    def _readers(self) -> Mapping[int, Callable[[], ImageSnapshot | None]]:
        images = self._work.images
        if isinstance(images, Images):
            return images.readers
        return {one.image_id: lambda one=one: one for one in images}  # type: ignore[misc]


def _nothing() -> None:
    return None


class _OpenImage:
    """One image with what has been read of it."""

    def __init__(self, image: ImageSnapshot, channels: tuple[int, ...], recipe: Recipe) -> None:
        self._image, self._channels = image, channels
        self._windows = Cutter(image, channels, recipe).windows
        self._pixels = PlaneReader.of_stack(image.stack, channels)
        self._labels = PlaneReader.of_labels(image.labels)
        keys = _keys(image.cells.t, image.cells.cell_id)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    @property
    def weight(self) -> int:
        """About how many bytes it may hold."""
        frames, _, *volume = self._image.stack.shape
        pixels = frames * int(np.prod(volume)) * len(self._channels) * self._pixels.dtype.itemsize
        return min(pixels, KEPT_BYTES) + min(frames * int(np.prod(volume)) * 4, KEPT_BYTES)

    @cached_property
    def _levels(self) -> Levels:
        return levels_of([self._image.stack], self._channels)

    def pictures(self, cells: CellRefs) -> list[Picture]:
        """Return a picture of each cell."""
        wanted = _keys(cells.t, cells.cell_id)
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        rows = np.where(self._keys[places] == wanted, self._order[places], -1)
        there = iter(self._seen(rows[rows >= 0]))
        return [next(there) if row >= 0 else Picture(problem=NOT_THERE) for row in rows]

    def _seen(self, rows: NDArray[np.int64]) -> list[Picture]:
        if not len(rows):
            return []
        image, windows = self._image, wider(self._windows(rows))
        cells = image.cells.take(rows)
        crops = crop_cells(image.stack, cells, windows, self._channels, None, self._pixels)
        outlines = [None] * len(rows) if image.stack.tile else self._outlines(rows, windows)
        places = (tuple(one) for one in placed(windows).tolist())
        return [Picture(*each) for each in zip(self._colored(crops), outlines, places, strict=True)]

    def _outlines(self, rows: NDArray[np.int64], windows: Windows) -> NDArray[np.bool_]:
        masks = crop_masks(self._image.labels, self._image.cells.take(rows), windows, None, self._labels)
        around = np.pad(masks, ((0, 0), (1, 1), (1, 1)))
        beside = around[:, :-2, 1:-1] & around[:, 2:, 1:-1] & around[:, 1:-1, :-2] & around[:, 1:-1, 2:]
        return masks & ~beside

    def _colored(self, crops: NDArray[np.generic]) -> NDArray[np.uint8]:
        low, high = (np.array(end, dtype=np.float32)[:, None, None] for end in (self._levels.low, self._levels.high))
        values = np.nan_to_num(np.clip((crops.astype(np.float32) - low) / (high - low), 0, 1))
        if values.shape[1] == 1:  # gray
            return np.repeat(np.asarray(values[:, 0, :, :, None] * 255, dtype=np.uint8), 3, axis=3)
        mixed = np.einsum("nchw,ck->nhwk", values, tints(self._image.stack, self._channels))
        return np.asarray(np.clip(mixed, 0, 1) * 255, dtype=np.uint8)


def _keys(t: NDArray[np.integer[Any]], cell_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number a cell: a dict of names takes longer to make than the crops."""
    return np.asarray((t.astype(np.int64) << 40) + cell_id)


def wider(windows: Windows) -> Windows:
    """Return windows with a little more around the cell, of no more pixels than a tile can show."""
    size = min(round(windows.size * WIDER), LARGEST)
    return Windows(windows.y, windows.x, windows.steps * (windows.size * WIDER / size), size)
