"""Basic indexing as ranges, for arrays that are put together from parts."""

from __future__ import annotations

import operator
from typing import Any

from numpy.typing import NDArray

Ranges = tuple[range, ...]


def ranges_of(index: Any, shape: tuple[int, ...]) -> tuple[Ranges, tuple[bool, ...]]:
    """Return the places an index of whole numbers, slices and ``...`` asks for, along each axis.

    Returns
    -------
    ranges
        One an axis.
    whole
        False for axes that a number took away.

    Raises
    ------
    IndexError
        If there is something else in the index, too much of it, or a number outside.
    """
    items = index if isinstance(index, tuple) else (index,)
    if sum(item is Ellipsis for item in items) > 1 or len(items) - (Ellipsis in items) > len(shape):
        raise IndexError(f"the index {index} does not fit {len(shape)} axes")
    if Ellipsis not in items:
        items = (*items, Ellipsis)
    place = items.index(Ellipsis)
    missing = len(shape) - len(items) + 1
    items = (*items[:place], *(slice(None),) * missing, *items[place + 1 :])
    whole = tuple(isinstance(item, slice) for item in items)
    return tuple(_range_of(item, length) for item, length in zip(items, shape, strict=True)), whole


def _range_of(item: Any, length: int) -> range:
    if isinstance(item, slice):
        return range(length)[item]
    try:
        number = operator.index(item)
    except TypeError:
        raise IndexError(f"only whole numbers, slices and ... can be used here, not {item!r}") from None
    if not -length <= number < length:
        raise IndexError(f"{number} is outside an axis of length {length}")
    return range(number % length, number % length + 1)


def slice_of(places: range) -> slice:
    """Return a slice for a range; -1 as an end would count from behind."""
    return slice(places.start, places.stop if places.stop >= 0 else None, places.step)


def taken(array: NDArray[Any], ranges: Ranges) -> NDArray[Any]:
    """Return the part of an array at ranges, a view."""
    return array[tuple(slice_of(places) for places in ranges)]


def part_within(places: range, step: int, start: int, length: int) -> tuple[slice, slice]:
    """Return which of some places lie in a stretch, and where in it.

    Parameters
    ----------
    places
        Along a coarser axis.
    step
        Length of a place on the fine axis.
    start, length
        The stretch, on the fine axis.

    Returns
    -------
    into, of
        Slices of the places, and of the stretch.
    """
    fine = range(places.start * step, places.stop * step, places.step * step)
    backwards = places.step < 0
    ordered = fine[::-1] if backwards else fine
    first = max(0, -(-(start - ordered.start) // ordered.step)) if len(ordered) else 0
    last = min(len(ordered), max(first, -(-(start + length - ordered.start) // ordered.step))) if len(ordered) else 0
    if last <= first:
        return slice(0, 0), slice(0, 0)
    begin, end = ordered[first] - start, ordered[last - 1] - start
    if not backwards:
        return slice(first, last), slice(begin, end + 1, ordered.step)
    count = len(ordered)
    return slice(count - last, count - first), slice_of(range(end, begin - 1, -ordered.step))
