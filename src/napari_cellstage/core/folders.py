"""Trees of class folders in: each folder that holds pictures is a class, each picture one cell in its middle."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_cellstage.core.errors import ImageError
from napari_cellstage.core.readers import PICTURES, TIFF, guess_axes

_READERS = 8
_LISTED = 5


@dataclass(frozen=True)
class CropSet:
    """Pictures of single cells with their classes.

    Parameters
    ----------
    crops
        ``(N, C, H, W)``, raw intensities in the pictures' dtype.
    masks
        ``(N, H, W)`` bool, or None when there are none.
    labels
        ``(N,)`` int64; index into `classes`.
    classes
        Names, sorted as people sort: numbers by value.
    names
        File names relative to the root, with ``/``.
    groups
        ``(N,)`` str; crops of one group (movie, well, image) must stay together in a split.
    skipped
        ``"name: why"`` of each file that could not be used.
    """

    crops: NDArray[Any]
    masks: NDArray[np.bool_] | None
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    names: tuple[str, ...]
    groups: NDArray[np.str_]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self) -> dict[str, int]:
        """Return how many crops each class has."""
        numbers = np.bincount(self.labels, minlength=len(self.classes)).tolist()
        return dict(zip(self.classes, numbers, strict=True))


def read_class_folders(root: Path | str, group_from: str | None = None, size: int | None = None) -> CropSet:
    """Read every PNG, JPEG and TIFF below a folder; the folder that holds a picture names its class.

    Gray pictures beside coloured ones get three equal channels. Pictures of several sizes are cut or mirrored around
    their middle to one: the largest there is, or `size`. What can't be read is left out and named in `skipped`.

    Parameters
    ----------
    root
        Folder of class folders.
    group_from
        Regular expression searched in each file's name, without its folder; or, if it does not fit all of those, in
        each name relative to `root`. Its first group, or the whole match, is the group. None: each file is its own.
    size
        Side in pixels to bring all to.

    Raises
    ------
    ImageError
        If there is no such folder, no readable picture in a class folder, or `group_from` is no regular expression
        or fits none of some file's name.
    """
    root = Path(root)
    files = _files(root)
    names = [file.relative_to(root).as_posix() for file in files]
    groups = _groups(names, group_from)
    # Threads, and the decoders themselves: bioio takes 20 ms a file to work out what it is, an hour for 200,000 crops.
    with ThreadPoolExecutor(_READERS) as pool:
        pictures = list(pool.map(_read, files))
    kept, skipped = _usable(names, pictures)
    if not kept:
        raise ImageError(
            f"None of the {len(files)} pictures in '{root}' can be used; the first: {skipped[0]}. "
            "Copy them again from where they came."
        )
    crops = _stacked([_picture(pictures[i]) for i in kept], size)
    class_of = [files[i].parent.name for i in kept]
    classes = tuple(sorted(set(class_of), key=_as_people_sort))
    index = {name: place for place, name in enumerate(classes)}
    return CropSet(
        crops=crops,
        masks=None,
        labels=np.array([index[name] for name in class_of], dtype=np.int64),
        classes=classes,
        names=tuple(names[i] for i in kept),
        groups=np.array([groups[i] for i in kept], dtype=np.str_),
        skipped=tuple(skipped),
    )


def _files(root: Path) -> list[Path]:
    if not root.is_dir():
        raise ImageError(f"There is no folder '{root}'. Give a folder that holds one folder a class.")
    endings = PICTURES + TIFF
    files = [
        file
        for file in root.rglob("*")
        if file.suffix.lower() in endings and not file.name.startswith(".") and file.parent != root
    ]
    if not files:
        raise ImageError(
            f"There are no pictures in class folders in '{root}'. It must hold one folder a class, such as "
            f"'{root.name}/metaphase', with {', '.join(endings)} files."
        )
    return sorted(files, key=lambda file: file.relative_to(root).as_posix())


def _groups(names: list[str], group_from: str | None) -> list[str]:
    if group_from is None:
        return names
    try:
        pattern = re.compile(group_from)
    except re.error as error:
        raise ImageError(
            f"'{group_from}' is no regular expression: {error}. "
            "Write one such as '^[^_]+', the part before the first _."
        ) from error
    # With the folder in it, '^[^_]+' would take the class for part of the group, and cut movies apart by class.
    matches = [pattern.search(name.rpartition("/")[2]) for name in names]
    if not all(matches):
        matches = [pattern.search(name) for name in names]
    for name, match in zip(names, matches, strict=True):
        if match is None:
            raise ImageError(
                f"'{group_from}' is not found in '{name}', so the group of that file is unknown. "
                "Change the expression so that it fits every file, or move the file away."
            )
    return [(match.group(1) if pattern.groups else match.group(0)) or "" for match in matches if match]


def _read(file: Path) -> NDArray[Any] | str:
    """Return ``(C, Y, X)``, or why there is none."""
    try:
        array, axes = _decoded(file)
    except ImageError as error:
        return str(error)
    except Exception as error:  # decoders raise anything; one bad file must not stop the reading of thousands
        return f"can't be read ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
    thick = [letter for letter, length in zip(axes, array.shape, strict=True) if letter in "TZ" and length > 1]
    if thick:
        return f"has several {'time points' if 'T' in thick else 'planes'}, not one picture"
    if 0 in array.shape or array.dtype.kind not in "buif":
        return f"holds {array.dtype} values of shape {array.shape}, no picture"
    array = array[tuple(slice(None) if letter in "CYXS" else 0 for letter in axes)]
    return _channels_first(array, "".join(letter for letter in axes if letter in "CYXS"))


def _decoded(file: Path) -> tuple[NDArray[Any], str]:
    if file.suffix.lower() in PICTURES:
        # Pillow alone, from memory: else imageio tries every plugin on a damaged file and leaves it open.
        array = np.asarray(imageio.imread(file.read_bytes(), plugin="pillow", index=0))
        return array, "YXS"[: array.ndim]
    with tifffile.TiffFile(file) as tiff:
        series = tiff.series[0]
        return series.asarray(), guess_axes(series.axes, series.shape, file.name)


def _channels_first(array: NDArray[Any], axes: str) -> NDArray[Any]:
    if "S" in axes:
        place = axes.index("S")
        samples = int(array.shape[place])
        array = array.take(range({2: 1, 4: 3}.get(samples, samples)), axis=place)
        axes = axes.replace("C", "").replace("S", "C") if "C" not in axes else axes
    if "C" not in axes:
        array, axes = array[None], "C" + axes
    if "S" in axes:
        array = array.transpose([axes.index(letter) for letter in "CSYX"])
        return array.reshape((-1, *array.shape[2:]))
    return array.transpose([axes.index(letter) for letter in "CYX"])


def _usable(names: list[str], pictures: Sequence[NDArray[Any] | str]) -> tuple[list[int], list[str]]:
    """Return which pictures to keep, and why not the others; all kept have one channel count, or are gray."""
    counts = Counter(picture.shape[0] for picture in pictures if not isinstance(picture, str))
    # Gray can be made three equal channels; else the commonest count wins.
    usual = 3 if set(counts) == {1, 3} else counts.most_common(1)[0][0] if counts else 0
    kept, skipped = [], []
    for place, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        if isinstance(picture, str):
            skipped.append(f"{name}: {picture}")
        elif picture.shape[0] != usual and (picture.shape[0], usual) != (1, 3):
            skipped.append(f"{name}: has {picture.shape[0]} channels, most have {usual}")
        else:
            kept.append(place)
    return kept, skipped


def _picture(picture: NDArray[Any] | str) -> NDArray[Any]:
    if isinstance(picture, str):
        raise TypeError("a file that could not be read has no picture")
    return picture


def _stacked(pictures: list[NDArray[Any]], size: int | None) -> NDArray[Any]:
    channels = max(picture.shape[0] for picture in pictures)
    height = size or max(picture.shape[1] for picture in pictures)
    width = size or max(picture.shape[2] for picture in pictures)
    crops = np.empty((len(pictures), channels, height, width), dtype=np.result_type(*{p.dtype for p in pictures}))
    for place, picture in enumerate(pictures):
        crops[place] = _fitted(picture, height, width)
    return crops


def _fitted(picture: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Cut or mirror around the middle, so that pixel ``length // 2`` stays the middle."""
    for axis, length in ((1, height), (2, width)):
        offset = picture.shape[axis] // 2 - length // 2
        if offset > 0 or picture.shape[axis] > length:
            picture = picture.take(range(offset, offset + length), axis=axis)
        elif picture.shape[axis] < length:
            pad = [(0, 0)] * 3
            pad[axis] = (-offset, length - picture.shape[axis] + offset)
            picture = np.pad(picture, pad, mode="reflect")
    return picture


def _as_people_sort(name: str) -> tuple[int, float, list[tuple[int, str]]]:
    """Sort numbers by value and before words, and digits within words by value as well."""
    try:
        value = float(name)
    except ValueError:
        parts = re.split(r"(\d+)", name.lower())
        return (1, 0.0, [(int(part), "") if part.isdigit() else (0, part) for part in parts])
    return (0, value, [])
