"""Classes of predictions merged: seven stages as five, say, without training anything anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.review.unseen import Unseen


def merged(unseen: Unseen, names: Sequence[str], as_name: str) -> Unseen:
    """Return predictions in which several classes are one: their probabilities are summed.

    Parameters
    ----------
    unseen
        Of K classes.
    names
        Two or more of them; upper and lower case are the same.
    as_name
        What the merged class is called; it stands where the first of them stood.

    Raises
    ------
    TrainingError
        If there is no such class, or no other class is left.
    """
    places = [_place(unseen.classes.names, name) for name in names]
    if len(set(places)) == len(unseen.classes):
        raise TrainingError(f"Merging {', '.join(names)} leaves one class only. Merge fewer.")
    kept = [place for place in range(len(unseen.classes)) if place not in places or place == min(places)]
    new_place = np.array(
        [kept.index(min(places) if place in places else place) for place in range(len(unseen.classes))]
    )
    return replace(
        unseen,
        classes=ClassScheme.from_names([as_name if p == min(places) else unseen.classes.names[p] for p in kept]),
        truth=new_place[unseen.truth],
        probabilities=_summed(unseen.probabilities, new_place, len(kept)),
        raw=_summed(unseen.raw, new_place, len(kept)),
    )


def has_classes(unseen: Unseen, names: Sequence[str]) -> bool:
    """Return whether all of these classes are there."""
    return {name.lower() for name in names} <= {name.lower() for name in unseen.classes.names}


def _place(names: Sequence[str], name: str) -> int:
    found = [place for place, one in enumerate(names) if one.lower() == name.lower()]
    if not found:
        raise TrainingError(f"There is no class '{name}' to merge. There are: {', '.join(names)}.")
    return found[0]


def _summed(values: NDArray[np.float32], new_place: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    found = np.zeros((len(values), count), dtype=np.float32)
    np.add.at(found.T, new_place, values.T)
    return found
