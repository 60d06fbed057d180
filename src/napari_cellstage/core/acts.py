"""What each act of the user changes: builds the `Edit`, makes nothing. Made and written by `core.workspace`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.annotations import AnnotatedImage
from napari_cellstage.core.carry_over import CarryOver, carry_hand_cells, carry_labels
from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import TEMPLATES, UNLABELLED, ClassScheme
from napari_cellstage.core.edits import (
    Edit,
    HiddenChange,
    ImageClassChange,
    LabelChange,
    SchemeChange,
    SegmentationChange,
)
from napari_cellstage.core.errors import CellsError, ClassSchemeError
from napari_cellstage.core.marks import HAND, Marks
from napari_cellstage.core.people.carrying import carry_opinions
from napari_cellstage.core.people.opinions import Opinions
from napari_cellstage.core.volumes import LabelVolume

ImageClass = tuple[int, int]  # class id and origin
NO_CLASS: ImageClass = (UNLABELLED, HAND)


def label_cells(
    image: AnnotatedImage, image_id: int, rows: NDArray[Any], class_id: int, origin: int = HAND, restate: bool = False
) -> Edit | None:
    """Give rows of an image (numbers, or a mask) a class, 0 to clear; None when all of them have it already.

    With `restate` it is noted also of those that have it, as another person says the same.

    Raises
    ------
    CellsError
        If a row is not in the table.
    """
    count = len(image.cells)
    rows = np.flatnonzero(rows) if rows.dtype == bool else np.unique(rows.astype(np.int64))
    if len(rows) and not (rows.min() >= 0 and rows.max() < count):
        raise CellsError(f"There is no cell in row {rows.max()}; the image has {count} cells. Click a cell again.")
    change = image.change(rows, class_id, image_id, origin, restate)
    if change is None:
        return None
    return Edit(label_text(len(change.t), class_id), "label", labels=(change,))


def label_text(count: int, class_id: int) -> str:
    """Return what giving cells a class is called, as a menu would say it."""
    return f"{'label' if class_id else 'clear'} {_cells(count)}"


def label_images(
    images: Iterable[tuple[int, AnnotatedImage]],
    known: Mapping[int, ImageClass],
    class_of: Mapping[int, int],
    origin: int,
    keep: bool = False,
) -> Edit:
    """Give all cells of each image its class, and those found later too; 0 takes the class away that was given so.

    Parameters
    ----------
    images
        Number and cells of each.
    known
        Class and origin of the images that have one.
    class_of, origin
        What all cells of each get, and why.
    keep
        Leave labels that cells have.
    """
    labels, image_classes = [], []
    for image_id, image in images:
        before, class_id = known.get(image_id, NO_CLASS), class_of[image_id]
        rows = _rows_to_label(image, before, class_id, keep)
        if (change := image.change(rows, class_id, image_id, origin)) is not None:
            labels.append(change)
        after = (class_id, origin) if class_id else NO_CLASS
        if before != after:
            image_classes.append(ImageClassChange(image_id, before, after))
    count = sum(len(change.t) for change in labels)
    text = f"label {_cells(count)} of {_images(len(class_of))}"
    return Edit(text, "label", labels=tuple(labels), image_classes=tuple(image_classes))


def _rows_to_label(image: AnnotatedImage, before: ImageClass, class_id: int, keep: bool) -> NDArray[np.int64]:
    if not class_id:
        given = (image.class_ids == before[0]) & (image.origins == before[1])
        return np.flatnonzero(given & (before[0] != UNLABELLED))
    return np.flatnonzero(image.class_ids == UNLABELLED) if keep else np.arange(len(image.cells))


def with_scheme(edit: Edit, before: ClassScheme, after: ClassScheme, known: Mapping[int, ImageClass]) -> Edit:
    """Return a label edit that also changes the classes; images whose class goes with that lose it."""
    if before == after:
        return edit
    named = {change.image_id for change in edit.image_classes}
    gone = (i for i, one in known.items() if one[0] not in after.ids and i not in named)
    lost = tuple(ImageClassChange(i, known[i], NO_CLASS) for i in gone)
    classes = (*edit.image_classes, *lost)
    return replace(edit, kind="scheme", image_classes=classes, scheme=SchemeChange(before, after))


def replace_cells(
    image: AnnotatedImage,
    image_id: int,
    labels: LabelVolume,
    cells: CellTable,
    version: int,
    image_class: ImageClass,
    said: Opinions | None = None,
) -> tuple[Edit, CarryOver]:
    """Put another segmentation in place; labels and cells made by hand go with the cells they belong to.

    Parameters
    ----------
    image, image_id
        The image as it is now.
    labels, cells
        The new segmentation.
    version
        Under which it is stored.
    image_class
        Class and origin that cells of this image get; class 0 for none.
    said
        What each person says of its cells, which goes with them too.
    """
    highest = int(cells.cell_id.max(initial=0))
    painted, volume = carry_hand_cells(image, image_id, labels, version, highest)
    marks, result = carry_labels(image, volume)
    own = carry_opinions(image, image_id, volume, result, said) if said else ()
    if image_class[0]:
        added = [c.after.max() for c in painted]
        marks = _with_class(marks, cells, [(c.t, int(i)) for c, i in zip(painted, added, strict=True)], image_class)
    edit = Edit(
        "replace the cells",
        "cells",
        segmentations=(SegmentationChange(image_id, image.version, version),),
        paint=painted,
        labels=(LabelChange.between(image_id, image.marks(), marks), *own),
    )
    return edit, result


def _with_class(marks: Marks, cells: CellTable, more: list[tuple[int, int]], image_class: ImageClass) -> Marks:
    """Return labels with the image's class for every cell that has none."""
    t = np.concatenate((cells.t.astype(np.int64), np.array([name[0] for name in more], dtype=np.int64)))
    ids = np.concatenate((cells.cell_id, np.array([name[1] for name in more], dtype=np.int64)))
    have = marks.names()
    bare = np.array([name not in have for name in zip(t.tolist(), ids.tolist(), strict=True)], dtype=bool)
    count = int(bare.sum())
    new = Marks(t[bare], ids[bare], np.full(count, image_class[0]), np.full(count, image_class[1]))
    return Marks.joined(marks, new)


