"""What commands answer with: figures as text and as JSON, and the files of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from napari_cellstage.core.errors import CellStageError
from napari_cellstage.core.json_values import plain
from napari_cellstage.core.safe_csv import write_csv
from napari_cellstage.core.scoring.scores import Scores
from napari_cellstage.core.scoring.words import class_texts, figures_of, interval_words

if TYPE_CHECKING:
    import pandas as pd

NO_SCORES: dict[str, Any] = {
    "accuracy": None,
    "low": None,
    "high": None,
    "balanced_accuracy": None,
    "macro_f1": None,
    "confusion": None,
    "matthews": None,
    "kappa": None,
    "kappa_kind": "",
    "ece": None,
    "ece_before": None,
    "intervals": {},
    "interval_over": "",
    "per_class": [],
    "groups": 0,
    "by_cell": False,
    "warnings": [],
}
SHOWN_CLASSES = 20  # of which a confusion matrix fits a terminal


class OutputError(CellStageError):
    """A result can't be written where it was asked for."""


def write_json(values: dict[str, Any]) -> None:
    """Write one line of JSON on standard output; a number that is none becomes null."""
    typer.echo(json.dumps(plain(values), ensure_ascii=False))


def figures(scores: Scores | None) -> dict[str, Any]:
    """Return scores under the names they have in the JSON; null where nothing was held out."""
    if scores is None:
        return NO_SCORES
    written = scores.to_dict()
    return {key: written[key] for key in NO_SCORES}


def score_lines(scores: Scores, title: str) -> list[str]:
    """Return scores as lines of text: all figures, each class, the confusion matrix, and what to know of them.

    Parameters
    ----------
    scores
        Of cells not trained on.
    title
        What was scored, such as ``"held-out accuracy"``.
    """
    figures = [f"{one.title} {one.text}" for one in figures_of(scores) if one.key != "accuracy"]
    matrix = ["", *confusion_lines(scores)] if len(scores.classes) <= SHOWN_CLASSES else []
    warnings = [f"Note: {one}" for one in scores.warnings]
    return [f"{title} {scores.text}", *figures, interval_words(scores), *warnings, "", *_class_lines(scores), *matrix]


def _class_lines(scores: Scores) -> list[str]:
    head = ("class", "cells", "precision", "recall", "F1")
    return aligned([head, *((one.name, str(one.n), *class_texts(one)) for one in scores.per_class)])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of text with their columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def table_lines(table: pd.DataFrame) -> list[str]:
    """Return a table as text, its head first."""
    return aligned([list(table.columns), *table.astype(str).to_numpy().tolist()])


def confusion_lines(scores: Scores) -> list[str]:
    """Return the confusion matrix as lines: a row a true class, a column a predicted one, in the same order."""
    width = max(len(name) for name in scores.classes)
    cell = max(4, len(str(scores.confusion.max())) + 1)
    rows = zip(scores.classes, scores.confusion.tolist(), strict=True)
    head = f"{'true class':{width}}  predicted, in the same order"
    return [head, *(f"{name:{width}} {''.join(f'{count:{cell}d}' for count in row)}" for name, row in rows)]


def write_table(table: pd.DataFrame, file: Path) -> None:
    """Write a table as CSV, making the folder it goes to."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_csv(table, file)
    except OSError as error:
        raise cannot_write(file, error) from error


def cannot_write(file: Path, error: OSError) -> OutputError:
    """Return the error for a result that can't be written."""
    reason = error.strerror or str(error)
    return OutputError(f"'{file}' can't be written: {reason}. Choose another place with --out, or make room.")
