"""In which order cells are looked at: names, what each is good for, and the sorting itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.review.table import ReviewTable

AS_FOUND = "as found"
# What each order shows first, in one line.
ORDERS: dict[str, str] = {
    "loss": "Worst mistakes first: cells whose label the model found least likely",
    "confidence": "Least sure first: cells whose class the model is least sure of",
    "margin": "Closest calls first: cells for which the two best classes are nearly as likely",
    "class": "By class: the labels in the order of the class list, then what the model says",
    "suspicion": "Most suspicious labels first: those that are most likely wrong",
    "unlike": "Oddest first: cells that are most unlike those the model was trained on",
    AS_FOUND: "In the order they came in",
}
_FALLING = ("loss", "suspicion", "unlike")  # large values first, unless asked otherwise


def sort_rows(table: ReviewTable, order: str, descending: bool | None = None) -> NDArray[np.int64]:
    """Return the rows of a table in an order; rows without a value last, equal ones as they came.

    Parameters
    ----------
    table
        What is sorted.
    order
        One of `ORDERS`.
    descending
        Large values first; None: whatever `ORDERS` says of this order.

    Raises
    ------
    CellStageError
        If there is no such order.
    """
    if order not in ORDERS:
        raise CellStageError(f"There is no order '{order}'. Choose one of: {', '.join(ORDERS)}.")
    falling = order in _FALLING if descending is None else descending
    values = _VALUES[order](table) if order in _VALUES else getattr(table, order)
    return _sorted(np.asarray(values, dtype=np.float64), falling)


def _sorted(values: NDArray[np.float64], falling: bool) -> NDArray[np.int64]:
    # NaN sorts last, also of values whose sign is turned; infinity stays before it.
    return np.argsort(-values if falling else values, kind="stable").astype(np.int64)


def _by_class(table: ReviewTable) -> NDArray[Any]:
    """Return one number a row: the place of the label, then that of the prediction; NaN with neither."""
    places = {class_id: float(place) for place, class_id in enumerate(table.classes.ids)}
    none = float(len(places))  # after all classes
    label, predicted = (_looked_up(ids, places, none) for ids in (table.label, table.predicted))
    together = label * (none + 1) + predicted
    return np.where((label == none) & (predicted == none), np.nan, together)


def _looked_up(ids: NDArray[np.int64], places: dict[int, float], none: float) -> NDArray[np.float64]:
    kinds, which = np.unique(ids, return_inverse=True)
    found = np.array([places.get(int(one), none) for one in kinds], dtype=np.float64)
    return np.asarray(found[which.ravel()])


_VALUES: dict[str, Callable[[ReviewTable], NDArray[Any]]] = {
    "class": _by_class,
    AS_FOUND: lambda table: np.arange(len(table)),
}
