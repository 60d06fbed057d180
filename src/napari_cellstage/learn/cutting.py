"""Crops as a recipe wants them: how large, masked or not, which planes, how bright.

One way for training, prediction, measuring and the preview, so that all of them see the same. No torch here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.crops import crop_cells, crop_masks
from napari_cellstage.core.depth import Depth
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.intensities import Levels, levels_of
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.plane_reader import PlaneReader
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.core.windows import Windows
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.recipe_checks import numbers

Crops = NDArray[np.generic]
Masks = NDArray[np.bool_]
Rows = NDArray[np.integer[Any]]
SAME = 1e-3  # a step this near to 1 is 1: pixels are copied then, not blurred


def cut(
    image: ImageSnapshot,
    rows: Rows,
    channels: tuple[int, ...],
    recipe: Recipe,
    beside: Iterable[ImageSnapshot] = (),
) -> tuple[Crops, Masks]:
    """Cut cells of an image.

    Parameters
    ----------
    image
        The image and its cells.
    rows
        ``N`` rows of its cell table.
    channels
        Which channels; ``C`` of them.
    recipe
        How they are cut.
    beside
        Images among which those of the same plate are found, where intensities are scaled by plate.

    Returns
    -------
    crops
        ``(N, C, size, size)``; ``planes_count * C`` channels where all planes are asked for. Raw intensities of the
        image's type, float32 where they were resampled; with 0..1 as the range of image or plate where asked for.
    masks
        ``(N, size, size)``, the pixels of the cell; empty where they are not known, as in a contact sheet.

    Raises
    ------
    TrainingError
        If the recipe can't be followed on this image, such as micrometres where pixels have no size.
    """
    return Cutter(image, channels, recipe, plates_of(beside, recipe).get(image.plate, ())).cut(rows)


class Cutter:
    """Cuts cells of one image, in as many calls as it takes; what was read is remembered.

    Parameters
    ----------
    image, channels, recipe
        As in `cut`.
    plate
        The images of the same plate, this one among them; it alone when empty.
    """

    def __init__(
        self, image: ImageSnapshot, channels: tuple[int, ...], recipe: Recipe, plate: Sequence[ImageStack] = ()
    ) -> None:
        self._image, self._channels, self._recipe = image, channels, recipe
        self._plate = plate
        self._depth = depth_of(recipe)

    def in_order(self) -> NDArray[np.int64]:
        """Return all rows in the order in which their pixels are best read."""
        cells, reader = self._image.cells, self._pixels
        windows = self.windows(np.arange(len(cells)))
        return np.lexsort((reader.place(windows.y, windows.x), cells.z.round(), cells.t)).astype(np.int64)

    def cut(self, rows: Rows) -> tuple[Crops, Masks]:
        """Return crops and masks of some rows; see `cut`."""
        cells, windows = self._image.cells.take(rows), self.windows(rows)
        crops = crop_cells(self._image.stack, cells, windows, self._channels, self._depth, self._pixels)
        masks = self._masks(cells, windows)
        if self._recipe.surroundings == "masked":
            self._paint_over(crops, masks)
        return self._scaled(crops), masks

    def _masks(self, cells: CellTable, windows: Windows) -> Masks:
        """Return masks; of a contact sheet empty ones, as nobody said which pixels of a tile are the cell."""
        if self._image.stack.tile:
            return np.zeros((len(cells), windows.size, windows.size), dtype=bool)
        return crop_masks(self._image.labels, cells, windows, self._depth, self._labels)

    @cached_property
    def _pixels(self) -> PlaneReader:
        return PlaneReader.of_stack(self._image.stack, self._channels)

    @cached_property
    def _labels(self) -> PlaneReader:
        return PlaneReader.of_labels(self._image.labels)

    @cached_property
    def _own(self) -> Levels:
        return levels_of([self._image.stack], self._channels)

    @cached_property
    def _range(self) -> Levels:
        if self._recipe.normalise == "image" or not self._plate:
            return self._own
        return levels_of(self._plate, self._channels)

    def windows(self, rows: Rows) -> Windows:
        """Return where in the image the crops of some rows lie."""
        cells, recipe, shape = self._image.cells.take(rows), self._recipe, self._image.stack.shape[3:]
        if recipe.crop == "cell":
            return Windows.fitted(cells, shape, recipe.crop_size, recipe.margin)
        step = (1.0, 1.0) if recipe.crop == "pixels" else _step(self._image.stack, recipe)
        return Windows.fixed(cells, shape, recipe.crop_size, step)

    def _paint_over(self, crops: Crops, masks: Masks) -> None:
        """Paint what is outside the cell; a cell without a pixel in its plane is left as it is."""
        ground = np.tile(np.array(self._own.background), self._depth.channels).astype(crops.dtype)
        outside = ~masks & masks.any(axis=(1, 2), keepdims=True)
        np.copyto(crops, ground[:, None, None], where=outside[:, None])

    def _scaled(self, crops: Crops) -> Crops:
        if not Normalisation(self._recipe.normalise).by_image:
            return crops
        ends = (np.tile(np.array(end), self._depth.channels) for end in (self._range.low, self._range.high))
        low, high = (end.astype(np.float32)[:, None, None] for end in ends)
        return np.asarray((crops.astype(np.float32) - low) / (high - low))


def depth_of(recipe: Recipe) -> Depth:
    """Return which planes a recipe wants."""
    return Depth(recipe.planes, recipe.planes_count)


def plates_of(images: Iterable[ImageSnapshot], recipe: Recipe) -> dict[str, tuple[ImageStack, ...]]:
    """Return the images of each plate that has a name; nothing where the recipe does not ask for plates."""
    plates: dict[str, tuple[ImageStack, ...]] = {}
    for image in images if recipe.normalise == "plate" else ():
        if image.plate:
            plates[image.plate] = (*plates.get(image.plate, ()), image.stack)
    return plates


def normalisation_of(crops: Crops, recipe: Recipe) -> Normalisation:
    """Return how crops are normalised, with the values taken from them where the recipe gives none.

    Raises
    ------
    TrainingError
        If the recipe gives values for another number of channels.
    """
    if recipe.normalise != "fixed":
        return Normalisation.of(crops, recipe.normalise)
    planes = recipe.planes_count if recipe.planes == "all" else 1
    low, high = (_fixed(name, getattr(recipe, name), crops.shape[1] // planes) for name in ("fixed_low", "fixed_high"))
    return Normalisation("fixed", low * planes, high * planes)


def check_cut_already(recipe: Recipe) -> None:
    """Raise `TrainingError` when a recipe asks of ready-made crops what only whole images can give."""
    asked = {
        "crop": recipe.crop != "pixels",
        "surroundings": recipe.surroundings != "kept",
        "planes": recipe.planes != "nearest",
        "normalise": Normalisation(recipe.normalise).by_image,
    }
    for name in (name for name, wrong in asked.items() if wrong):
        plain = getattr(Recipe(), name)
        raise TrainingError(
            f"{name} is '{getattr(recipe, name)}', which needs whole images, but class folders hold cells that are cut "
            f"out already. Choose '{plain}'."
        )


def _fixed(name: str, text: str, channels: int) -> tuple[float, ...]:
    values = numbers(name, text)
    if len(values) not in (1, channels):
        raise TrainingError(
            f"{name} has {len(values)} numbers, but the network sees {channels} "
            f"channel{'s' if channels != 1 else ''}. Give one for all, or one a channel."
        )
    return values if len(values) == channels else values * channels


def _step(stack: ImageStack, recipe: Recipe) -> tuple[float, float]:
    """Return how many image pixels a crop pixel is, in y and x."""
    if stack.pixel_size_um is None:
        raise TrainingError(
            f"How large a pixel of '{stack.name}' is, its file does not say, so a crop of {recipe.crop_um:g} µm can't "
            "be cut. Choose crops in pixels, or ones that fit the cell."
        )
    down, across = (recipe.crop_um / (recipe.crop_size * size) for size in stack.pixel_size_um[1:])
    return (1.0 if abs(down - 1) < SAME else down), (1.0 if abs(across - 1) < SAME else across)
