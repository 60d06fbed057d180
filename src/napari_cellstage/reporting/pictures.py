"""Pictures inside a page: arrays as PNG that is written into the address itself."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.scoring.words import cells_words
from napari_cellstage.learn.examples import RIGHT, SUSPECT, UNLIKE, WRONG, Examples

LONGEST = 30  # letters of a name below a picture
LARGE_MATRIX = 800  # pixels of the side of a matrix that is drawn as a picture


@dataclass(frozen=True)
class Tile:
    """One picture of a cell: its address, what it shows in words, and lines to read below it."""

    address: str
    alt: str
    lines: tuple[str, ...]
    name: str

    @property
    def short(self) -> str:
        """The name without folders, and without its middle where it is long: its end tells cells apart."""
        name = self.name.rpartition("/")[2]
        return name if len(name) <= LONGEST else f"{name[: LONGEST // 3]}…{name[-LONGEST // 2 :]}"


@dataclass(frozen=True)
class ClassTiles:
    """Right and wrong cells of one class."""

    name: str
    color: str
    right: tuple[Tile, ...]
    wrong: tuple[Tile, ...]


def tiles_by_class(examples: Examples, classes: ClassScheme) -> tuple[ClassTiles, ...]:
    """Return right and wrong cells of each class that has any."""
    found = []
    for place, one in enumerate(classes):
        right = tuple(_tile(examples, i, classes, RIGHT) for i in examples.of(RIGHT, place).tolist())
        wrong = tuple(_tile(examples, i, classes, WRONG) for i in examples.of(WRONG, place).tolist())
        if right or wrong:
            found.append(ClassTiles(one.name, one.color, right, wrong))
    return tuple(found)


def tiles_in_one(examples: Examples, classes: ClassScheme) -> tuple[Tile, ...]:
    """Return the cells of all classes that have wrong ones, for one grid: of each class a right one, then its wrong."""
    found = []
    for place in range(len(classes)):
        if len(wrong := examples.of(WRONG, place)):
            right = examples.of(RIGHT, place)[:1]
            found += [(i, RIGHT) for i in right.tolist()] + [(i, WRONG) for i in wrong.tolist()]
    return tuple(_named(_tile(examples, i, classes, kind), classes, int(examples.truth[i])) for i, kind in found)


def _named(tile: Tile, classes: ClassScheme, place: int) -> Tile:
    """Return a tile that says its label, where no heading does."""
    return replace(tile, lines=(f"label {classes.names[place]}", *tile.lines))


def suspects(examples: Examples, classes: ClassScheme, names: Collection[str]) -> tuple[Tile, ...]:
    """Return cells whose label looks wrong, most suspicious first, of those that are named."""
    found = [i for i in examples.of(SUSPECT).tolist() if str(examples.names[i]) in names]
    return tuple(_tile(examples, i, classes, SUSPECT) for i in found)


def unlike_cells(examples: Examples, classes: ClassScheme) -> tuple[Tile, ...]:
    """Return cells unlike those of the training, most unlike first."""
    return tuple(_tile(examples, i, classes, UNLIKE) for i in examples.of(UNLIKE).tolist())


def _tile(examples: Examples, place: int, classes: ClassScheme, kind: str) -> Tile:
    label, said = (classes.names[int(values[place])] for values in (examples.truth, examples.predicted))
    sure, value, name = (float(examples.confidence[place]), float(examples.value[place]), str(examples.names[place]))
    lines = {
        RIGHT: (f"{sure:.2f} sure",),
        WRONG: (f"as {said}", f"{sure:.2f} sure"),
        SUSPECT: (f"label {label}", f"rather {said}", f"suspicion {value:.2f}"),
        UNLIKE: (f"label {label}", f"as {said}", f"{value:.1f} × usual"),
    }[kind]
    alt = f"Cell labelled {label}, predicted {said} with confidence {sure:.2f}"
    return Tile(png_address(examples.pictures[place]), alt, lines, short_name(name))


def short_name(name: str) -> str:
    """Return a cell's name for people: without the hash of its pixels, with its time and number where it has them."""
    start, mark, end = name.rpartition("#")
    numbers = end.split("/")[1:]
    if not mark or len(numbers) != 2:
        return start or name
    return f"{start}, cell {numbers[1]}" + (f", time {numbers[0]}" if numbers[0] != "0" else "")


def matrix_picture(confusion: NDArray[np.int64]) -> str:
    """Return a confusion matrix of many classes as a picture: the darker, the larger its share of the row."""
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    shade = np.asarray(255 - 225 * np.sqrt(share), dtype=np.uint8)
    each = max(LARGE_MATRIX // max(len(confusion), 1), 1)
    gray = np.repeat(np.repeat(shade, each, axis=0), each, axis=1)
    return png_address(np.stack([gray, gray, np.maximum(gray, 110)], axis=-1))


def matrix_words(confusion: NDArray[np.int64]) -> str:
    """Return what that picture shows, for those who can't see it."""
    right = int(np.trace(confusion))
    return (
        f"Confusion matrix of {len(confusion)} classes: {right} of {cells_words(int(confusion.sum()))} on its diagonal"
    )


def png_address(picture: NDArray[np.uint8]) -> str:
    """Return a picture ``(h, w, 3)`` as an address for ``<img src>``."""
    import imageio.v3 as imageio  # slow to load

    data = imageio.imwrite("<bytes>", picture, plugin="pillow", extension=".png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")
