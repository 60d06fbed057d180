"""Predicted classes of the cells of one image, and the one table they are shown and saved as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import UNLABELLED, ClassScheme

if TYPE_CHECKING:
    import pandas as pd

# What a cell was to the model: values of `Predictions.part`.
NEITHER, TRAINED, HELD_OUT = 0, 1, 2
RowsOf = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.int64]]
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
    embedding
        ``(N, E)`` float16; what the model sees in each cell, see `core.review.space`; None where not known.
    unlike
        ``(N,)`` float32; how far from the training cells: over 1 the cell is unlike them, so that its class is not to
        be believed. None where not known.
    """

    probabilities: NDArray[np.float32]
    class_ids: tuple[int, ...]
    part: NDArray[np.uint8]
    run: str = ""
    embedding: NDArray[np.float16] | None = None
    unlike: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.probabilities)

    def take(self, rows: NDArray[Any]) -> Self:
        """Return the answers for some rows, by place or mask."""
        more: dict[str, Any] = {name: None if a is None else a[rows] for name, a in self._more.items()}
        return replace(self, probabilities=self.probabilities[rows], part=self.part[rows], **more)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Class id of the top probability, ``(N,)``; 0 where not predicted."""
        ids = np.asarray(self.class_ids, dtype=np.int64)
        top = ids[np.nan_to_num(self.probabilities, nan=-1.0).argmax(axis=1)]
        return np.where(np.isnan(self.probabilities[:, 0]), UNLABELLED, top)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """Top probability, ``(N,)`` float32; 0 where not predicted."""
        top: NDArray[np.float32] = np.nan_to_num(self.probabilities, nan=0.0).max(axis=1)
        return top

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """Which cells are unlike the training cells, ``(N,)``."""
        none = np.zeros(len(self), dtype=bool)
        return none if self.unlike is None else np.nan_to_num(self.unlike, nan=0.0) > 1

    @property
    def runner_up(self) -> NDArray[np.int64]:
        """Class id of the second probability, ``(N,)``; 0 with one class or where not predicted."""
        if len(self.class_ids) < 2:
            return np.zeros(len(self), dtype=np.int64)
        ids = np.asarray(self.class_ids, dtype=np.int64)
        order = np.argsort(np.nan_to_num(self.probabilities, nan=-1.0), axis=1, kind="stable")
        return np.where(np.isnan(self.probabilities[:, 0]), UNLABELLED, ids[order[:, -2]])

    @property
    def _more(self) -> dict[str, NDArray[Any] | None]:
        return {"embedding": self.embedding, "unlike": self.unlike}

    def placed(self, rows: NDArray[np.integer[Any]], count: int) -> Self:
        """Return the same answers on another table of the same cells.

        Parameters
        ----------
        rows
            ``(N,)``; where each row has gone, -1 for a cell that is not there any more.
        count
            Length of the other table; its other rows are not predicted.
        """
        probabilities = np.full((count, len(self.class_ids)), np.nan, dtype=np.float32)
        part = np.full(count, NEITHER, dtype=np.uint8)
        here = rows >= 0
        probabilities[rows[here]], part[rows[here]] = self.probabilities[here], self.part[here]
        more: dict[str, Any] = {name: None if a is None else _on_rows(a, rows, count) for name, a in self._more.items()}
        return replace(self, probabilities=probabilities, part=part, **more)

    def to_arrays(self, cells: CellTable) -> dict[str, NDArray[Any]]:
        """Return plain arrays for a file, cells by name instead of by row."""
        values: dict[str, NDArray[Any]] = {
            "t": cells.t,
            "cell_id": cells.cell_id,
            "probabilities": self.probabilities,
            "class_ids": np.array(self.class_ids, dtype=np.int64),
            "part": self.part,
            "run": np.array(self.run),
        }
        return values | {name: a for name, a in self._more.items() if a is not None}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], rows_of: RowsOf, count: int) -> Self | None:
        """Make what `to_arrays` wrote, on a table of `count` rows; None when something is missing."""
        try:
            ids = tuple(int(i) for i in arrays["class_ids"])
            more = {name: arrays.get(name) for name in ("embedding", "unlike")}
            stored = cls(arrays["probabilities"], ids, arrays["part"], str(arrays["run"]), **more)
            rows = rows_of(arrays["t"], arrays["cell_id"])
        except KeyError:
            return None
        return stored.placed(rows, count)

    def to_frame(
        self, image: str, cells: CellTable, class_labels: NDArray[np.integer[Any]], scheme: ClassScheme
    ) -> pd.DataFrame:
        """Return the table behind ``predictions.csv``, the features table and the overlay.

        Columns are image, cell_id, t, z, y, x, label, predicted, confidence, where known unlike and flagged,
        ``p_NAME`` for each class, and part; `with_notes` adds track, origin and found_in.
        Classes are written by name; a cell without a label or prediction has an empty string. `predicted` is the most
        probable class also where `flagged` says that the cell is unlike the training cells, so not to be believed.
        """
        import pandas as pd

        name_of = {c.id: c.name for c in scheme} | {UNLABELLED: ""}
        frame = annotation_frame(image, cells, class_labels, scheme)
        said: dict[str, Any] = {"predicted": [name_of.get(i, "") for i in self.predicted.tolist()]}
        said["confidence"] = self.confidence
        if self.unlike is not None:
            said["unlike"], said["flagged"] = self.unlike, self.flagged
        for column, class_id in enumerate(self.class_ids):
            said[f"p_{name_of.get(class_id, class_id)}"] = self.probabilities[:, column]
        said["part"] = [PART_NAMES[p] for p in self.part]
        return pd.concat((frame, pd.DataFrame(said, index=frame.index)), axis=1)


def _on_rows(values: NDArray[Any], rows: NDArray[np.integer[Any]], count: int) -> NDArray[Any]:
    """Return floats on another table; NaN in its other rows."""
    placed = np.full((count, *values.shape[1:]), np.nan, dtype=values.dtype)
    placed[rows[rows >= 0]] = values[rows >= 0]
    return placed


def annotation_frame(
    image: str, cells: CellTable, class_labels: NDArray[np.integer[Any]], scheme: ClassScheme
) -> pd.DataFrame:
    """Return the columns that need no prediction: image, cell_id, t, z, y, x, label."""
    name_of = {c.id: c.name for c in scheme} | {UNLABELLED: ""}
    frame = cells.to_frame()[["cell_id", "t", "z", "y", "x"]]
    frame.insert(0, "image", image)
    frame["label"] = [name_of.get(i, "") for i in class_labels.tolist()]
    return frame


def with_notes(
    frame: pd.DataFrame, origins: NDArray[np.str_], track_id: NDArray[np.int64] | None, found_in: str
) -> pd.DataFrame:
    """Put where labels are from after them, and in which track cells are before; 0 is a cell in no track.

    Last comes the predicted stain that the cells were found in, empty where there is none.
    """
    place = list(frame.columns).index("label")
    frame.insert(place + 1, "origin", origins)
    if track_id is not None:
        frame.insert(place, "track", track_id)
    frame["found_in"] = found_in
    return frame


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of several images as one; without tracks where no cell is in any."""
    import pandas as pd

    table = pd.concat(frames, ignore_index=True)
    if "flagged" in table:
        table["flagged"] = table["flagged"].eq(True)  # of images whose predictions are older than flags, none is
    return table if table["track"].any() else table.drop(columns="track")
