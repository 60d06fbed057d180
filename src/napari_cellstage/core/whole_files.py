"""Files and folders that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from napari_cellstage.core.errors import ProjectError

PART = ".part-"  # begins the name of what is being written


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file so that its name never holds a part of it, not even after a power cut."""
    beside = path.with_name(f"{PART}{path.name}")
    try:
        path.parent.mkdir(exist_ok=True)
        write(beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ProjectError(
            f"'{path}' can't be written: {reason_of(error)}. This change was not made; everything before it is safe. "
            "Free disk space or check the drive, and do it again."
        ) from error


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, and put it in its place, flushed to the disk, once that was done without an error."""
    beside = folder.with_name(f"{PART}{folder.name}")
    folder.parent.mkdir(exist_ok=True)  # not its parents, so that a project that was moved is not begun anew there
    shutil.rmtree(beside, ignore_errors=True)
    try:
        yield beside
        _flush_tree(beside)
        beside.replace(folder)
        flush_folder(folder.parent)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _flush_tree(folder: Path) -> None:
    """Make every file of a folder durable before the folder gets its name."""
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("rb+") as file, contextlib.suppress(OSError):
                os.fsync(file.fileno())
        flush_folder(Path(place))


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    if os.name == "nt":  # Windows can't open folders, and renames are durable there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def reason_of(error: BaseException) -> str:
    """Return what the system says is wrong, to go in the middle of a sentence."""
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]
