"""The work of opening files, for a worker."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.images import ImageStack, find_images
from napari_cellstage.core.label_companions import find_companions, in_label_folder
from napari_cellstage.core.reading.gather import Gathered, gather, open_series, with_axes
from napari_cellstage.core.reading.series_names import Series
from napari_cellstage.core.steps import relayed
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.ui.opening_sheets import Looked, sheet_offers
from napari_cellstage.ui.workers import ShouldStop


def opening(
    paths: list[Path],
    answers: dict[str, str],
    with_series: bool,
    images_of_labels: Sequence[Path] | None,
    should_stop: ShouldStop,
) -> Generator[BatchDone, None, Gathered]:
    """Open files, telling how far it is."""
    opened = yield from counted(gather(paths, answers, should_stop, with_series, images_of_labels))
    opened.note_channels()
    return opened


def counted(work: Generator[tuple[int, int], None, Gathered]) -> Generator[BatchDone, None, Gathered]:
    """Tell how far opening is."""
    return relayed(work, lambda step: BatchDone("opening images", *step))


def looking(
    paths: list[Path], answers: dict[str, str], known: list[Path], should_stop: ShouldStop
) -> Generator[BatchDone, None, Looked]:
    """Open files, but for class folders and label images: those are asked about."""
    offers = [one for one in sheet_offers(paths) if not _holds_labels(one.root)]
    others = [path for path in paths if path not in {offer.root for offer in offers}]
    return Looked((yield from opening(others, answers, True, known, should_stop)), offers)


def _holds_labels(root: Path) -> bool:
    return in_label_folder(find_companions(find_images(root))[0], root)


def opening_series(
    series: Series, answers: dict[str, str], _should_stop: ShouldStop
) -> Generator[BatchDone, None, Gathered]:
    """Open numbered files as one image."""
    yield from ()
    made = Gathered()
    made.add(open_series(series, answers))
    made.note_channels()
    return made


def opening_as(stacks: list[ImageStack], axes: str, should_stop: ShouldStop) -> Generator[BatchDone, None, Gathered]:
    """Open images again, with the axes that were given."""
    made = Gathered()
    for done, stack in enumerate(stacks):
        yield BatchDone("opening images", done, len(stacks))
        if should_stop():
            break
        try:
            made.add(with_axes(stack, axes))
        except ImageError as error:
            made.failed.append(str(error))
    made.note_channels()
    return made
