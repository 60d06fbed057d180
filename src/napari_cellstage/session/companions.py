"""Cells of images read from label images beside them: which go where, the reading, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.image_records import ImageEntry
from napari_cellstage.core.label_companions import Companion
from napari_cellstage.learn.events import BatchDone

if TYPE_CHECKING:
    from napari_cellstage.core.images import ImageStack
    from napari_cellstage.session import Session


@dataclass
class Adoption:
    """What became of label images.

    Parameters
    ----------
    images, cells
        How many images have cells from them, and how many cells.
    kept
        How many images had cells already, which stayed.
    problems
        A sentence for each that could not be used.
    """

    images: int = 0
    cells: int = 0
    kept: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to tell, besides the problems."""
        made = f"{_images(self.images)} got {self.cells:,} cells from the label images beside them."
        kept = f"{_images(self.kept)} had cells already, and kept them. To replace them open the label images alone."
        return tuple(text for text, count in ((made, self.images), (kept, self.kept)) if count)


@dataclass(frozen=True)
class Adopted:
    """Cells of one image, read from a file."""

    image_id: int
    labels: Any

    def put(self, session: Session) -> None:
        """Make them the cells of the image."""
        session.set_labels(self.labels, self.image_id)


@dataclass(frozen=True)
class _Place:
    image_id: int
    file: Path
    opened: Callable[[], ImageStack | None]


def cells_of(session: Session, companions: Sequence[Companion]) -> int:
    """Return how many of the images have cells."""
    return sum(bool(cells) for entry in _entries(session, companions) for cells in [_counts(session)[entry.image_id]])


def adopting(
    session: Session, companions: Sequence[Companion], anew: bool
) -> Callable[[Callable[[], bool]], Generator[BatchDone | Adopted, None, Adoption]]:
    """Return the work of reading the cells of images, which yields `Adopted` for each.

    Parameters
    ----------
    session
        Asked now, not in the worker, which images are open.
    companions
        Label images.
    anew
        Whether cells that are there are replaced.
    """
    made, places = Adoption(), []
    counts, open_now = _counts(session), _by_path(session)
    for one in companions:
        entries = open_now.get(one.image.absolute(), [])
        if len(entries) != 1:
            made.problems.append(_why_not(one, len(entries)))
        elif counts[entries[0].image_id] and not anew:
            made.kept += 1
        else:
            places.append(_Place(entries[0].image_id, one.labels, partial(getattr, entries[0], "stack")))
    cache = session.project.cache if session.project else None
    return partial(_adopting, places, cache, made)


def _adopting(
    places: list[_Place], cache: Path | None, made: Adoption, should_stop: Callable[[], bool]
) -> Generator[BatchDone | Adopted, None, Adoption]:
    from napari_cellstage.core.companion_labels import read_companion  # slow to load

    for done, place in enumerate(places):
        yield BatchDone("reading cells", done, len(places))
        if should_stop():
            break
        try:
            stack = place.opened()
            if stack is None:
                made.problems.append(f"'{place.file.name}' was left out: the file of its image is missing.")
                continue
            scratch = None if cache is None else cache / f"read-{uuid4().hex}.zarr"
            labels = read_companion(place.file, stack, scratch)
        except CellStageError as error:
            made.problems.append(f"{place.file.name}: {error}")
            continue
        made.images, made.cells = made.images + 1, made.cells + len(labels.cells or ())
        yield Adopted(place.image_id, labels)
    return made


def _why_not(one: Companion, found: int) -> str:
    if found:
        return f"'{one.labels.name}' was left out: '{one.image.name}' holds {found} images, and it can't be told whose."
    return (
        f"'{one.labels.name}' was left out: '{one.image.name}' is not open as an image of its own. Open that first, "
        "then the label image."
    )


def _counts(session: Session) -> dict[int, int]:
    return {state.image_id: state.cells or 0 for state in session.image_states()}


def _by_path(session: Session) -> dict[Path, list[ImageEntry]]:
    made: dict[Path, list[ImageEntry]] = {}
    for entry in session.images:
        made.setdefault(entry.place, []).append(entry)
    return made


def _entries(session: Session, companions: Sequence[Companion]) -> list[ImageEntry]:
    open_now = _by_path(session)
    return [entry for one in companions for entry in open_now.get(one.image.absolute(), [])]


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
