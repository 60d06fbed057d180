"""Many small fields predicted together, so that a batch holds windows of several of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.stain.fields import Field
from napari_cellstage.stain.layout import Layout
from napari_cellstage.stain.mosaic import Mosaic, Place, windows_of
from napari_cellstage.stain.one_image import Work

Floats = NDArray[np.float32]


@dataclass(eq=False)
class _Half:
    """A field of which some windows are answered."""

    layout: Layout
    channels: int
    left: int
    answer: Floats = field(init=False)
    mosaic: Mosaic = field(init=False)

    def __post_init__(self) -> None:
        size = (self.layout.down.length, self.layout.across.length)
        self.answer = np.empty((self.channels, self.layout.depth_out, *size), np.float32)
        self.mosaic = Mosaic(self.layout, self.channels, self._put)

    def _put(self, row: int, column: int, part: Floats) -> None:
        self.answer[:, :, row : row + part.shape[2], column : column + part.shape[3]] = part


def predicted(
    work: Work, fields: Sequence[Callable[[], Field]], should_stop: Callable[[], bool]
) -> Iterator[tuple[int, Floats]]:
    """Yield the place of each field and what is predicted for it, in order, until stopped.

    Parameters
    ----------
    work
        The model.
    fields
        Each is made when it is its turn.
    should_stop
        Asked between batches.

    Yields
    ------
    tuple
        Place, and ``(2 S, Zout, h, w)`` means and widths in scaled units.
    """
    halves = dict[int, _Half]()

    def windows() -> Iterator[tuple[tuple[int, Place], Floats]]:
        for number, make in enumerate(fields):
            one = make()
            layout = work.layout(one.shape[0], one.size)
            halves[number] = _Half(layout, work.channels[1], layout.count)
            for place, seen in windows_of(one, layout):
                yield (number, place), seen

    for batch in work.asker.answers(windows(), should_stop):
        for (number, place), answer in batch:
            half = halves[number]
            half.mosaic.add(place, answer)
            half.left -= 1
            if not half.left:
                half.mosaic.finish()
                yield number, halves.pop(number).answer
