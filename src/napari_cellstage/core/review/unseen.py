"""`Unseen`: what models said about labelled cells that they had not seen. Every score and review comes from this."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.review.cell_refs import CellRefs

How = Literal["held out", "out of fold"]
# Arrays of a file: what kinds of values, how many axes.
_LIKE = (
    ("names", "U", 1),
    ("truth", "iu", 1),
    ("groups", "U", 1),
    ("fold", "iu", 1),
    ("probabilities", "f", 2),
    ("raw", "f", 2),
    ("embedding", "f", 2),
    ("unlike", "f", 1),
)
_ARRAYS = tuple(name for name, _, _ in _LIKE)


@dataclass(frozen=True, eq=False)
class Unseen:
    """Predictions for labelled cells by models whose training had neither the cell nor any of its group.

    Parameters
    ----------
    names
        ``(N,)`` text; what `learn.data.cell_names` calls each cell, or its file where the data are class folders.
    cells
        The same cells in the project; empty where the data are class folders.
    truth
        ``(N,)`` int64; the label that each had when this was made, as a place in `classes`.
    groups
        ``(N,)`` text; image, well, movie ... that a split did not cut through.
    fold
        ``(N,)`` int64; which model predicted it; all 0 for a held-out part.
    probabilities
        ``(N, K)`` float32 that sum to 1; calibrated by a temperature that other groups' cells gave.
    raw
        ``(N, K)`` float32; the same before calibration.
    classes
        The K classes.
    how
        ``"held out"``: one model, on the part kept out of its training. ``"out of fold"``: cross-validated, so that
        every labelled cell is here.
    by_cell
        All labels were in one group, so cells of it are on both sides: scores flatter.
    moment
        Last entry of the journal of labels that had been made; 0 where there is no journal.
    run
        Name of the run folder; empty when not saved.
    embedding
        ``(N, E)`` float32, see `core.review.space`; None where not known.
    unlike
        ``(N,)`` float32; over 1: unlike the training cells; None where not known.
    """

    names: NDArray[np.str_]
    truth: NDArray[np.int64]
    groups: NDArray[np.str_]
    fold: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    raw: NDArray[np.float32]
    classes: ClassScheme
    how: How = "held out"
    by_cell: bool = False
    cells: CellRefs = field(default_factory=CellRefs)
    moment: int = 0
    run: str = ""
    embedding: NDArray[np.float32] | None = None
    unlike: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Place of the top probability in `classes`, ``(N,)``."""
        top: NDArray[np.int64] = self.probabilities.argmax(axis=1).astype(np.int64)
        return top

    def take(self, rows: NDArray[Any]) -> Self:
        """Return some of the cells, by place or mask."""
        taken: dict[str, Any] = {name: None if (a := getattr(self, name)) is None else a[rows] for name in _ARRAYS}
        return replace(self, **taken, cells=self.cells.take(rows) if len(self.cells) else self.cells)

    def relabelled(self, class_ids: NDArray[np.integer[Any]]) -> Self:
        """Return the cells with the labels that they have today, without those that have none, or an unknown one.

        Parameters
        ----------
        class_ids
            ``(N,)``; ids of the `ClassScheme`, 0 for none.
        """
        places = {class_id: place for place, class_id in enumerate(self.classes.ids)}
        kinds, which = np.unique(class_ids, return_inverse=True)
        of_kinds = np.array([places.get(int(i), -1) for i in kinds], dtype=np.int64)
        truth = of_kinds[which.reshape(-1)]
        today = replace(self, truth=truth)
        return today if (truth >= 0).all() else today.take(truth >= 0)

    def save(self, file: Path) -> None:
        """Write the predictions into one ``.npz`` without pickle.

        Raises
        ------
        ModelError
            If it can't be written.
        """
        values: dict[str, Any] = {name: a for name in _ARRAYS if (a := getattr(self, name)) is not None}
        values |= {f"cells_{name}": getattr(self.cells, name) for name in ("image_id", "t", "cell_id")}
        values |= {name: np.array(getattr(self, name)) for name in ("how", "by_cell", "moment", "run")}
        try:
            np.savez_compressed(file, **values, scheme=json.dumps(self.classes.to_dict()))
        except OSError as e:
            raise ModelError(f"'{file}' can't be written: {e}. Make room, or save the project elsewhere.") from e

    @classmethod
    def load(cls, file: Path) -> Self | None:
        """Read what `save` wrote; None where there is no such file.

        Raises
        ------
        ModelError
            If the file is damaged.
        """
        if not file.is_file():
            return None
        try:
            if not is_zipfile(file):
                raise ValueError("it holds no arrays")  # numpy would speak of pickle
            # numpy leaves a file that it opened itself open where it is damaged
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as found:
                arrays = {name: found[name] for name in _ARRAYS if name in found}
                cells = CellRefs(*(found[f"cells_{name}"] for name in ("image_id", "t", "cell_id")))
                scheme = ClassScheme.from_dict(json.loads(str(found["scheme"])))
                kinds = {"how": str, "by_cell": bool, "moment": int, "run": str}
                notes: dict[str, Any] = {name: kind(found[name]) for name, kind in kinds.items()}
                return cls(**arrays, **notes, classes=scheme, cells=cells)._checked()
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as e:
            raise ModelError(f"'{file}' is damaged: {e}. Delete it and train again; the labels are safe.") from e

    def _checked(self) -> Self:
        """Return the same; ValueError where arrays do not belong together."""
        count, classes = len(np.atleast_1d(self.truth)), len(self.classes)
        for name, kinds, dims in _LIKE:
            values = getattr(self, name)
            if values is not None and not (values.dtype.kind in kinds and values.ndim == dims and len(values) == count):
                raise ValueError(f"its {name} are {values.dtype} {values.shape}, of {count} cells")
        if self.probabilities.shape[1] != classes or self.raw.shape[1] != classes:
            raise ValueError(f"it has probabilities of {self.probabilities.shape[1]} classes, but {classes} names")
        if not (np.isfinite(self.probabilities).all() and np.isfinite(self.raw).all()):
            raise ValueError("some of its probabilities are no numbers")
        if count and not 0 <= self.truth.min() <= self.truth.max() < classes:
            raise ValueError(f"its labels go from {self.truth.min()} to {self.truth.max()}, of {classes} classes")
        for one in (self.cells.image_id, self.cells.t, self.cells.cell_id):
            if one.dtype.kind not in "iu" or one.ndim != 1 or len(one) not in (0, count):
                raise ValueError(f"its cells are {one.dtype} {one.shape}, of {count}")
        return self
