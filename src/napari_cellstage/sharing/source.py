"""Where the data of a run are, and how they are read: class folders or a project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_cellstage.core.folders import read_class_folders
from napari_cellstage.core.store import DATABASE, SUFFIX
from napari_cellstage.session import Session
from napari_cellstage.sharing.contents import BundleError
from napari_cellstage.sharing.gather import Source


def data_of(run: Path, card: Mapping[str, Any], given: Path | None) -> Path:
    """Return where the data of a run are.

    Parameters
    ----------
    run, card
        Its folder and card.
    given
        Where the user says they are; None: where the run says.

    Raises
    ------
    BundleError
        If nobody knows, or they are not there.
    """
    inside = run.resolve().parent.parent
    if given is None and run.resolve().parent.name == "runs" and is_project(inside):
        return inside
    told = card.get("data")
    if given is None and not told:
        raise BundleError(f"'{run}' does not say what it was trained on. Name its data with --data.")
    data = given or Path(str(told))
    if not data.exists():
        who = "There is nothing at" if given else "The data of this run are no longer at"
        raise BundleError(f"{who} '{data}'. Say with --data where they are now.")
    return data


def is_project(folder: Path) -> bool:
    """Tell whether this is a project."""
    return folder.suffix == SUFFIX or (folder / DATABASE).is_file()


def read_source(data: Path, card: Mapping[str, Any]) -> Source:
    """Read the data of a run.

    Parameters
    ----------
    data
        A project, or class folders.
    card
        Of the run: how its cells were grouped, and how large their pictures were.

    Raises
    ------
    CellStageError
        If they can't be read.
    """
    if is_project(data):
        session = Session()
        session.open_project(data)
        try:
            return session.snapshot()
        finally:
            session.close()
    shape: list[int] = list((card.get("crops") or {}).get("shape") or [])
    size = (int(shape[1]), int(shape[2])) if len(shape) == 3 else None
    return read_class_folders(data, card.get("group_from"), size).hashed()
