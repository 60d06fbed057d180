"""Finding cells in a stack: whole frames where they are small, else block by block within bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellsError
from napari_cellstage.core.finding.method import METHODS, Levels
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.finding.stitching import Block, Stitcher
from napari_cellstage.core.finding.targets import target_for
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.sampling import sample_windows
from napari_cellstage.core.volumes import LabelVolume

# A frame of up to so many pixels is one block; finding needs about a hundred bytes a pixel.
WHOLE = 12_000_000
CORE = 2048
# Blocks at work at a time; most of the work is in numpy, scipy and scikit-image, which let other threads run.
_WORKERS = 2
Found = NDArray[np.int32] | CellsError


def find_in_stack(
    stack: ImageStack, settings: SegmentSettings, should_stop: Callable[[], bool], scratch: Path | None
) -> Generator[tuple[int, int], None, LabelVolume]:
    """Find the cells of every time point; see `segment.find_cells_in_stack`."""
    frames, _, depth, height, width = stack.shape
    shape = (frames, depth, height, width)
    cores = cores_of(depth, height, width)
    stitcher = Stitcher(target_for(shape, scratch))
    problem: CellsError | None = None
    jobs = _jobs(stack, settings, cores)
    for done, (block, found) in enumerate(_in_order(jobs, should_stop), start=1):
        if isinstance(found, CellsError):  # one dark frame of a movie must not cost the others
            problem = found
        else:
            stitcher.add(block, found)
        yield done, frames * len(cores)
    if not stitcher.last_id and problem is not None:
        raise problem
    return stitcher.finish()


def cores_of(depth: int, height: int, width: int) -> list[tuple[slice, slice]]:
    """Return rows and columns of the cores that cover a frame once, row by row; a small frame is one."""
    if depth * height * width <= WHOLE:
        return [(slice(0, height), slice(0, width))]
    side = int(np.sqrt(CORE**2 / depth)) // 256 * 256
    return squares(min(CORE, max(256, side)), height, width)


def squares(side: int, height: int, width: int) -> list[tuple[slice, slice]]:
    """Return rows and columns of squares that cover a frame once, row by row."""
    return [
        (slice(top, min(top + side, height)), slice(left, min(left + side, width)))
        for top, left in product(range(0, height, side), range(0, width, side))
    ]


def with_margin(t: int, core: tuple[slice, slice], margin: int, height: int, width: int) -> Block:
    """Return the block of a core."""
    return Block(t, *core, _wider(core[0], margin, height), _wider(core[1], margin, width))


def _jobs(
    stack: ImageStack, settings: SegmentSettings, cores: list[tuple[slice, slice]]
) -> Iterator[tuple[Block, Callable[[], Found]]]:
    """Yield the blocks, and what finds their cells."""
    for t in range(stack.shape[0]):
        if len(cores) == 1:
            block = Block(t, *cores[0], *cores[0])
            yield block, partial(_find, stack, settings, block, None)
            continue
        try:
            levels = _levels(stack, settings, t)
        except CellsError as error:
            yield from ((Block(t, *core, *core), partial(_failed, error)) for core in cores)
            continue
        margin = METHODS[settings.method].margin(settings, levels)
        for core in cores:
            block = with_margin(t, core, margin, *stack.shape[3:])
            yield block, partial(_find, stack, settings, block, levels)


def _in_order(
    jobs: Iterator[tuple[Block, Callable[[], Found]]], should_stop: Callable[[], bool]
) -> Iterator[tuple[Block, Found]]:
    """Yield what is found in each block; the next ones are read and looked through meanwhile."""
    pool = ThreadPoolExecutor(_WORKERS)
    waiting: deque[tuple[Block, Future[Found]]] = deque()
    try:
        for block, job in jobs:
            if should_stop():
                break
            waiting.append((block, pool.submit(job)))
            if len(waiting) > _WORKERS:
                first, found = waiting.popleft()
                yield first, found.result()
        for block, found in waiting:
            yield block, found.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _levels(stack: ImageStack, settings: SegmentSettings, t: int) -> Levels:
    depth, height, width = stack.shape[2:]
    sample = [_read(stack, settings, t, *window) for window in sample_windows(depth, height, width)]
    lively = [part for part in sample if np.ptp(part[0]) > 0]  # the empty glass around a section tells nothing
    return METHODS[settings.method].calibrate(lively or sample[:1], settings)


def _find(stack: ImageStack, settings: SegmentSettings, block: Block, levels: Levels | None) -> Found:
    method = METHODS[settings.method]
    try:
        pixels = _read(stack, settings, block.t, block.outer_rows, block.outer_columns)
        found = method.find(pixels, settings, method.calibrate([pixels], settings) if levels is None else levels)
    except CellsError as error:
        return error
    return found if found.any() else nothing_found(settings)


def _failed(error: CellsError) -> Found:
    return error


def _read(stack: ImageStack, settings: SegmentSettings, t: int, rows: slice, columns: slice) -> NDArray[Any]:
    """Return ``(C, Z, h, w)`` of the channels a method looks at."""
    planes = [stack.region(t, z, settings.channels, rows, columns) for z in range(stack.shape[2])]
    return np.stack(planes, axis=1)


def _wider(part: slice, margin: int, length: int) -> slice:
    return slice(max(0, part.start - margin), min(length, part.stop + margin))


def nothing_found(settings: SegmentSettings) -> CellsError:
    """Return the error for an image without cells."""
    largest = f"{settings.max_diameter:g}" if settings.max_diameter else "any size"
    return CellsError(
        f"No cells were found with sensitivity {settings.sensitivity:g} and diameters from "
        f"{settings.min_diameter:g} to {largest}. "
        "Raise the sensitivity, change the size limits, or choose the channel in which the nuclei are bright."
    )
