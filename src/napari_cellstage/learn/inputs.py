"""What a network gets of crops: normalised, sharpened, resized. No torch here.

One way for training, prediction, Grad-CAM and the preview, so that all of them see the same. Training takes pictures
with a rim, of which it cuts a part at random; all others get their middle.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.learn.nets.layer_text import read_layers, side_after
from napari_cellstage.learn.nets.names import LAYERS
from napari_cellstage.learn.recipe import Recipe

AT_ONCE = 256  # crops, as normalising makes several copies of them
Values = NDArray[np.float32]
Pictures = TypeVar("Pictures")  # an array or a tensor, ``(..., H, W)``


def input_side(recipe: Recipe, crop_size: int) -> int:
    """Return the side of the pictures that the network itself gets, of crops of this size, in pixels."""
    return recipe.input_size or crop_size


def check_side(recipe: Recipe, crop_size: int) -> None:
    """Check that the layers of a recipe's own network can look at crops of this size.

    Raises
    ------
    TrainingError
        If they are too many for it.
    """
    if recipe.network == LAYERS:
        side_after(read_layers(recipe.layers), input_side(recipe, crop_size))


def prepared(crops: NDArray[np.generic], normalisation: Normalisation, recipe: Recipe) -> Values:
    """Return what a training gets of raw crops, before any change at random.

    Parameters
    ----------
    crops
        ``(N, C, H, W)`` raw intensities.
    normalisation
        How they become 0..1.
    recipe
        ``sharpen``, ``input_size``, ``random_crop``.

    Returns
    -------
    ndarray
        ``(N, C, H', W')`` float32: as large as the crops, or square with `input_size` plus `random_crop` pixels a side
        where the recipe asks for a size. Crops that are not square are filled up at both ends, mirrored, where a
        square is needed.
    """
    parts = [_of(crops[i : i + AT_ONCE], normalisation, recipe) for i in range(0, len(crops), AT_ONCE)]
    return np.concatenate(parts) if parts else np.asarray(normalisation.apply(crops))


def middle(pictures: Pictures, recipe: Recipe) -> Pictures:
    """Return pictures without the rim that `random_crop` adds."""
    rim = recipe.random_crop
    if not rim:
        return pictures
    start, stop = rim // 2, rim // 2 - rim
    part: Pictures = pictures[..., start:stop, start:stop]  # type: ignore[index]
    return part


def shown(crops: NDArray[np.generic], normalisation: Normalisation, recipe: Recipe) -> Values:
    """Return what a network gets of raw crops ``(N, C, H, W)`` when it predicts; see `prepared`."""
    return middle(prepared(crops, normalisation, recipe), recipe)


def laid_back(maps: Values, crops_shape: tuple[int, ...], recipe: Recipe) -> Values:
    """Return maps of what the network got as maps of the crops it was made of.

    Parameters
    ----------
    maps
        ``(N, H', W')``, on what `shown` gives.
    crops_shape
        ``(..., H, W)`` of the raw crops.

    Returns
    -------
    ndarray
        ``(N, H, W)``; 0 in what the network did not see.
    """
    height, width = crops_shape[-2:]
    rim = recipe.random_crop
    whole = np.pad(maps, [(0, 0), *((rim // 2, rim - rim // 2),) * 2])
    if not _needs_square(recipe):
        return whole
    side = max(height, width)
    whole = _resized(whole[:, None], side)[:, 0]
    top, left = (side - height) // 2, (side - width) // 2
    return whole[:, top : top + height, left : left + width]


def sharpened(pictures: Values) -> Values:
    """Return pictures ``(N, C, H, W)`` after Pillow's sharpening filter, on 8 bit as it was used in the study.

    What is below 0 or above 1 is cut off for that. The outermost pixels stay as they are.
    """
    bits = np.round(np.clip(pictures, 0, 1) * 255).astype(np.uint8)
    planes = bits.reshape(-1, *bits.shape[2:])
    found = np.stack([np.asarray(Image.fromarray(one).filter(ImageFilter.SHARPEN)) for one in planes])
    return (found.reshape(bits.shape) / np.float32(255)).astype(np.float32)


def _of(crops: NDArray[np.generic], normalisation: Normalisation, recipe: Recipe) -> Values:
    pictures = normalisation.apply(crops)
    if recipe.sharpen:
        pictures = sharpened(pictures)
    if not _needs_square(recipe):
        return pictures
    pictures = _squared(pictures)
    return _resized(pictures, input_side(recipe, pictures.shape[-1]) + recipe.random_crop)


def _needs_square(recipe: Recipe) -> bool:
    asked = recipe.input_size or recipe.random_crop or recipe.quarter_turns
    return bool(asked) or recipe.network == LAYERS or recipe.standardise == "mean image"


def _squared(pictures: Values) -> Values:
    side = max(pictures.shape[-2:])
    more = [side - length for length in pictures.shape[-2:]]
    return np.pad(pictures, [(0, 0), (0, 0), *((m // 2, m - m // 2) for m in more)], mode="symmetric")


def _resized(pictures: Values, side: int) -> Values:
    """Resample square pictures ``(N, C, S, S)``; what gets smaller is averaged, so that no fine pattern is invented."""
    if pictures.shape[-1] == side:
        return pictures
    planes = pictures.reshape(-1, *pictures.shape[-2:])
    found: list[NDArray[Any]] = [
        np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BILINEAR)) for one in planes
    ]
    return np.stack(found).reshape(*pictures.shape[:2], side, side).astype(np.float32, copy=False)
