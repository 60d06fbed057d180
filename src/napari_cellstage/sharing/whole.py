"""A bundle trained again from its path to the comparison, for scripts and notebooks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.sharing.contents import REFERENCES, BundleError
from napari_cellstage.sharing.opened import open_bundle

if TYPE_CHECKING:
    from napari_cellstage.sharing.rerun import Rerun

Event = Note | BatchDone | EpochDone


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def rerun_bundle(
    path: Path | str,
    data: Path | str | None = None,
    out: Path | str | None = None,
    device: str | None = None,
    say: Callable[[str], object] = _write,
) -> Rerun:
    """Check a bundle, train it again, and compare the figures.

    Parameters
    ----------
    path
        A folder or a zip.
    data
        Where the data are, for a bundle that has no pictures.
    out
        Folder for the new run; None: it is not kept.
    device
        ``"auto"``, ``"cuda"``, ``"mps"`` or ``"cpu"``; None: as the recipe says.
    say
        What is to be known on the way.

    Raises
    ------
    CellStageError
        If the bundle is not as it was written, or can't be trained.
    """
    places = (None if one is None else Path(one) for one in (data, out))
    work = rerunning_from(Path(path), *places, device=device)
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            found: Rerun = end.value
            return found
        if isinstance(event, Note):
            say(event.text)


def rerunning_from(
    path: Path,
    data: Path | None,
    out: Path | None,
    *,
    device: str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Generator[Event, None, Rerun]:
    """Do `rerun_bundle` step by step."""
    from napari_cellstage.learn.model import read_card
    from napari_cellstage.sharing.contents import MODEL
    from napari_cellstage.sharing.rerun import rerunning
    from napari_cellstage.sharing.source import read_source

    _check_out(path, out)
    yield BatchDone("checking the bundle", 0, 1)
    with open_bundle(path) as bundle:
        yield from map(Note, bundle.notes)
        referring = bundle.manifest.get("pictures") == REFERENCES
        if data is not None and not referring:
            yield Note("The bundle has its own pictures, so the data are not read.")
        if data is not None and not data.exists():
            raise BundleError(f"There is nothing at '{data}'. Say with --data where the data are.")
        crops = {"crops": bundle.manifest.get("crops")}
        source = read_source(data, read_card(bundle.folder / MODEL) | crops) if data and referring else None
        return (yield from rerunning(bundle, source, out, device, should_stop))


def _check_out(path: Path, out: Path | None) -> None:
    """Raise `BundleError` where the new run would be written into the bundle, which it would spoil."""
    if out is not None and path.is_dir() and out.resolve().is_relative_to(path.resolve()):
        raise BundleError(f"'{out}' is inside of the bundle, which then holds what is not of it. Choose another place.")
