"""What a run was trained on: each cell with its label and part at that moment, kept as ``labels.csv`` of its folder.

Labels of a project go on changing after a training. With these a run can be handed on, and trained once more, with
the labels that it had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.safe_csv import read_csv, write_csv
from napari_cellstage.core.whole_files import reason_of

if TYPE_CHECKING:
    import pandas as pd

    from napari_cellstage.learn.data import TrainingSet

LABELS = "labels.csv"
PARTS = TRAINED, HELD_OUT = "trained", "held out"
_COLUMNS = ("cell", "class", "group", "part", "hash")


@dataclass(frozen=True)
class RunLabels:
    """Cells in the order in which they were trained on, which counts: another order draws other batches.

    Parameters
    ----------
    names, classes, groups
        One a cell: what it is called in the model's card, the name of its class, and what it shares with the cells
        that a split keeps together with it.
    parts
        One of `PARTS` a cell.
    hashes
        One a cell, see `cell_hash`; empty text where it is not known.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    parts: tuple[str, ...]
    hashes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def held_out(self) -> NDArray[np.bool_]:
        """``(N,)``; which cells only measured the score."""
        return np.array([part == HELD_OUT for part in self.parts], dtype=bool)

    @classmethod
    def of(cls, data: TrainingSet, held_out: NDArray[np.bool_]) -> Self:
        """Note what is trained on.

        Parameters
        ----------
        data
            N labelled cells.
        held_out
            ``(N,)``; which of them only measure the score.
        """
        names = data.classes.names
        return cls(
            names=data.names,
            classes=tuple(names[place] for place in data.labels.tolist()),
            groups=tuple(map(str, data.groups.tolist())),
            parts=tuple(HELD_OUT if one else TRAINED for one in held_out.tolist()),
            hashes=tuple(cell_hashes(data.crops, data.masks)),
        )

    def frame(self) -> pd.DataFrame:
        """Return them as a table, a row a cell."""
        import pandas as pd

        columns = (self.names, self.classes, self.groups, self.parts, self.hashes)
        return pd.DataFrame(dict(zip(_COLUMNS, map(list, columns), strict=True)), dtype=object)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Return what a table of text says; ValueError where it is not what `frame` wrote."""
        if lacking := [name for name in _COLUMNS if name not in frame.columns]:
            raise ValueError(f"it has no column '{lacking[0]}'")
        found = cls(*(tuple(map(str, frame[name])) for name in _COLUMNS))
        if wrong := sorted(set(found.parts) - set(PARTS)):
            raise ValueError(f"a cell's part is '{wrong[0]}', and not one of {', '.join(PARTS)}")
        if len(set(found.names)) < len(found):
            raise ValueError("two of its cells have one name")
        return found

    def save(self, folder: Path) -> None:
        """Write them into a run folder.

        Raises
        ------
        ModelError
            If that can't be done.
        """
        try:
            write_csv(self.frame(), folder / LABELS)
        except OSError as e:
            raise ModelError(f"'{folder / LABELS}' can't be written: {reason_of(e)}. Make room, train again.") from e

    @classmethod
    def load(cls, file: Path) -> Self | None:
        """Read them; None where there is no such file, as in runs of earlier versions.

        Raises
        ------
        ModelError
            If the file is damaged.
        """
        if not file.is_file():
            return None
        try:
            return cls.from_frame(read_csv(file))
        except (OSError, ValueError, KeyError) as e:
            raise ModelError(f"'{file}' can't be used: {e}. Copy the run folder again, or train anew.") from e


def cell_hashes(crops: NDArray[Any], masks: NDArray[np.bool_] | None) -> Sequence[str]:
    """Return `cell_hash` of each of ``(N, C, H, W)`` crops with their ``(N, H, W)`` masks, or None for no masks."""
    return [cell_hash(crop, None if masks is None else masks[row]) for row, crop in enumerate(crops)]


def cell_hash(crop: NDArray[Any], mask: NDArray[np.bool_] | None) -> str:
    """Return a SHA-256 of what a training sees of a cell: kind of number, shape, pixels, and mask where there is one.

    The same on every machine, whatever the order of its bytes.
    """
    plain = np.ascontiguousarray(crop, dtype=crop.dtype.newbyteorder("<"))
    found = hashlib.sha256(f"{crop.dtype.name} {crop.shape}".encode())
    found.update(plain.data)
    if mask is not None:
        found.update(np.packbits(mask).data)
    return found.hexdigest()
