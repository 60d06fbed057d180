"""Cells in the order in which a model sees them, over all images of the project."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.predictions import TRAINED
from napari_cellstage.core.review.building import ImagePart
from napari_cellstage.core.snapshot import Images, WorkSnapshot
from napari_cellstage.session.audit import AuditPart
from napari_cellstage.session.people import PeoplePart
from napari_cellstage.session.review import ReviewPart

if TYPE_CHECKING:
    from napari_cellstage.core.review.pseudotime import Pseudotime
    from napari_cellstage.core.review.pseudotime_score import CellOrder


class OrderPart(ReviewPart, AuditPart, PeoplePart):
    """The cells along the cycle."""

    def cell_order(self, known: Pseudotime | None = None) -> Callable[[], CellOrder]:
        """Return what puts the cells of `review_table` in order, for any thread.

        Parameters
        ----------
        known
            An order that was found earlier of the same embedding: then only labels are looked at again.

        Raises
        ------
        PseudotimeError
            If no cell was predicted by a model that keeps where it sees cells; when it is called, if cells are too few.
        """
        from napari_cellstage.core.review.pseudotime import PseudotimeError

        table = self.review_table()
        if table.embedding is None:
            raise PseudotimeError("No cell has a place in what a model sees. Train once; then cells can be ordered.")
        parts = list((self._parts or {}).values())
        run, frozen = self._run_of(parts), self.look_with_groups()
        folder = None if self.project is None or not run else self.project.runs / run
        return partial(
            _order,
            table.embedding,
            folder,
            known,
            scheme=self.scheme,
            labels=np.concatenate([self._label_names(part, frozen.left_out) for part in parts]),
            groups=np.concatenate([_groups(part, frozen) for part in parts]),
            unseen=np.concatenate([_unseen(part, run) for part in parts]),
        )

    def _run_of(self, parts: list[ImagePart]) -> str:
        """Return the run whose space the embedding of the table is in: that of most cells."""
        counts: dict[str, int] = {}
        for part in parts:
            if part.predictions is not None and part.predictions.embedding is not None:
                counts[part.predictions.run] = counts.get(part.predictions.run, 0) + len(part.predictions)
        return max(counts, key=lambda run: counts[run], default="")

    def _label_names(self, part: ImagePart, left_out: tuple[int, ...]) -> NDArray[np.str_]:
        """Return the names of labels; empty for cells set aside for the final check, and of classes left out."""
        names = {one.id: one.name for one in self.scheme if one.id not in left_out} | {UNLABELLED: ""}
        kinds, which = np.unique(part.class_ids, return_inverse=True)
        labels = np.array([names.get(kind, "") for kind in kinds.tolist()], dtype=np.str_)[which.reshape(-1)]
        return np.where(self.audit_mask(part.image_id), "", labels)


def _groups(part: ImagePart, frozen: WorkSnapshot) -> NDArray[np.str_]:
    images, alone = frozen.images, np.full(len(part.cells), f"image {part.image_id}")
    said = images.extras.get(part.image_id, {}).get("groups") if isinstance(images, Images) else None
    return alone if said is None or len(said) != len(alone) else np.asarray(said, dtype=np.str_)


def _unseen(part: ImagePart, run: str) -> NDArray[np.bool_]:
    said = part.predictions
    if said is None or said.run != run:
        return np.zeros(len(part.cells), dtype=bool)
    return np.asarray(said.part != TRAINED)


def _order(
    embedding: NDArray[np.float32], folder: Path | None, known: Pseudotime | None, *, scheme: Any, **cells: Any
) -> CellOrder:
    from napari_cellstage.core.review.pseudotime import order_features, pseudotime
    from napari_cellstage.core.review.pseudotime_score import order_cells
    from napari_cellstage.core.review.true_order import TrueOrder
    from napari_cellstage.learn.spaces import read_space

    if known is None:
        space = None if folder is None else read_space(folder)
        known = pseudotime(order_features(embedding, space))
    return order_cells(known, order=TrueOrder.of(scheme), **cells)
