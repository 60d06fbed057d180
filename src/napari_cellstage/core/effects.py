"""What an edit has changed, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.edits import Edit

Rows = NDArray[np.int64]
NO_ROWS: Rows = np.zeros(0, dtype=np.int64)


@dataclass
class Effects:
    """What an edit has changed.

    Parameters
    ----------
    edit
        The edit, with the journal's numbers of it.
    rows
        Rows whose label changed, by image; none for an image that is not in memory.
    cells
        Images whose table is another now.
    predictions
        Images whose predictions are others now, or shown again, or hidden.
    """

    edit: Edit
    rows: dict[int, Rows] = field(default_factory=dict)
    cells: tuple[int, ...] = ()
    predictions: tuple[int, ...] = ()
