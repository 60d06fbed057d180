"""Built-in synthetic microtubules under paclitaxel, with their truth: single-cell crops, and whole fields.

Nothing here is real data, and names say so. The data that it stands for: 8-bit crops of 300 x 300 pixels of CV-1 cells,
tubulin antibody, 63x widefield, exposed to 0, 0.1 and 1; 1,000 crops a class for training and 100 for the test
(Shpilman et al.). What the drug does differs from cell to cell, and some cells do not answer to it at all, so that
classes overlap: 0 against the others is fairly easy, 0.1 against 1 is hard even for who knows each cell's effect.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.images import from_array
from napari_cellstage.sample_data import SampleField
from napari_cellstage.sample_filaments import grow_network, place_nucleus
from napari_cellstage.sample_outlines import Floats, Outline, pressed, spread_outline
from napari_cellstage.sample_widefield import Microscope, Place, cell_light, photographed

DOSES = ("0", "0.1", "1")
SIDE = 300
PIXEL_SIZE_UM = 0.1
PER_DAY = 20  # cells of each dose that were photographed on one day, with one setting of the microscope
_MEAN_EFFECT = {"0": 0.0, "0.1": 2.9, "1": 4.3}
_NO_ANSWER = 0.10  # share of cells that the drug does nothing to
_RADIUS = (118.0, 150.0)
_CROP_LEVEL, _FIELD_LEVEL = 48.0, 40.0
_TILE = 440
_APART = (195.0, 255.0)  # middles of neighbours in a field
_MARGIN, _TRIES = 70, 400
_OF_DAY, _OF_CELL, _OF_FIELD = 1, 2, 3  # chance is drawn apart for each, so that a cell never depends on another


def microtubule_crops(per_class: int = 1100, seed: int = 0, threads: int | None = None) -> CropSet:
    """Make synthetic crops of single cells under the doses ``"0"``, ``"0.1"`` and ``"1"``.

    Parameters
    ----------
    per_class
        How many of each dose. The first n are the same however many are asked for.
    seed
        Same seed, same pixels.
    threads
        Cells drawn at a time; None: one a processor.

    Returns
    -------
    CropSet
        Crops ``(3 * per_class, 1, 300, 300)`` uint8, dose by dose. A group is a day of photographs, on which all doses
        were taken with one setting of the microscope.

    Raises
    ------
    CellsError
        If fewer than one a dose are asked for.
    """
    crops = np.empty((len(DOSES) * per_class if per_class > 0 else 0, 1, SIDE, SIDE), dtype=np.uint8)
    for row, crop in enumerate(drawn_crops(per_class, seed, threads)):
        crops[row, 0] = crop
    return CropSet(
        crops=crops,
        masks=None,
        labels=np.repeat(np.arange(len(DOSES)), per_class),
        classes=DOSES,
        names=crop_names(per_class),
        groups=np.array([_day_name(number) for _ in DOSES for number in range(per_class)], dtype=np.str_),
        channel_names=("tubulin",),
    )


def drawn_crops(per_class: int, seed: int = 0, threads: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """Yield the crops of `microtubule_crops` one after the other, ``(300, 300)`` each, in the order of `crop_names`."""
    if per_class < 1:
        raise CellsError(f"{per_class} crops a class can't be made. Ask for 1 or more.")
    threads = threads or os.cpu_count() or 1
    waiting: deque[Future[NDArray[np.uint8]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for dose, number in product(DOSES, range(per_class)):
            waiting.append(pool.submit(draw_crop, seed, dose, number))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def crop_names(per_class: int) -> tuple[str, ...]:
    """Return ``"0.1/day03_synthetic_0042.tif"`` and so on; what stands before the first ``_`` is the group."""
    return tuple(
        f"{dose}/{_day_name(number)}_synthetic_{number:04d}.tif" for dose in DOSES for number in range(per_class)
    )


def published_test(crops: CropSet) -> NDArray[np.bool_]:
    """Return which crops are the test as published, True for the last eleventh of each class: 100 of 1,100.

    Of crops by the multiple of 220 a class, such as 1,100, no day is in both parts.
    """
    test = np.zeros(len(crops), dtype=np.bool_)
    for label in range(len(crops.classes)):
        rows = np.flatnonzero(crops.labels == label)
        test[rows[len(rows) - max(len(rows) // 11, 1) :]] = len(rows) > 1
    return test


def effects(per_class: int, seed: int = 0) -> NDArray[np.float64]:
    """Return what the drug does to the cell of each crop, ``(3 * per_class,)``: the truth behind the classes."""
    return np.array([_effect(_cell_rng(seed, dose, n), dose) for dose in DOSES for n in range(per_class)])


def draw_crop(seed: int, dose: str, number: int) -> NDArray[np.uint8]:
    """Draw one synthetic crop ``(300, 300)``: cell `number` of a dose out of `DOSES`."""
    rng = _cell_rng(seed, dose, number)
    effect = _effect(rng, dose)
    microscope = Microscope.drawn(np.random.default_rng((seed, _OF_DAY, number // PER_DAY)))
    outline = spread_outline(rng, rng.uniform(*_RADIUS))
    place = Place((SIDE, SIDE), *(SIDE / 2 + rng.uniform(-6, 6, 2)))
    return photographed(rng, _light(rng, outline, effect, place, microscope), microscope, _CROP_LEVEL)


def microtubule_field(seed: int = 0, size: int = 1400, cells: int = 18, dose: str | None = None) -> SampleField:
    """Make a synthetic field of spread cells that touch, with their labels.

    Parameters
    ----------
    seed
        Same seed, same field.
    size
        Side in pixels.
    cells
        How many.
    dose
        Out of `DOSES`; None: all three side by side, which no dish has, so that one field is enough to try things on.

    Returns
    -------
    SampleField
        Channel tubulin, uint8; labels are whole cells.

    Raises
    ------
    CellsError
        If there is no such dose, or no room for so many cells.
    """
    if dose is not None and dose not in DOSES:
        raise CellsError(f"There is no dose '{dose}' in the sample. Choose one of: {', '.join(DOSES)}.")
    rng = np.random.default_rng((seed, _OF_FIELD))
    microscope = Microscope.drawn(rng)
    doses = [dose or DOSES[n % len(DOSES)] for n in rng.permutation(cells)]
    light, labels = _colony(rng, microscope, doses, size)
    pixels = photographed(rng, light, microscope, _FIELD_LEVEL)
    name = f"synthetic microtubules under paclitaxel{f' {dose}' if dose else ''} (seed {seed})"
    um = (1.0, PIXEL_SIZE_UM, PIXEL_SIZE_UM)
    stack = from_array(pixels, "YX", name, channel_names=("tubulin",), pixel_size_um=um)
    return SampleField(stack, labels[None, None], DOSES, np.array(doses, dtype=np.str_))


def _colony(
    rng: np.random.Generator, microscope: Microscope, doses: list[str], size: int
) -> tuple[Floats, NDArray[np.int32]]:
    """Return light and labels of a field; where thin edges lie on one another, a pixel is the nearer cell's."""
    light = np.zeros((size + 2 * _TILE, size + 2 * _TILE), dtype=np.float32)
    nearest = np.ones(light.shape, dtype=np.float32)
    labels = np.zeros(light.shape, dtype=np.int32)
    place = Place((_TILE, _TILE), _TILE / 2, _TILE / 2)
    middles = _middles(rng, size, len(doses))
    for cell_id, (dose, middle) in enumerate(zip(doses, middles, strict=True), start=1):
        towards = np.delete(middles, cell_id - 1, axis=0) - middle
        outline = pressed(spread_outline(rng, rng.uniform(*_RADIUS)), towards)
        top, left = middle + _TILE // 2
        window = np.s_[top : top + _TILE, left : left + _TILE]
        light[window] += _light(rng, outline, _effect(rng, dose), place, microscope)
        share = outline.share(*place.grid())
        own = share < nearest[window]
        labels[window][own], nearest[window][own] = cell_id, share[own]
    inner = np.s_[_TILE : _TILE + size, _TILE : _TILE + size]
    return light[inner], labels[inner].copy()


