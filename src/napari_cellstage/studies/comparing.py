"""Two methods of a study on the same cells, as a cell of its table."""

from __future__ import annotations

import numpy as np

from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.paired import compare


def against(baseline: Unseen, other: Unseen) -> str:
    """Return how much better another method is on the cells that both have answered, with a paired test.

    Returns
    -------
    str
        Difference in accuracy in per cent, its 95 % interval, McNemar's exact p: ``"+1.2 (+0.5 to +1.9), p = 0.001"``.
    """
    _, a, b = np.intersect1d(baseline.names, other.names, return_indices=True)
    found = compare(baseline.truth[a], baseline.predicted[a], other.predicted[b])
    low, high = found.interval
    chance = "p < 0.001" if found.p < 0.001 else f"p = {found.p:.3f}"
    return f"{100 * found.difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}), {chance}"
