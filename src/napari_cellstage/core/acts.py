"""What each act of the user changes: builds the `Edit`, makes nothing. Made and written by `core.workspace`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.annotations import (
    AnnotatedImage,
    DrawnCell,
    DrawnChange,
    Edit,
    LabelChange,
    SchemeChange,
    SegmentationChange,
)
from napari_cellstage.core.carry_over import CarryOver, carry_labels
from napari_cellstage.core.cells import Labels
from napari_cellstage.core.classes import TEMPLATES, UNLABELLED, ClassScheme
from napari_cellstage.core.drawn import nearest, redraw
from napari_cellstage.core.errors import CellsError, ClassSchemeError


def label_cells(image: AnnotatedImage, image_id: int, rows: NDArray[Any], class_id: int) -> Edit | None:
    """Give rows of an image (numbers, or a mask) a class, 0 to clear; None when all of them have it already.

    Raises
    ------
    CellsError
        If a row is not in the table.
    """
    count = len(image.cells)
    rows = np.flatnonzero(rows) if rows.dtype == bool else np.unique(rows.astype(np.int64))
    if len(rows) and not (rows.min() >= 0 and rows.max() < count):
        raise CellsError(f"There is no cell in row {rows.max()}; the image has {count} cells. Click a cell again.")
    change = image.change(rows, class_id, image_id)
    if change is None:
        return None
    act = "label" if class_id else "clear"
    return Edit(f"{act} {_cells(len(change.t))}", "label", labels=(change,))


def add_cell(
    image: AnnotatedImage, image_id: int, place: tuple[int, float, float, float], shape: tuple[int, ...]
) -> Edit:
    """Draw a cell of the typical size around t, z, y, x in an image of shape T, Z, Y, X.

    Raises
    ------
    CellsError
        If there is a cell already, or the place is outside.
    """
    t, z, y, x = place
    if not all(0 <= nearest(c) < n for c, n in zip(place, shape, strict=True)):
        raise CellsError(f"The place t {t}, z {z:.0f}, y {y:.0f}, x {x:.0f} is outside the image. Click inside it.")
    row = image.row_at(t, z, y, x)
    if row is not None:
        raise CellsError(
            f"There is already a cell at y {y:.0f}, x {x:.0f}: number {image.cells.cell_id[row]}. "
            "Click where there is none."
        )
    cell_id = int(image.cells.cell_id.max(initial=0)) + 1
    cell = DrawnCell(cell_id, int(t), nearest(z), float(y), float(x), image.cells.typical_diameter)
    return Edit("add a cell", "cells", drawn=(DrawnChange(image_id, image.version, cell),))


def replace_cells(
    image: AnnotatedImage, image_id: int, labels: Labels, version: int, drawn: Iterable[DrawnCell]
) -> tuple[Edit, CarryOver]:
    """Put another segmentation in place; labels and hand-drawn cells go with the cells they belong to.

    Parameters
    ----------
    image, image_id
        The image as it is now.
    labels
        ``(T, Z, Y, X)``, the new segmentation.
    version
        Under which it is stored.
    drawn
        The hand-drawn cells on the present one.
    """
    again: list[DrawnCell] = []
    with_drawn = labels
    if image.labels is not None:
        again, with_drawn = redraw(drawn, image.labels, labels)
    new_names, result = carry_labels(image, with_drawn)
    edit = Edit(
        "replace the cells",
        "cells",
        segmentations=(SegmentationChange(image_id, image.version, version),),
        drawn=tuple(DrawnChange(image_id, version, cell) for cell in again),
        labels=(LabelChange.between(image_id, image.names(), new_names),),
    )
    return edit, result


def change_scheme(text: str, before: ClassScheme, after: ClassScheme) -> Edit:
    """Add, rename, recolour or move a class."""
    return Edit(text, "scheme", scheme=SchemeChange(before, after))


def delete_class(images: dict[int, AnnotatedImage], scheme: ClassScheme, class_id: int) -> Edit:
    """Remove a class and clear the labels it has, as one."""
    after = scheme.remove(class_id)
    changes = (
        image.change(np.flatnonzero(image.class_ids == class_id), UNLABELLED, image_id)
        for image_id, image in images.items()
    )
    labels = tuple(change for change in changes if change)
    return Edit(
        f"delete class {scheme.by_id(class_id).name}", "scheme", labels=labels, scheme=SchemeChange(scheme, after)
    )


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


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