def _light(rng: np.random.Generator, outline: Outline, effect: float, place: Place, microscope: Microscope) -> Floats:
    nucleus = place_nucleus(rng, outline)
    network = grow_network(rng, outline, nucleus, effect)
    return cell_light(rng, network, outline, nucleus, place, microscope.haze)


def _cell_rng(seed: int, dose: str, number: int) -> np.random.Generator:
    return np.random.default_rng((seed, _OF_CELL, DOSES.index(dose), number))


def _effect(rng: np.random.Generator, dose: str) -> float:
    """Draw what a dose does to one cell: about 0 without an effect, 3 to 5 with it."""
    answers = rng.random() >= _NO_ANSWER
    return float(rng.normal(_MEAN_EFFECT[dose] if answers else 0.0, 1.0))


def _day_name(number: int) -> str:
    return f"day{number // PER_DAY + 1:02d}"


def _middles(rng: np.random.Generator, size: int, cells: int) -> NDArray[np.intp]:
    """Place cells one beside another, so that they touch as in a colony; ``(cells, 2)`` y and x."""
    placed = np.empty((0, 2))
    for number in range(cells):
        if number == 0:
            tries = rng.uniform(0.35 * size, 0.65 * size, (1, 2))
        else:
            angle, away = rng.uniform((0, _APART[0]), (2 * np.pi, _APART[1]), (_TRIES, 2)).T
            beside = placed[rng.integers(0, number, _TRIES)]
            tries = beside + away[:, None] * np.stack((np.sin(angle), np.cos(angle)), axis=1)
        apart = np.sort(np.hypot(*(tries[:, None] - placed[None]).transpose(2, 0, 1)), axis=1)
        inside = ((tries >= _MARGIN) & (tries <= size - _MARGIN)).all(axis=1)
        free = np.flatnonzero(inside & (apart[:, :1] >= _APART[0] - 5).all(axis=1))
        if not len(free):
            raise CellsError(f"{cells} cells have no room in {size} x {size} pixels, only {number}. Ask for fewer.")
        closest = free[:8][apart[free[:8], :3].sum(axis=1).argmin()]
        placed = np.vstack((placed, tries[closest]))
    return placed.astype(np.intp).reshape(-1, 2)
