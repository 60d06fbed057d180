"""Built-in synthetic colour photographs of dividing eggs through a paper microscope: fields, and crops by stage.

Nothing here is real data, and names say so. It stands for phone photographs of roundworm (Ascaris) slides stained with
haematoxylin, as JPEG files: shells, pale pink cells, blue to purple chromatin.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.images import from_array
from napari_cellstage.sample_cells import TILE, Brush
from napari_cellstage.sample_data import SampleField
from napari_cellstage.sample_eggs import EGG_STAGES, SHELL, draw_egg
from napari_cellstage.sample_phone import Floats, Phone, Photograph, View, photographed

SIDE = 112
WIDTH, HEIGHT = 1200, 900
WIDTH_8_MEGAPIXELS = 3264
PER_SLIDE = 10  # eggs of each stage that were photographed on one slide, with one phone and lamp
_OF_SLIDE, _OF_CELL, _OF_FIELD = 4, 5, 6  # chance is drawn apart for each
_APART = 2 * SHELL * 1.0
_IN_FIELD = 0.78  # how far from the middle eggs lie, in half heights
_TRIES = 4000
_SMALLEST_WIDTH = 400


def photograph_crops(per_class: int = 60, seed: int = 0) -> CropSet:
    """Make synthetic photographs of single eggs in five stages.

    Parameters
    ----------
    per_class
        How many of each stage. The first n are the same however many are asked for.
    seed
        Same seed, same pixels.

    Returns
    -------
    CropSet
        Crops ``(5 * per_class, 3, 112, 112)`` uint8, stage by stage. A group is a slide, on which all stages were
        photographed with one phone and lamp.

    Raises
    ------
    CellsError
        If fewer than one a stage are asked for.
    """
    crops = np.stack(list(drawn_photographs(per_class, seed)))
    return CropSet(
        crops=np.ascontiguousarray(crops.transpose(0, 3, 1, 2)),
        masks=None,
        labels=np.repeat(np.arange(len(EGG_STAGES)), per_class),
        classes=EGG_STAGES,
        names=photograph_names(per_class),
        groups=np.array([_slide_name(number) for _ in EGG_STAGES for number in range(per_class)], dtype=np.str_),
        channel_names=("red", "green", "blue"),
    )


def drawn_photographs(per_class: int, seed: int = 0) -> Iterator[Photograph]:
    """Yield the crops of `photograph_crops` one by one, ``(112, 112, 3)``, in the order of `photograph_names`."""
    if per_class < 1:
        raise CellsError(f"{per_class} crops a class can't be made. Ask for 1 or more.")
    for stage, number in product(EGG_STAGES, range(per_class)):
        yield draw_photograph(seed, stage, number)


def photograph_names(per_class: int) -> tuple[str, ...]:
    """Return ``"metaphase/slide02_synthetic_0017.jpg"`` and so on; what stands before the first ``_`` is the group."""
    return tuple(f"{stage}/{_slide_name(n)}_synthetic_{n:04d}.jpg" for stage in EGG_STAGES for n in range(per_class))


def draw_photograph(seed: int, stage: str, number: int) -> Photograph:
    """Draw one synthetic crop ``(112, 112, 3)``: egg `number` of a stage out of `EGG_STAGES`."""
    rng = np.random.default_rng((seed, _OF_CELL, EGG_STAGES.index(stage), number))
    phone = Phone.drawn(np.random.default_rng((seed, _OF_SLIDE, number // PER_SLIDE)))
    angle, out = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, _IN_FIELD**2)) * HEIGHT / 2
    top = int(HEIGHT / 2 + out * np.sin(angle) - TILE / 2)
    left = int(WIDTH / 2 + out * np.cos(angle) - TILE / 2)
    stains = draw_egg(stage, Brush(rng)).stains + _slide(rng, (TILE, TILE))
    picture = photographed(rng, stains, phone, View((TILE, TILE), top, left, (HEIGHT, WIDTH)))
    y, x = (TILE - SIDE) // 2 + rng.integers(-3, 4, 2)
    return picture[y : y + SIDE, x : x + SIDE].copy()


def photograph_field(seed: int = 0, cells: int = 16, width: int = WIDTH) -> SampleField:
    """Make a synthetic photograph of a slide with eggs in five stages, with their labels.

    Parameters
    ----------
    seed
        Same seed, same photograph.
    cells
        How many eggs.
    width
        In pixels; the height is three quarters of it. `WIDTH_8_MEGAPIXELS` gives what a phone's file has.

    Returns
    -------
    SampleField
        Red, green and blue, uint8; labels are eggs with their shells.

    Raises
    ------
    CellsError
        If there is no room for so many eggs, or the picture would be too small to show anything.
    """
    if width < _SMALLEST_WIDTH:
        raise CellsError(f"A photograph {width} pixels wide shows no cells. Ask for {_SMALLEST_WIDTH} or more.")
    rng = np.random.default_rng((seed, _OF_FIELD))
    stages = [EGG_STAGES[n % len(EGG_STAGES)] for n in rng.permutation(cells)]
    stains, labels = _eggs(rng, stages)
    shape = (round(width * HEIGHT / WIDTH), width)
    picture = photographed(rng, _resized(stains, shape), Phone.drawn(rng), View(shape, 0, 0, shape))
    stack = from_array(picture, "YXS", f"synthetic paper microscope photograph (seed {seed})")
    return SampleField(stack, _resized_labels(labels, shape), EGG_STAGES, np.array(stages, dtype=np.str_))


def _eggs(rng: np.random.Generator, stages: list[str]) -> tuple[Floats, NDArray[np.int32]]:
    """Return stains ``(HEIGHT, WIDTH, 2)`` and labels of a field."""
    stains = np.pad(_slide(rng, (HEIGHT, WIDTH)), ((TILE, TILE), (TILE, TILE), (0, 0)))
    labels = np.zeros(stains.shape[:2], dtype=np.int32)
    brush = Brush(rng)
    for cell_id, (stage, (y, x)) in enumerate(zip(stages, _middles(rng, len(stages)), strict=True), start=1):
        top, left = y + TILE // 2, x + TILE // 2
        egg, window = draw_egg(stage, brush), np.s_[top : top + TILE, left : left + TILE]
        stains[window] += egg.stains
        labels[window][egg.mask & (labels[window] == 0)] = cell_id
    inner = np.s_[TILE : TILE + HEIGHT, TILE : TILE + WIDTH]
    return stains[inner], labels[inner]


def _slide(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Return ``(*shape, 2)`` stain of a slide between the eggs: pale pink, with smears."""
    smears = gaussian_filter(rng.standard_normal((*shape, 2), dtype=np.float32), (14, 14, 0)) * np.float32(25)
    fine = gaussian_filter(rng.standard_normal((*shape, 2), dtype=np.float32), (1.5, 1.5, 0)) * np.float32(3)
    pale = np.array((0.004, 0.012), dtype=np.float32)
    return np.asarray(np.clip(pale * (1 + np.float32(0.35) * smears + np.float32(0.25) * fine), 0, None))