def change_scheme(text: str, before: ClassScheme, after: ClassScheme) -> Edit:
    """Add, rename, recolour or move a class."""
    return Edit(text, "scheme", scheme=SchemeChange(before, after))


def delete_class(labelled: dict[int, Marks], known: dict[int, ImageClass], scheme: ClassScheme, class_id: int) -> Edit:
    """Remove a class and clear its labels.

    Parameters
    ----------
    labelled
        The cells that have the class, by image.
    known
        Class and origin of the images that have one.
    scheme
        The classes.
    class_id
        Which goes.
    """
    after = scheme.remove(class_id)
    changes = tuple(LabelChange.between(image_id, marks, Marks()) for image_id, marks in labelled.items())
    images = (ImageClassChange(i, one, (UNLABELLED, HAND)) for i, one in known.items() if one[0] == class_id)
    text = f"delete class {scheme.by_id(class_id).name}"
    return Edit(text, "scheme", labels=changes, image_classes=tuple(images), scheme=SchemeChange(scheme, after))


def use_template(scheme: ClassScheme, name: str, labelled: int) -> Edit:
    """Put the classes of a template in place of ones that no cell has.

    Ids go on from those that were used, so that the journal never means two classes by one.

    Raises
    ------
    ClassSchemeError
        If cells are labelled, or there is no such template.
    """
    if labelled:
        raise ClassSchemeError(
            f"{_cells(labelled)} already labelled with the classes {', '.join(scheme.names)}, so template '{name}' "
            "can't take their place. Add or rename classes one by one, or clear the labels first."
        )
    template = ClassScheme.from_template(name)
    after = ClassScheme(kind=TEMPLATES[name][0], next_id=scheme.next_id)
    for one in template:
        after = after.add(one.name)
    return Edit(f"use template {name}", "scheme", scheme=SchemeChange(scheme, after))


def hide_images(image_ids: Iterable[int]) -> Edit:
    """Take images out of the project; nothing of them is deleted."""
    changes = tuple(HiddenChange(image_id, False, True) for image_id in image_ids)
    return Edit(f"remove {_images(len(changes))}", "cells", hidden=changes)


def show_images(image_ids: Iterable[int]) -> Edit:
    """Bring images back that were taken out of the project."""
    changes = tuple(HiddenChange(image_id, True, False) for image_id in image_ids)
    return Edit(f"bring back {_images(len(changes))}", "cells", hidden=changes)


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
