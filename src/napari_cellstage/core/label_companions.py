"""Label images known by their names: ``a_masks.tif`` beside ``a.tif``, ``masks/a.png`` beside ``images/a.tif``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_WORDS = r"(?:cp_masks?|labels?|masks?|seg|segmentation)"
_AFTER = re.compile(rf"(.+?)[_\-. ]{_WORDS}", re.IGNORECASE)  # a_masks
_BEFORE = re.compile(rf"{_WORDS}[_\-. ]?(.+)", re.IGNORECASE)  # labels_a, mask2d
_IMAGE = re.compile(r"(?:(.+)[_\-. ](?:img|image|raw)|(?:img|image|raw)[_\-. ]?(.+))", re.IGNORECASE)  # a_img, img2d
_FOLDER = re.compile(rf"{_WORDS}|annotations?|ground[_\- ]?truth", re.IGNORECASE)
_IMAGE_FOLDERS = ("images", "image", "imgs", "img", "raw")


@dataclass(frozen=True)
class Companion:
    """A file that by its name shows the cells of another.

    Parameters
    ----------
    image
        The image.
    labels
        The file with a number for each cell.
    """

    image: Path
    labels: Path


def find_companions(files: Sequence[Path], open_already: Iterable[Path] = ()) -> tuple[list[Companion], list[Path]]:
    """Tell label images from images by their names.

    Parameters
    ----------
    files
        All that are to be opened.
    open_already
        Images that are open: labels of theirs may be among the files alone.

    Returns
    -------
    companions : list of Companion
        At most one an image, in the order of the files.
    others : list of Path
        The files that are none.
    """
    images: dict[tuple[Path, str], Path] = {}
    for file in (*files, *open_already):
        for name in _names_of_image(file):
            images.setdefault((file.parent, name), file)
    found: dict[Path, Companion] = {}
    for file in files:
        image = next((images[key] for key in _wanted(file) if key in images and images[key] != file), None)
        if image is not None and image not in found:
            found[image] = Companion(image, file)
    labels = {one.labels for one in found.values()}
    kept = {image: one for image, one in found.items() if image not in labels}  # a_labels_seg is not of a_labels
    labels = {one.labels for one in kept.values()}
    return list(kept.values()), [file for file in files if file not in labels]


def in_label_folder(companions: Iterable[Companion], root: Path) -> bool:
    """Tell whether folders of labels are right below a folder: then its folders are no classes."""
    return any(one.labels.parent.parent == root and _FOLDER.fullmatch(one.labels.parent.name) for one in companions)


def _stem(file: Path) -> str:
    return re.sub(r"\.ome$", "", file.stem, flags=re.IGNORECASE).casefold()


def _names_of_image(file: Path) -> Iterator[str]:
    """Yield under which names labels may refer to a file, its own first."""
    yield _stem(file)
    if match := _IMAGE.fullmatch(_stem(file)):
        yield match[1] or match[2]


def _wanted(file: Path) -> Iterator[tuple[Path, str]]:
    """Yield folder and name of the image that a file would be the labels of."""
    stem, folder = _stem(file), file.parent
    bare = [match[1] for one in (_AFTER, _BEFORE) if (match := one.fullmatch(stem))]
    yield from ((folder, name) for name in bare)
    if _FOLDER.fullmatch(folder.name):
        beside = (folder.parent, *(folder.parent / name for name in (*_IMAGE_FOLDERS, *_capitals())))
        yield from ((place, name) for place in beside for name in (stem, *bare))


def _capitals() -> Iterator[str]:
    return (name.capitalize() for name in _IMAGE_FOLDERS)