def _resized(stains: Floats, shape: tuple[int, int]) -> Floats:
    if stains.shape[:2] == shape:
        return stains
    factors = (shape[0] / stains.shape[0], shape[1] / stains.shape[1], 1)
    return np.asarray(zoom(stains, factors, order=1), dtype=np.float32)


def _resized_labels(labels: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    rows, columns = (np.arange(n) * old // n for n, old in zip(shape, labels.shape, strict=True))
    return labels[np.ix_(rows, columns)][None, None]


def _middles(rng: np.random.Generator, cells: int) -> NDArray[np.intp]:
    """Place eggs in the round field, none on another; ``(cells, 2)`` y and x."""
    angle, out = rng.uniform(0, 2 * np.pi, _TRIES), np.sqrt(rng.uniform(0, 1, _TRIES)) * _IN_FIELD * HEIGHT / 2
    tries = np.stack((HEIGHT / 2 + out * np.sin(angle), WIDTH / 2 + out * np.cos(angle)), axis=1)
    placed = np.empty((0, 2))
    for one in tries:
        if len(placed) < cells and np.hypot(*(placed - one).T).min(initial=HEIGHT) >= _APART:
            placed = np.vstack((placed, one))
    if len(placed) < cells:
        raise CellsError(f"{cells} eggs have no room in one photograph, only {len(placed)}. Ask for fewer.")
    return placed.astype(np.intp).reshape(-1, 2)


def _slide_name(number: int) -> str:
    return f"slide{number // PER_SLIDE + 1:02d}"
