"""Predicted classes of the cells of one image, and the one table they are shown and saved as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import UNLABELLED, ClassScheme

# What a cell was to the model: values of `Predictions.part`.
NEITHER, TRAINED, HELD_OUT = 0, 1, 2
PART_NAMES = ("neither", "training", "held out")


@dataclass(frozen=True)
class Predictions:
    """One model's answer for each row of a `CellTable`.

    Parameters
    ----------
    probabilities
        ``(N, K)`` float32 that sum to 1 along K; NaN in rows that were not predicted.
    class_ids
        The K classes, as ids of the `ClassScheme`.
    part
        ``(N,)`` uint8; `NEITHER`, `TRAINED` or `HELD_OUT`.
    run
        Name of the run folder the model is in; empty when not saved.
    """

    probabilities: NDArray[np.float32]
    class_ids: tuple[int, ...]
    part: NDArray[np.uint8]
    run: str = ""

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Class id of the top probability, ``(N,)``; 0 where not predicted."""
        ids = np.asarray(self.class_ids, dtype=np.int64)
        top = ids[np.nan_to_num(self.probabilities, nan=-1.0).argmax(axis=1)]
        return np.where(np.isnan(self.probabilities[:, 0]), UNLABELLED, top)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Top probability, ``(N,)`` float32; 0 where not predicted."""
        return np.nan_to_num(self.probabilities, nan=0.0).max(axis=1)

    @property
    def runner_up(self) -> NDArray[np.int64]:
        """Class id of the second probability, ``(N,)``; 0 with one class or where not predicted."""
        if len(self.class_ids) < 2:
            return np.zeros(len(self), dtype=np.int64)
        ids = np.asarray(self.class_ids, dtype=np.int64)
        order = np.argsort(np.nan_to_num(self.probabilities, nan=-1.0), axis=1, kind="stable")
        return np.where(np.isnan(self.probabilities[:, 0]), UNLABELLED, ids[order[:, -2]])

    def to_frame(
        self, image: str, cells: CellTable, class_labels: NDArray[np.integer[Any]], scheme: ClassScheme
    ) -> pd.DataFrame:
        """Return the table behind ``predictions.csv``, the features table and the overlay.

        Columns are image, cell_id, t, z, y, x, label, predicted, confidence, ``p_NAME`` for each class, and part.
        Classes are written by name; a cell without a label or prediction has an empty string.
        """
        name_of = {c.id: c.name for c in scheme} | {UNLABELLED: ""}
        frame = cells.to_frame()[["cell_id", "t", "z", "y", "x"]]
        frame.insert(0, "image", image)
        frame["label"] = [name_of.get(int(i), "") for i in class_labels]
        frame["predicted"] = [name_of.get(int(i), "") for i in self.predicted]
        frame["confidence"] = self.confidence
        for column, class_id in enumerate(self.class_ids):
            frame[f"p_{name_of.get(class_id, class_id)}"] = self.probabilities[:, column]
        frame["part"] = [PART_NAMES[p] for p in self.part]
        return frame
