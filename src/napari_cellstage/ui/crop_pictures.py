"""Crops as pictures: chosen, cut, normalised and coloured as the network gets them. No widgets; runs in a worker."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.normalise import Normalisation
from napari_cellstage.core.snapshot import ImageSnapshot, WorkSnapshot
from napari_cellstage.learn.cutting import Cutter, depth_of, normalisation_of, plates_of
from napari_cellstage.learn.inputs import middle, prepared
from napari_cellstage.learn.recipe import Recipe

IMAGES = 12  # that are looked through for labelled cells
FOR_RANGE = 40  # labelled cells of a class that the intensity range is taken from
A_CLASS, AROUND = 8, 32
AROUND_TITLE, ANY_TITLE = "Cells around the selected one", "Cells of this image"
Pictures = NDArray[np.uint8]
# As in the viewer, but with the first channel in gray only where it is the only one.
COLORS = ("#ff00ff", "#00ff00", "#00ffff", "#ffff00", "#ff0000", "#0000ff")
RGB = ("#ff0000", "#00ff00", "#0000ff")


@dataclass(frozen=True)
class Look:
    """What is looked at.

    Parameters
    ----------
    current
        The image that is open, None when it has no cells.
    work
        All images, scheme and channels.
    recipe
        How cells are cut.
    around
        Row of a cell of `current`: its neighbours are shown instead of labelled cells.
    changed
        Whether they are shown as in training, each changed at random.
    seed
        Another one shows other cells.
    """

    current: ImageSnapshot | None
    work: WorkSnapshot
    recipe: Recipe
    around: int | None = None
    changed: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Strip:
    """Some pictures ``(N, h, w, 3)`` of one class, or of none."""

    title: str
    color: str
    pictures: Pictures = field(repr=False)


@dataclass(frozen=True)
class _Cells:
    image: ImageSnapshot
    rows: NDArray[np.intp]


def pictures(look: Look) -> Callable[[Callable[[], bool]], Generator[Any, None, tuple[Strip, ...]]]:
    """Return the work of making the pictures.

    Raises
    ------
    CellStageError
        If there are no cells, or the recipe can't be followed.
    """

    def work(_should_stop: Callable[[], bool]) -> Generator[Any, None, tuple[Strip, ...]]:
        yield from ()
        return _strips(look)

    return work


def _strips(look: Look) -> tuple[Strip, ...]:
    labelled = _labelled(look)
    crops, kinds = _crops(look, labelled)
    if look.around is not None or not len(crops):
        shown, _ = _crops(look, [_around(look)])
        normalisation = normalisation_of(crops if len(crops) else shown, look.recipe)
        title = ANY_TITLE if look.around is None else AROUND_TITLE
        return (Strip(title, "", _seen(look, normalisation, shown)),)
    normalisation = normalisation_of(crops, look.recipe)
    found = [(one, crops[kinds == one.id][:A_CLASS]) for one in look.work.scheme]
    return tuple(Strip(one.name, one.color, _seen(look, normalisation, some)) for one, some in found if len(some))


def _labelled(look: Look) -> list[_Cells]:
    """Choose labelled cells at random, some of each class, those of the open image first."""
    rng = np.random.default_rng(look.seed)
    wanted = dict.fromkeys(look.work.scheme.ids, FOR_RANGE)
    found = []
    for image in islice(_images(look), IMAGES):
        if not any(wanted.values()):
            break
        rows: list[int] = []
        for class_id, count in wanted.items():
            have = rng.permutation(np.flatnonzero(image.class_ids == class_id))[:count]
            wanted[class_id] -= len(have)
            rows += have.tolist()
        if rows:
            found.append(_Cells(image, np.array(rows, dtype=np.intp)))
    return found


def _images(look: Look) -> Iterator[ImageSnapshot]:
    current = [] if look.current is None else [look.current]
    ids = {one.image_id for one in current}
    return chain(current, (image for image in look.work.images if image.image_id not in ids))


def _around(look: Look) -> _Cells:
    image = next((one for one in _images(look) if len(one.cells)), None)
    if image is None:
        raise CellStageError("There are no cells to show yet. Find cells first.")
    if look.around is None:
        rows = np.random.default_rng(look.seed).permutation(len(image.cells))[:AROUND]
        return _Cells(image, rows)
    cells = image.cells
    same = np.flatnonzero(cells.t == cells.t[look.around])
    away = np.hypot(cells.y[same] - cells.y[look.around], cells.x[same] - cells.x[look.around])
    return _Cells(image, same[np.argsort(away, kind="stable")][:AROUND])


def _crops(look: Look, chosen: list[_Cells]) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Return crops, and the class of each, in the order they were chosen in."""
    plates = plates_of(look.work.images, look.recipe)
    cutters = [Cutter(one.image, look.work.channels, look.recipe, plates.get(one.image.plate, ())) for one in chosen]
    crops = [cutter.cut(one.rows)[0] for cutter, one in zip(cutters, chosen, strict=True)]
    kinds = [one.image.class_ids[one.rows] for one in chosen]
    if not crops:
        return np.zeros((0, 1, 1, 1), np.uint8), np.full(0, UNLABELLED, dtype=np.int64)
    return np.concatenate(crops), np.concatenate(kinds)


def _seen(look: Look, normalisation: Normalisation, crops: NDArray[np.generic]) -> Pictures:
    """Return pictures of raw crops; the planes of a stack side by side."""
    whole = prepared(crops, normalisation, look.recipe)
    normal = _changed(whole, look.recipe, look.seed) if look.changed else middle(whole, look.recipe)
    count, channels, height, width = normal.shape
    planes = depth_of(look.recipe).channels
    parts = np.clip(normal, 0, 1).reshape(count, planes, channels // planes, height, width)
    colored = np.einsum("npchw,ck->nphwk", parts, _colors(look))
    side_by_side = colored.transpose(0, 2, 1, 3, 4).reshape(count, height, planes * width, 3)
    return np.asarray(np.clip(side_by_side, 0, 1) * 255, dtype=np.uint8)


def _changed(whole: NDArray[np.float32], recipe: Recipe, seed: int) -> NDArray[np.float32]:
    from napari_cellstage.learn.torch_start import torch  # the one door to it, so first

    from napari_cellstage.learn.augment import augment, turned  # isort: skip

    rng = torch.Generator().manual_seed(seed)
    pictures = torch.from_numpy(whole)
    if recipe.quarter_turns:
        pictures = turned(pictures, torch.randint(4, (len(pictures),), generator=rng))
    changed: NDArray[np.float32] = augment(pictures, recipe, rng).numpy()
    return changed


def _colors(look: Look) -> NDArray[np.float32]:
    channels = look.work.channels
    stack = next((image.stack for image in _images(look)), None) if len(channels) > 1 else None
    return tints(stack, channels)


def tints(stack: ImageStack | None, channels: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the colour of each channel, ``(C, 3)`` from 0 to 1: the file's, or some that can be told apart."""
    if len(channels) == 1:
        return np.ones((1, 3), dtype=np.float32)
    named = _named(stack, channels) if stack is not None else [""] * len(channels)
    found = [one or COLORS[place % len(COLORS)] for place, one in enumerate(named)]
    return np.array([[int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)] for text in found], dtype=np.float32)


def _named(stack: ImageStack, channels: tuple[int, ...]) -> list[str]:
    colors = (*RGB, *stack.channel_colors[len(RGB) :]) if stack.rgb else stack.channel_colors
    return [colors[channel] if channel < len(colors) else "" for channel in channels]
