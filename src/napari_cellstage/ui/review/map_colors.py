"""What the points of the map are coloured by: groups of cells, each with a colour and its words. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED, ClassScheme, palette_color
from napari_cellstage.core.review.table import Ids, ReviewTable
from napari_cellstage.ui.overlay import confidence_colors

Rows = NDArray[np.intp]
NONE_COLOR = "#8c8c8c"
LIKE_COLOR, UNLIKE_COLOR = (86, 180, 233), "#d55e00"  # of the Okabe-Ito palette
STEPS = 8
UNLIKE = "unlike the training cells"
UNKNOWN = "not predicted"
ORDER = "order"


@dataclass(frozen=True)
class Group:
    """Cells of one colour.

    Parameters
    ----------
    text
        What they have in common.
    color
        Such as ``"#56b4e9"``.
    rows
        Of the table.
    symbol
        ``"o"`` a dot; ``"x"`` a cross, for cells that are given no class.
    """

    text: str
    color: str
    rows: Rows
    symbol: Literal["o", "x"] = "o"


def by_class(table: ReviewTable, _images: Mapping[int, str]) -> list[Group]:
    """Group by the label."""
    return _of_classes(table.label, table.classes, "not labelled")


def by_prediction(table: ReviewTable, _images: Mapping[int, str]) -> list[Group]:
    """Group by what the model says, where it can be believed to know the cell."""
    flagged = _flagged(table) & (table.predicted != UNLABELLED)
    groups = _of_classes(np.where(flagged, UNLABELLED, table.predicted), table.classes, UNKNOWN)
    return [*_without(groups, flagged), Group(UNLIKE, NONE_COLOR, np.flatnonzero(flagged), "x")]


def by_image(table: ReviewTable, images: Mapping[int, str]) -> list[Group]:
    """Group by image."""
    found, places = np.unique(table.cells.image_id, return_inverse=True)
    rows = _rows_of(places.reshape(-1), len(found))
    return [
        Group(images.get(image_id, f"image {image_id}"), palette_color(place), rows[place])
        for place, image_id in enumerate(found.tolist())
    ]


def by_confidence(table: ReviewTable, _images: Mapping[int, str]) -> list[Group]:
    """Group by how sure the model is."""
    colors = [_hex(one) for one in confidence_colors((np.arange(STEPS) + 0.5) / STEPS, "contour")]
    texts = [f"confidence {k / STEPS:.2f} to {(k + 1) / STEPS:.2f}" for k in range(STEPS)]
    return _stepped(table.confidence, texts, colors)


def by_unlike(table: ReviewTable, _images: Mapping[int, str]) -> list[Group]:
    """Group by how far from the training cells a cell is."""
    flagged = _flagged(table)
    shares = (np.arange(STEPS) + 0.5) / STEPS
    gray = np.array([int(NONE_COLOR[i : i + 2], 16) for i in (1, 3, 5)])
    colors = [_hex((gray + (np.array(LIKE_COLOR) - gray) * (1 - share)) / 255) for share in shares]
    texts = [f"distance {k / STEPS:.2f} to {(k + 1) / STEPS:.2f} of the limit" for k in range(STEPS)]
    groups = _stepped(np.where(flagged, np.nan, table.unlike), texts, colors)
    return [*_without(groups, flagged), Group(UNLIKE, UNLIKE_COLOR, np.flatnonzero(flagged), "x")]


def by_order(table: ReviewTable, _images: Mapping[int, str]) -> list[Group]:
    """Group by the place along the cycle."""
    import matplotlib as mpl

    shades = mpl.colormaps["viridis"]((np.arange(STEPS) + 0.5) / STEPS)
    texts = [f"place {k / STEPS:.2f} to {(k + 1) / STEPS:.2f}" for k in range(STEPS)]
    values = np.full(len(table), np.nan) if table.order is None else table.order
    *steps, rest = _stepped(values, texts, [_hex(one) for one in shades])
    return [*steps, Group("no place" if table.order is not None else "not in order yet", rest.color, rest.rows)]


COLORINGS: dict[str, Callable[[ReviewTable, Mapping[int, str]], list[Group]]] = {
    "class": by_class,
    "prediction": by_prediction,
    "image": by_image,
    "confidence": by_confidence,
    "unlike": by_unlike,
    ORDER: by_order,
}
RAMPS = {"confidence": ("unsure", "sure"), "unlike": ("near the training cells", "far"), ORDER: ("first", "last")}


def _of_classes(ids: Ids, classes: ClassScheme, nothing: str) -> list[Group]:
    known = [UNLABELLED, *classes.ids]
    places = np.zeros(max(known) + 1, dtype=np.intp)
    places[known] = np.arange(len(known))
    rows = _rows_of(places[np.where((ids >= 0) & (ids < len(places)), ids, UNLABELLED)], len(known))
    named = [Group(one.name, one.color, rows[place]) for place, one in enumerate(classes, start=1)]
    return [*named, Group(nothing, NONE_COLOR, rows[0])]


def _stepped(values: NDArray[np.floating[Any]], texts: list[str], colors: list[str]) -> list[Group]:
    known = np.isfinite(values)
    steps = np.clip((np.nan_to_num(values) * STEPS).astype(np.intp), 0, STEPS - 1)
    rows = _rows_of(np.where(known, steps, STEPS), STEPS + 1)
    groups = [Group(text, color, some) for text, color, some in zip(texts, colors, rows, strict=False)]
    return [*groups, Group(UNKNOWN, NONE_COLOR, rows[STEPS])]


def _rows_of(places: NDArray[np.intp], count: int) -> list[Rows]:
    """Return the rows of each of so many groups."""
    order = np.argsort(places, kind="stable")
    return np.split(order, np.searchsorted(places[order], np.arange(1, count)))


def _flagged(table: ReviewTable) -> NDArray[np.bool_]:
    return np.nan_to_num(table.unlike, nan=0.0) > 1


def _without(groups: list[Group], left_out: NDArray[np.bool_]) -> list[Group]:
    *named, last = groups
    return [*named, Group(last.text, last.color, last.rows[~left_out[last.rows]])]


def _hex(rgb: NDArray[np.floating[Any]]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(round(float(value) * 255) for value in rgb[:3]))
