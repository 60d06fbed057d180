"""Two runs on the same cells: which cells the second one gets right that the first gets wrong, and the other way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.errors import ModelError
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.unseen import Unseen

if TYPE_CHECKING:
    from napari_cellstage.core.scoring.paired import Paired


@dataclass(frozen=True)
class RunComparison:
    """Runs A and B on the cells that both have answers for, by models that had not seen them.

    Parameters
    ----------
    a, b
        Names of the runs.
    paired
        The figures.
    won
        Cells that B gets right and A wrong.
    lost
        Cells that A gets right and B wrong.
    """

    a: str
    b: str
    paired: Paired
    won: CellRefs
    lost: CellRefs


def compare_unseen(a: Unseen, b: Unseen, names: tuple[str, str]) -> RunComparison:
    """Compare two runs.

    Parameters
    ----------
    a, b
        With the labels that the cells have today.
    names
        Of the runs.

    Raises
    ------
    ModelError
        If they have no cell in common.
    """
    from napari_cellstage.core.scoring.paired import compare

    places = a.cells.places_in(b.cells)
    mine, theirs = np.flatnonzero(places >= 0), places[places >= 0]
    if not len(mine):
        raise ModelError(
            f"'{names[0]}' and '{names[1]}' have no labelled cell in common that neither model had seen: 0 cells. "
            "Cross-validate both, then every labelled cell can be compared."
        )
    truth = _ids(a, a.truth)[mine]
    said_a, said_b = _ids(a, a.predicted)[mine], _ids(b, b.predicted)[theirs]
    cells = a.cells.take(mine)
    right_a, right_b = said_a == truth, said_b == truth
    won, lost = cells.take(right_b & ~right_a), cells.take(right_a & ~right_b)
    return RunComparison(*names, compare(truth, said_a, said_b, a.groups[mine]), won, lost)


def _ids(unseen: Unseen, places: NDArray[Any]) -> NDArray[np.int64]:
    ids: NDArray[np.int64] = np.asarray(unseen.classes.ids, dtype=np.int64)[places]
    return ids
