"""`ReviewTable`: every cell of a project with its label and what a model that had not seen that label says of it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.review.cell_refs import CellRefs

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
_WHOLE = ("cells", "classes", "run")


@dataclass(frozen=True, eq=False)
class ReviewTable:
    """What the review looks at: one row a cell, of all images.

    A labelled cell has the answer of a model that was trained without it, or none; an unlabelled one that of the
    latest model. A model's answer on its own training cells is nowhere in here.

    Parameters
    ----------
    cells
        ``N`` of them.
    label, predicted, runner_up
        ``(N,)`` int64 class ids; 0 for none.
    confidence, margin
        ``(N,)`` float32; top probability, and how far it is above the second. NaN where not predicted.
    loss
        ``(N,)`` float32; -log of the probability of the label. NaN without label or prediction.
    suspicion
        ``(N,)`` float32 in [0, 1]; how likely the label is wrong (`core.review.suspects`). NaN where there is no label
        or no prediction that says something of it.
    unlike
        ``(N,)`` float32; over 1: unlike the training cells. NaN where not known.
    embedding
        ``(N, E)`` float32, or None.
    classes
        The project's classes.
    run
        Which run the answers are of.
    order
        ``(N,)`` float32 from 0 to 1; place along the cycle (`core.review.pseudotime`), None until somebody asks.
    """

    cells: CellRefs
    label: Ids
    predicted: Ids
    runner_up: Ids
    confidence: Floats
    margin: Floats
    loss: Floats
    suspicion: Floats
    unlike: Floats
    embedding: Floats | None
    classes: ClassScheme
    run: str = ""
    order: Floats | None = None

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: NDArray[Any]) -> Self:
        """Return some rows, by place or mask, in that order."""
        arrays = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in _WHOLE}
        taken: dict[str, Any] = {name: None if a is None else a[rows] for name, a in arrays.items()}
        return replace(self, cells=self.cells.take(rows), **taken)

    def same_places(self, other: ReviewTable) -> bool:
        """Return whether both hold the same cells at the same places of a model's space."""
        if self.embedding is None or other.embedding is None:
            return self.embedding is other.embedding
        return self.cells == other.cells and np.array_equal(self.embedding, other.embedding, equal_nan=True)
