"""How a `ReviewTable` comes about: cells and labels of all images, answers of a run, the latest predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_cellstage.core.cells import CellTable
from napari_cellstage.core.classes import UNLABELLED, ClassScheme
from napari_cellstage.core.predictions import TRAINED, Predictions
from napari_cellstage.core.review.cell_refs import CellRefs
from napari_cellstage.core.review.table import Floats, Ids, ReviewTable
from napari_cellstage.core.review.unseen import Unseen

_LEAST = 1e-6  # a probability of 0 is a loss that nothing can be compared with
_MADE = ("predicted", "runner_up", "confidence", "margin", "loss", "suspicion", "unlike")


@dataclass(frozen=True)
class TopTwo:
    """The two classes that a model thinks of first, for each of ``N`` cells.

    Parameters
    ----------
    predicted, runner_up
        ``(N,)`` int64 class ids; 0 where not predicted.
    confidence, margin
        ``(N,)`` float32; NaN where not predicted.
    """

    predicted: Ids
    runner_up: Ids
    confidence: Floats
    margin: Floats

    @classmethod
    def of(cls, probabilities: NDArray[np.floating[Any]], class_ids: tuple[int, ...]) -> Self:
        """Find them among ``(N, K)`` probabilities; rows of NaN are not predicted."""
        count = len(probabilities)
        rest = np.nan_to_num(np.asarray(probabilities, dtype=np.float32), nan=-1.0)
        ids, rows = np.asarray(class_ids, dtype=np.int64), np.arange(count)
        top = rest.argmax(axis=1)
        first = rest[rows, top]
        rest[rows, top] = -2.0
        next_one = rest.argmax(axis=1)
        second = rest[rows, next_one] if len(ids) > 1 else np.zeros(count, dtype=np.float32)
        known = first >= 0
        runner_up = np.where(known, ids[next_one], UNLABELLED) if len(ids) > 1 else np.zeros(count, dtype=np.int64)
        confidence = np.where(known, first, np.nan).astype(np.float32)
        margin = np.where(known, first - second, np.nan).astype(np.float32)
        return cls(np.where(known, ids[top], UNLABELLED), runner_up, confidence, margin)


@dataclass(frozen=True)
class ImagePart:
    """What is known of the cells of one image.

    Parameters
    ----------
    image_id, cells
        Which image, and its ``N`` cells.
    class_ids
        ``(N,)``; 0 for not labelled.
    predictions
        The latest model's, None where there are none.
    top
        The same, its two first classes; None where there are none.
    refs
        The cells by name.
    """

    image_id: int
    cells: CellTable
    class_ids: Ids
    predictions: Predictions | None
    top: TopTwo | None
    refs: CellRefs = field(default_factory=CellRefs)


@dataclass(frozen=True)
class Judged:
    """What the reviewed run said of labelled cells that its models had not seen.

    Parameters
    ----------
    unseen
        ``M`` cells with the labels that they have today.
    top
        Its two first classes.
    suspicion
        ``(M,)`` float32 in [0, 1]; see `core.review.suspects`.
    rows
        ``(M,)``; their rows in the table.
    """

    unseen: Unseen
    top: TopTwo
    suspicion: Floats
    rows: Ids


def build_table(parts: Sequence[ImagePart], judged: Judged | None, classes: ClassScheme, run: str) -> ReviewTable:
    """Return one table of the cells of all images.

    Parameters
    ----------
    parts
        One an image.
    judged
        Answers for labelled cells; None when no run has any.
    classes
        The project's classes; an answer that is none of them is no answer.
    run
        The reviewed run.
    """
    label = _joined([part.class_ids for part in parts], np.int64)
    made = _answers_of_latest(parts, label)
    if judged is not None:
        _put_judged(made, judged)
    _forget_unknown(made, classes)
    cells = CellRefs.joined(part.refs for part in parts)
    return ReviewTable(cells, label, **made, embedding=_embedding(parts), classes=classes, run=run)


def blinded(table: ReviewTable) -> ReviewTable:
    """Return the table without anything that a model says."""
    hidden = {name: np.full_like(getattr(table, name), _nothing(name)) for name in _MADE}
    return ReviewTable(table.cells, table.label, **hidden, embedding=None, classes=table.classes)


def _nothing(name: str) -> float:
    return UNLABELLED if name in ("predicted", "runner_up") else np.nan


def _answers_of_latest(parts: Sequence[ImagePart], label: Ids) -> dict[str, Any]:
    """Return what the latest model says of unlabelled cells that it was not trained on either."""
    names = ("predicted", "runner_up", "confidence", "margin")
    made: dict[str, Any] = {}
    for name in names:
        empty = _nothing(name)
        values = [getattr(p.top, name) if p.top else np.full(len(p.cells), empty) for p in parts]
        made[name] = _joined(values, np.int64 if empty == UNLABELLED else np.float32)
    made["unlike"] = _joined([_unlike(part) for part in parts], np.float32)
    trained = _joined([p.predictions.part == TRAINED if p.predictions else np.zeros(len(p.cells)) for p in parts], bool)
    for name, values in made.items():
        values[(label != UNLABELLED) | trained] = _nothing(name)
    made["loss"] = np.full(len(label), np.nan, dtype=np.float32)
    made["suspicion"] = np.full(len(label), np.nan, dtype=np.float32)
    return made


def _unlike(part: ImagePart) -> Floats:
    found = part.predictions.unlike if part.predictions else None
    return np.full(len(part.cells), np.nan, dtype=np.float32) if found is None else found


def _put_judged(made: dict[str, Any], judged: Judged) -> None:
    unseen, rows = judged.unseen, judged.rows
    for name in ("predicted", "runner_up", "confidence", "margin"):
        made[name][rows] = getattr(judged.top, name)
    of_label = unseen.probabilities[np.arange(len(unseen)), unseen.truth]
    made["loss"][rows] = -np.log(np.maximum(of_label, _LEAST))
    made["suspicion"][rows] = judged.suspicion
    if unseen.unlike is not None:
        made["unlike"][rows] = unseen.unlike


def _forget_unknown(made: dict[str, Any], classes: ClassScheme) -> None:
    """Take away answers that are a class which has been deleted since."""
    known = (UNLABELLED, *classes.ids)
    gone = ~np.isin(made["predicted"], known)
    for name in _MADE:
        made[name][gone] = _nothing(name)
    made["runner_up"][~np.isin(made["runner_up"], known)] = UNLABELLED


def _embedding(parts: Sequence[ImagePart]) -> Floats | None:
    """Return where cells lie in the space of one run: of the one that most cells have been predicted by."""
    runs: dict[str, int] = {}
    having = {p.image_id: p.predictions for p in parts if p.predictions and p.predictions.embedding is not None}
    for found in having.values():
        runs[found.run] = runs.get(found.run, 0) + len(found)
    if not runs:
        return None
    most = max(runs, key=lambda run: runs[run])
    arrays = {i: found.embedding for i, found in having.items() if found.run == most and found.embedding is not None}
    width = max(one.shape[1] for one in arrays.values())
    none = {p.image_id: np.full((len(p.cells), width), np.nan, dtype=np.float32) for p in parts}
    kept = {i: a.astype(np.float32) for i, a in arrays.items() if a.shape[1] == width}
    return np.concatenate([kept.get(p.image_id, none[p.image_id]) for p in parts])


def _joined(values: list[Any], dtype: Any) -> Any:
    return np.concatenate(values).astype(dtype) if values else np.zeros(0, dtype=dtype)
