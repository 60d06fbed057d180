"""Majority votes: what most persons said of each cell; ties are left to be settled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.classes import UNLABELLED
from napari_cellstage.core.people.answers import Answers

Numbers = NDArray[np.int64]


def votes(answers: Answers) -> NDArray[np.int64]:
    """Return ``(N, K)``; how many persons gave each cell each class of the scheme."""
    ids = answers.classes.ids
    counted = [(answers.class_ids == class_id).sum(axis=1) for class_id in ids]
    return np.stack(counted, axis=1) if counted else np.zeros((len(answers), 0), dtype=np.int64)


def majority(answers: Answers, min_share: float = 0.5, but: int | None = None) -> Numbers:
    """Return ``(N,)`` class ids: what most persons said, 0 where two classes have as many votes.

    Parameters
    ----------
    answers
        What persons said.
    min_share
        A class with less than this share of the votes has no majority.
    but
        A column that doesn't vote, so that this person is not measured against himself.
    """
    if but is not None:
        class_ids = answers.class_ids.copy()
        class_ids[:, but] = UNLABELLED
        answers = Answers(answers.cells, answers.names, class_ids, answers.classes)
    counted = votes(answers)
    if not counted.shape[1]:
        return np.zeros(len(answers), dtype=np.int64)
    most, total = counted.max(axis=1), counted.sum(axis=1)
    clear = ((counted == most[:, None]).sum(axis=1) == 1) & (most > 0) & (most >= min_share * total)
    return np.where(clear, np.array(answers.classes.ids, dtype=np.int64)[counted.argmax(axis=1)], UNLABELLED)
