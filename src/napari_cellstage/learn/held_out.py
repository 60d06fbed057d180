"""What a model says about cells that were kept out of its training, as the `Unseen` that every score comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import Scores, score_unseen
from napari_cellstage.learn.data import TrainingSet

Values = NDArray[np.float32]


def unseen_of(data: TrainingSet, rows: NDArray[Any], raw: Values, probabilities: Values, **more: Any) -> Unseen | None:
    """Return predictions for some cells of a training set; None without cells, or where some were not predicted.

    Parameters
    ----------
    data
        Labelled cells.
    rows
        Which of them, by place or mask; `n` of them.
    raw, probabilities
        ``(n, K)`` before and after calibration.
    **more
        Other fields of `Unseen`.
    """
    places = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows, dtype=np.int64)
    if not len(places) or np.isnan(probabilities).any():
        return None
    whole: dict[str, Any] = {"fold": np.zeros(len(places), dtype=np.int64), "moment": data.moment} | more
    return Unseen(
        names=np.asarray(data.names, dtype=np.str_)[places],
        truth=data.labels[places],
        groups=np.asarray(data.groups, dtype=np.str_)[places],
        probabilities=probabilities,
        raw=raw,
        classes=data.classes,
        by_cell=len(np.unique(data.groups)) < 2,
        cells=data.refs.take(places) if len(data.refs) else data.refs,
        **whole,
    )


def scored(unseen: Unseen | None) -> Scores | None:
    """Return how good the predictions are; None without any."""
    return None if unseen is None or not len(unseen) else score_unseen(unseen)
