"""The confusion matrix of a report: a table of few classes, a picture of many, and the pairs most often confused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellstage.core.classes import ClassScheme
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.reporting.pictures import matrix_picture, matrix_words

AS_TABLE = 20  # classes
PAIRS = 10


@dataclass(frozen=True)
class Entry:
    """Cells of one class predicted as one: how many, per cent of the row, how dark from 0 to 1."""

    count: int
    percent: str
    shade: float
    diagonal: bool


@dataclass(frozen=True)
class Row:
    """A true class and its entries."""

    name: str
    color: str
    total: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Pair:
    """A class that is taken for another."""

    label: str
    predicted: str
    count: int
    percent: str


@dataclass(frozen=True)
class Matrix:
    """The matrix as a table, or as a picture where it would be too large."""

    rows: tuple[Row, ...]
    picture: str
    words: str
    pairs: tuple[Pair, ...]


def matrix_of(scores: Scores, classes: ClassScheme) -> Matrix:
    """Return the confusion matrix."""
    counts = scores.confusion
    totals = counts.sum(axis=1)
    large = len(counts) > AS_TABLE
    rows = [
        Row(one.name, one.color, int(total), _entries(row, int(total), place))
        for place, (one, row, total) in enumerate(zip(classes, counts.tolist(), totals.tolist(), strict=True))
    ]
    picture = matrix_picture(counts) if large else ""
    return Matrix(() if large else tuple(rows), picture, matrix_words(counts), _pairs(scores))


def _entries(row: list[int], total: int, diagonal: int) -> tuple[Entry, ...]:
    return tuple(
        Entry(count, _percent(count, total), round(count / total, 3) if total else 0.0, place == diagonal)
        for place, count in enumerate(row)
    )


def _pairs(scores: Scores) -> tuple[Pair, ...]:
    wrong = scores.confusion.copy()
    np.fill_diagonal(wrong, 0)
    totals = scores.confusion.sum(axis=1)
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    found = []
    for label, said in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if count := int(wrong[label, said]):
            share = _percent(count, int(totals[label]))
            found.append(Pair(scores.classes[label], scores.classes[said], count, share))
    return tuple(found)


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.0f} %" if total else "–"
