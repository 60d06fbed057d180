"""The images of a folder tree, in the order in which people sort names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from napari_cellstage.core.reading.choose import ENDINGS
from napari_cellstage.core.reading.plugins import plugin_endings
from napari_cellstage.core.reading.zarr_layout import is_zarr

PROJECT_ENDING = ".cellstage"


def can_open(path: Path | str) -> bool:
    """Tell by its name whether a file or folder may be an image."""
    path = Path(path)
    ending = path.suffix.lower()
    return ending in ENDINGS or ending in plugin_endings() or (path.is_dir() and is_zarr(path))


def find_images(path: Path | str) -> list[Path]:
    """Return the images of a folder tree, sorted as people sort, or the file itself.

    A Zarr folder is one image; hidden files, and projects with the pictures in them, are left out.
    """
    path = Path(path)
    if not path.is_dir() or can_open(path):
        return [path]
    return sorted(_below(path), key=as_people_sort)


def as_people_sort(path: Path) -> tuple[tuple[tuple[int, int, str], ...], ...]:
    """Return a key by which ``img2`` comes before ``img10``."""
    return tuple(
        tuple(
            (0, int(one), "") if one.isdecimal() else (1, 0, one.casefold()) for one in re.split(r"(\d+)", part) if one
        )
        for part in path.parts
    )


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        here = Path(root)
        images = [name for name in folders if can_open(here / name)]
        yield from (here / name for name in images)
        folders[:] = [
            n for n in folders if n not in images and not n.startswith(".") and not n.endswith(PROJECT_ENDING)
        ]
        yield from (here / name for name in files if not name.startswith(".") and can_open(name))
