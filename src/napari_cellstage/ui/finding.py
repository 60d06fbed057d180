"""The work of finding cells, for a worker: in one image, in all, and on the part that is seen."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from napari_cellstage.core.errors import CellStageError, ImageError
from napari_cellstage.core.finding.settings import SegmentSettings
from napari_cellstage.core.images import ImageStack
from napari_cellstage.core.predicted import predicted_among
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.ui.visible import Part
from napari_cellstage.ui.workers import ShouldStop

if TYPE_CHECKING:
    from napari_cellstage.core.finding.method import Levels

# Number and name of an image, and what opens it: None when its file is missing.
Place = tuple[int, str, Callable[[], ImageStack | None]]
Work = Callable[[ShouldStop], Generator[Any, None, Any]]
_STEPS = 1000


@dataclass(frozen=True)
class Found:
    """Cells of one image: labels and the predicted channels they were found in, or why there are none."""

    image_id: int
    name: str
    labels: Any = None
    problem: str = ""
    found_in: str = ""


@dataclass(frozen=True)
class Seen:
    """What a preview found: labels of a part of a plane, and the plane's size."""

    labels: Any
    part: Part
    shape: tuple[int, int]
    count: int
    diameter: float

    @property
    def text(self) -> str:
        """One sentence."""
        rows, columns = self.part
        part = (rows.stop - rows.start, columns.stop - columns.start)
        where = (
            "this plane" if part == self.shape else f"the {part[0]:,} × {part[1]:,} pixels in the middle of the view"
        )
        cells = "1 cell" if self.count == 1 else f"{self.count:,} cells"
        size = f", typically {self.diameter:.0f} pixels across" if self.count else ""
        return f"<b>{cells}</b> in {where}{size}."


def finding(stack: ImageStack, settings: SegmentSettings, cache: Path | None = None) -> Work:
    """Return the work of finding the cells of a stack; its result are the labels.

    Labels larger than memory are written to a folder in `cache`; from the project's own they need not be copied.
    """

    def work(should_stop: ShouldStop) -> Generator[BatchDone, None, Any]:
        for done, total, labels in _found(stack, settings, cache, should_stop):
            if labels is not None:
                return labels
            yield BatchDone("finding cells", done, total)
        return None

    return work


def finding_in_all(
    images: Sequence[Place], settings: SegmentSettings, cache: Path | None = None, stain: str = ""
) -> Work:
    """Return the work of finding the cells of many images, which yields `Found` for each.

    Parameters
    ----------
    images
        In which order.
    settings
        The same for all; the second channel is another one in each where the chosen one does not fit.
    cache
        As for `finding`.
    stain
        The predicted channel to find them in, which has another number in each image.
    """

    def work(should_stop: ShouldStop) -> Generator[BatchDone | Found, None, None]:
        for place, (image_id, name, opened) in enumerate(images):
            title = f"finding cells in image {place + 1} of {len(images)}"
            yield BatchDone(title, place * _STEPS, len(images) * _STEPS)
            try:
                stack = opened()
                if stack is None:
                    yield Found(image_id, name, problem="its file is missing.")
                    continue
                fitting = settings.on(_channel(stack, settings, stain), stack.shape[1])
                for done, total, labels in _found(stack, fitting, cache, should_stop):
                    if labels is None:
                        yield BatchDone(title, place * _STEPS + _STEPS * done // total, len(images) * _STEPS)
                    elif not should_stop():
                        yield Found(image_id, name, labels, found_in=stains_looked_at(stack, fitting))
            except CellStageError as error:
                yield Found(image_id, name, problem=str(error))
            if should_stop():
                return

    return work


def finding_on_plane(
    stack: ImageStack, t: int, z: int, part: Part, settings: SegmentSettings, known: dict[Any, Levels]
) -> Work:
    """Return the work of finding the cells of a part of a plane, whose result is `Seen`.

    Levels are measured on the whole plane, as when cells are found in the image; `known` keeps them, so that moving
    the view doesn't measure again.
    """

    def work(_should_stop: ShouldStop) -> Generator[Any, None, Seen]:
        from napari_cellstage.core.finding.part import find_in_part  # slow to load

        yield from ()
        get_ready(settings)
        fitted = settings.fitted(stack.pixel_size_um)
        key = (id(stack), t, z, fitted)
        if key not in known:
            known.clear()
        labels, known[key], diameter = find_in_part(stack, t, z, part, fitted, known.get(key))
        return Seen(labels, part, stack.shape[-2:], int(labels.max(initial=0)), diameter)

    return work


def stains_looked_at(stack: ImageStack, settings: SegmentSettings) -> str:
    """Return the predicted channels in which cells are found by these settings; empty where there is none."""
    return predicted_among([stack.channel_names[one] for one in settings.channels if one < stack.shape[1]])


def _channel(stack: ImageStack, settings: SegmentSettings, stain: str) -> int:
    own = stack.own_shape[1]
    if not stain and own <= settings.channel < stack.shape[1]:
        raise ImageError(f"its file has no channel {settings.channel}, as it has {own}. Choose another channel for it.")
    if stain and stain not in stack.channel_names:
        raise ImageError(f"it has no channel '{stain}'. Predict that stain for it, or choose another channel.")
    return stack.channel_names.index(stain) if stain else settings.channel


def get_ready(settings: SegmentSettings) -> None:
    """Load torch, for a method that brings it, in the way that survives an open viewer."""
    if settings.method == "cellpose":
        import napari_cellstage.learn.torch_start  # noqa: F401


def _found(
    stack: ImageStack, settings: SegmentSettings, cache: Path | None, should_stop: ShouldStop
) -> Generator[tuple[int, int, Any], None, None]:
    """Yield blocks done, all, and None; at last the labels."""
    from napari_cellstage.core.segment import find_cells_in_stack  # slow to load

    get_ready(settings)
    scratch = None if cache is None else cache / f"found-{uuid4().hex}.zarr"
    steps, done, total = find_cells_in_stack(stack, settings, should_stop, scratch), 0, 1
    while True:
        try:
            done, total = next(steps)
        except StopIteration as end:
            yield done, total, end.value
            return
        yield done, total, None
