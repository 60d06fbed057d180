"""Which files of a tree of class folders are which cell: one file a cell, or one file a channel of a cell."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.pictures import ENDINGS, read_picture

# "12_Ch3.ome.tif" of imaging flow cytometers: a cell's number, its channel, and anything after that.
_CHANNEL_FILE = re.compile(r"^(?P<cell>.+?)[_\-. ](?P<channel>ch\d+)(?![a-z0-9])", re.IGNORECASE)
_SEEN = 20_000  # names looked at before it is clear that a folder holds classes
_LOOKED_AT = 3
_LARGEST_CELL = 512  # pixels; larger pictures are fields of many cells


@dataclass(frozen=True)
class FolderCell:
    """One cell in a class folder.

    Parameters
    ----------
    name
        Of its file, or of its first channel's, relative to the root, with ``/``.
    class_name
        Name of the folder it lies in.
    files
        One for the whole cell, or one a channel in the order of `channels`.
    channels
        Names of the channels where each has its own file; else empty.
    """

    name: str
    class_name: str
    files: tuple[Path, ...]
    channels: tuple[str, ...] = ()


def looks_like_class_folders(path: Path | str) -> bool:
    """Tell whether a folder holds small pictures sorted into two folders or more, and none beside them."""
    root = Path(path)
    if not root.is_dir() or root.suffix.lower() in (".zarr", ".cellstage"):
        return False
    seen = list(islice(_pictures(root), _SEEN))
    classes = {file.parent.name: file for file in seen}
    if len(classes) < 2 or any(file.parent == root for file in seen):
        return False
    pictures = [read_picture(file) for file in list(classes.values())[:_LOOKED_AT]]
    sides = [max(one.shape[1:]) for one in pictures if not isinstance(one, str)]
    return bool(sides) and max(sides) <= _LARGEST_CELL


def folder_cells(root: Path) -> tuple[list[FolderCell], list[str]]:
    """List the cells below a folder, and ``"name: why"`` of each that is left out.

    Where files are named as a cell's channels, such as ``12_Ch3.tif`` and ``12_Ch4.tif``, they make up one cell. The
    folder that holds a picture names its class, as in ``plate1/G1``; but below one that holds pictures itself, as
    ``G1/a.tif`` beside ``G1/more/b.tif``, all are of that class, and so where inner folders are all named alike.

    Raises
    ------
    ImageError
        If there is no such folder, or no picture in a folder of it.
    """
    files = _class_files(root)
    names = {file: file.relative_to(root).as_posix() for file in files}
    classes = _class_names(files, root)
    parts = {file: match for file in files if (match := _CHANNEL_FILE.match(file.name))}
    cells: dict[tuple[Path, str], dict[str, Path]] = {}
    skipped = []
    for file, match in parts.items():
        of_cell = cells.setdefault((file.parent, match["cell"]), {})
        channel = _as_first_written(match["channel"], of_cell)
        if channel in of_cell:
            skipped.append(f"{names[file]}: is {channel} of a cell whose {channel} is {of_cell[channel].name} already")
        else:
            of_cell[channel] = file
    if not any(len(of_cell) > 1 for of_cell in cells.values()):
        return [FolderCell(names[file], classes[file.parent], (file,)) for file in files], []
    alone = [FolderCell(names[file], classes[file.parent], (file,)) for file in files if file not in parts]
    joined, lacking = _joined(cells, root, classes)
    return sorted(joined + alone, key=lambda cell: cell.name), skipped + lacking


def listed_cells(root: Path) -> list[FolderCell]:
    """List the cells below a folder; none where there are none."""
    try:
        return folder_cells(root)[0]
    except ImageError:
        return []


def _joined(
    cells: dict[tuple[Path, str], dict[str, Path]], root: Path, classes: dict[Path, str]
) -> tuple[list[FolderCell], list[str]]:
    """Make cells of channel files; the channels are those that half of the cells have, or more."""
    count = Counter(channel for of_cell in cells.values() for channel in of_cell)
    usual = sorted((c for c, number in count.items() if 2 * number >= len(cells)), key=as_people_sort)
    skipped = [
        f"channel {c}: left out, as only {number} of {len(cells)} cells have it"
        for c, number in count.items() if c not in usual
    ]  # fmt: skip
    joined = []
    for (folder, number), of_cell in cells.items():
        lacks = [channel for channel in usual if channel not in of_cell]
        name = (folder / number).relative_to(root).as_posix()
        if lacks:
            skipped.append(f"{name}: has no file for {' and '.join(lacks)}, only for {', '.join(of_cell)}")
            continue
        files = tuple(of_cell[channel] for channel in usual)
        joined.append(FolderCell(files[0].relative_to(root).as_posix(), classes[folder], files, tuple(usual)))
    return joined, skipped


def _as_first_written(channel: str, known: Iterable[str]) -> str:
    return next((one for one in known if one.lower() == channel.lower()), "Ch" + channel[2:])


def empty_folders(root: Path) -> list[str]:
    """List the folders below a root, relative to it, that have no picture in them, nor in any folder of theirs."""
    full = {folder for file in _pictures(root) for folder in file.parents}
    found = [Path(place, name) for place, folders, _ in _walk(root) for name in folders]
    bare = {folder for folder in found if folder not in full}
    return sorted(one.relative_to(root).as_posix() for one in bare if one.parent not in bare)


def _class_names(files: Iterable[Path], root: Path) -> dict[Path, str]:
    """Return the class of each folder that holds pictures: its own name, or of the outermost such folder around it.

    Where all of them would be one class, as in ``G1/day1`` and ``S/day1``, the outermost folders are the classes.
    """
    holding = {file.parent for file in files}
    around = {folder: [one for one in (folder, *folder.parents) if one in holding][-1].name for folder in holding}
    outer = {folder: folder.relative_to(root).parts[0] for folder in holding}
    return outer if len(set(around.values())) == 1 < len(set(outer.values())) else around


def _class_files(root: Path) -> list[Path]:
    if not root.is_dir():
        raise ImageError(f"There is no folder '{root}'. Give a folder that holds one folder a class.")
    files = [file for file in _pictures(root) if file.parent != root]
    if not files:
        raise ImageError(
            f"There are no pictures in class folders in '{root}'. It must hold one folder a class, such as "
            f"'{root.name}/metaphase', with {', '.join(ENDINGS)} files."
        )
    return sorted(files, key=lambda file: file.relative_to(root).as_posix())


def _pictures(root: Path) -> Iterator[Path]:
    """Walk the pictures of a tree; hidden ones, as some systems put beside each file, are none."""
    for folder, _, names in _walk(root):
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in ENDINGS:
                yield Path(folder, name)


def _walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk the folders that may hold class folders: none that are hidden, nor an image that is a folder."""
    for folder, folders, names in os.walk(root):
        folders[:] = [one for one in folders if not one.startswith(".") and not one.endswith((".zarr", ".cellstage"))]
        yield folder, folders, names


def as_people_sort(name: str) -> tuple[int, float, list[tuple[int, str]]]:
    """Sort numbers by value and before words, and digits within words by value as well."""
    try:
        value = float(name)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return (0, value, [])
    parts = re.split(r"([0-9]+)", name.lower())
    return (1, 0.0, [(int(part), "") if part[:1] in tuple("0123456789") else (0, part) for part in parts])
