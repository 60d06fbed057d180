"""Where exports go: names that every system allows, folders that are empty, and words for what can't be written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from napari_cellstage.core.exporting.source import ExportError
from napari_cellstage.core.whole_files import reason_of

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST = 120


def safe_name(name: str) -> str:
    """Return a file name that Windows, macOS and Linux allow."""
    cleaned = _FORBIDDEN.sub("_", name).strip()[:_LONGEST].rstrip(". ").lstrip(".")
    return f"_{cleaned}" if _RESERVED.fullmatch(cleaned) or not cleaned else cleaned


def distinct_names(names: Iterable[str]) -> list[str]:
    """Return a safe name for each, no two the same, not even where capitals don't count."""
    taken: set[str] = set()
    chosen = []
    for name in names:
        safe = safe_name(name)
        number, candidate = 2, safe
        while candidate.lower() in taken:
            candidate, number = f"{safe} ({number})", number + 1
        taken.add(candidate.lower())
        chosen.append(candidate)
    return chosen


def empty_folder(folder: Path, overwrite: bool) -> None:
    """Make a folder; what is in it stays when it may be written to, else `ExportError`."""
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"'{folder}' is a file, but a folder is needed. Choose another name.")
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        raise ExportError(f"'{folder}' is not empty, and files would be mixed. Choose a new folder, or allow it.")
    make_folder(folder)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def free_file(file: Path, overwrite: bool) -> None:
    """Make the folder of a file; `ExportError` when there is a file already that may not be replaced."""
    if file.is_dir():
        raise ExportError(f"'{file}' is a folder, but a file is needed. Add a file name.")
    if file.exists() and not overwrite:
        raise ExportError(f"'{file}' is there already. Choose another name, or allow it to be replaced.")
    make_folder(file.parent)


def cannot_write(place: Path, error: OSError) -> ExportError:
    """Return the error for what can't be written."""
    return ExportError(f"'{place}' can't be written: {reason_of(error)}. Choose another place, or make room.")
