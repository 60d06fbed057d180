"""Images whose files have moved, found again in a folder by name and size."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_cellstage.core.errors import ProjectError
from napari_cellstage.core.image_records import ImageEntry


@dataclass(frozen=True)
class Relocated:
    """Which images were found again in a folder, and which were not, by number."""

    found: tuple[int, ...]
    missing: tuple[int, ...]

    @property
    def text(self) -> str:
        """One sentence for the user."""
        found = f"{len(self.found)} of {len(self.found) + len(self.missing)} missing images were found"
        if not self.missing:
            return f"{found}; all are back."
        return f"{found}. Choose another folder for the {len(self.missing)} that are not in this one."


def found_again(entries: Sequence[ImageEntry], folder: Path) -> dict[int, Path]:
    """Return where images are in a folder tree, for those of which a file of the same name and size is there.

    Of several such files the one is taken whose folders are named most alike, and no file is taken twice. Where images
    share a name, the folder must have its old name too.

    Raises
    ------
    ProjectError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise ProjectError(f"'{folder}' is no folder. Choose the folder in which the images are now.")
    wanted = Counter(Path(entry.record.path).name for entry in entries)
    places = _places(folder, set(wanted))
    fitting = []
    for entry in entries:
        old = Path(entry.record.path)
        least = 1 if wanted[old.name] == 1 else 2
        alike = ((_alike(path, old), path) for path in places.get(old.name, ()) if _size(path) == entry.record.size)
        fitting += [(-score, str(path), entry.image_id) for score, path in alike if score >= least]
    found: dict[int, Path] = {}
    for _, place, image_id in sorted(fitting):
        if image_id not in found and Path(place) not in found.values():
            found[image_id] = Path(place)
    return found


def _places(folder: Path, wanted: set[str]) -> dict[str, list[Path]]:
    """Return all files and folders of these names in a tree; what lies inside such a folder is not looked at."""
    places: dict[str, list[Path]] = {}
    if folder.name in wanted:
        places[folder.name] = [folder]
    for root, folders, files in os.walk(folder):
        for name in wanted.intersection((*folders, *files)):
            places.setdefault(name, []).append(Path(root) / name)
        folders[:] = sorted(name for name in folders if name not in wanted)
    return places


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _alike(path: Path, old: Path) -> int:
    """Return how many names two paths share, counted from the end."""
    shared = 0
    for one, other in zip(reversed(path.parts), reversed(old.parts), strict=False):
        if one != other:
            break
        shared += 1
    return shared
