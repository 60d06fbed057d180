"""Which labelled cells a task has, and the split of all of them: what `TrainingSet` makes of left-out classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme, StageClass
from napari_cellstage.core.folders import CropSet
from napari_cellstage.core.scoring.common_split import CommonSplit
from napari_cellstage.core.snapshot import ImageSnapshot
from napari_cellstage.core.tasks import Task

LeftOut = tuple[tuple[StageClass, int], ...]
"""Classes that are not of a task, and how many labelled cells each has."""


def scheme_of(crops: CropSet) -> ClassScheme:
    """Return the classes that have crops."""
    return ClassScheme.from_names([name for name, count in crops.counts().items() if count])


def only(scheme: ClassScheme, names: list[str]) -> ClassScheme:
    """Return the classes of these names, with the numbers and colours that they have."""
    for one in scheme:
        if one.name not in names:
            scheme = scheme.remove(one.id)
    return scheme


def of_task(crops: CropSet, task: Task | None) -> tuple[CropSet, LeftOut, CommonSplit | None]:
    """Return the crops of a task, which classes are left out with how many crops, and the split of all."""
    counts = crops.counts()
    out = [one for one in scheme_of(crops) if task is not None and one.name not in task.classes]
    if task is None or not out:
        return crops, (), None
    kept = [place for place, name in enumerate(crops.classes) if name in task.classes]
    split = CommonSplit(crops.labels, crops.groups, np.flatnonzero(np.isin(crops.labels, kept)))
    return crops.of_classes(task.classes), tuple((one, counts[one.name]) for one in out), split


class Everything:
    """Classes and groups of all labelled cells, so that those of a task are split as all are."""

    def __init__(self) -> None:
        self._ids: list[NDArray[np.int64]] = []
        self._groups: list[NDArray[np.str_]] = []

    def add(self, image: ImageSnapshot, rows: NDArray[np.int64]) -> None:
        """Add the labelled rows of an image."""
        self._ids.append(image.class_ids[rows])
        self._groups.append(groups_of(image, rows))

    def left(self, scheme: ClassScheme, left: NDArray[np.int64]) -> tuple[LeftOut, CommonSplit | None]:
        """Return which classes with cells are left out, and the split of all; None where none is."""
        ids = np.concatenate(self._ids) if self._ids else np.zeros(0, dtype=np.int64)
        counts = [(one, int((ids == one.id).sum())) for one in scheme if one.id in left]
        left_out = tuple((one, count) for one, count in counts if count)
        if not left_out:
            return (), None
        places = {class_id: place for place, class_id in enumerate(scheme.ids)}
        labels = np.array([places[i] for i in ids.tolist()], dtype=np.int64)
        return left_out, CommonSplit(labels, np.concatenate(self._groups), np.flatnonzero(~np.isin(ids, left)))


def groups_of(image: ImageSnapshot, rows: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return ``(n,)`` text: which image, well or movie rows are of."""
    kind = "movie" if image.stack.shape[0] > 1 else "image"
    return np.full(len(rows), f"{kind} {image.image_id}") if image.groups is None else image.groups[rows]
