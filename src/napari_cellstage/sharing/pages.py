"""The pages of a bundle for people: what is what, a script and a notebook that train it again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from napari_cellstage.core.scoring.words import cells_words, figures_of
from napari_cellstage.learn.run_labels import RunLabels
from napari_cellstage.sharing.contents import (
    CROPS,
    FIGURES,
    LABELS,
    MANIFEST,
    MASKS,
    MODEL,
    NOTEBOOK,
    RECIPE,
    REPORT,
    SCRIPT,
    SPLIT,
)
from napari_cellstage.sharing.figures import Figures

_README = """# {run}

A training of napari-cellstage with all that it needs to be looked at and done again: {cells}, {held_out} of them held
out. Trained {made} with seed {seed}.

| class | cells | held out |
|---|---|---|
{classes}

| figure | on | as obtained, with its 95 % interval |
|---|---|---|
{figures}
{notes}
## Train it again

With napari-cellstage {version} installed, in this folder:

    {command}

It checks every file, trains by the same recipe on the same split, and says for each figure whether it is the same.
`python {script}` and the notebook `{notebook}` do so too. {data}

## What is what

| file | what is in it |
|---|---|
| `{report}` | the report: scores, confusion matrix, examples, limits; open it in a browser |
| `{labels}` | each cell: class, group that no split cuts through, part, picture, SHA-256 of its pixels |
| `{pictures}` | {pictures_words} |
| `{split}` | which cells were trained on and which held out; in which fold each was, where it was cross-validated |
| `{recipe}` | every choice of the training, with what it means. To try others, copy it and change the copy |
| `{model}/` | the run: its model, for `napari-cellstage predict {model} IMAGE --out TABLE.csv`, its card, its answers |
| `{figures_file}` | the figures with intervals, seed, machine, versions of packages, date |
| `{script}`, `{notebook}` | train it again |
| `{manifest}` | format of this bundle, and the SHA-256 of every other file |
"""
_SCRIPT = '''\
"""Train again what this folder holds, and say whether the figures agree: as `napari-cellstage rerun` does."""

import sys
from pathlib import Path

from napari_cellstage.cli import app

app(["rerun", str(Path(__file__).resolve().parent), *sys.argv[1:]])
'''
_RERUN = """from napari_cellstage.sharing import rerun_bundle

found = rerun_bundle("."{data})
print(found.text)"""
_TABLE = """import pandas as pd

pd.DataFrame([(one.part, one.title, one.then, one.now, one.difference, one.words) for one in found.compared],
             columns=["part", "figure", "then", "now", "difference", "agrees"])"""
_MATRIX = """import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

for part in found.now.scores:
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), constrained_layout=True)
    for ax, title, figures in zip(axes, ("then", "now"), (found.then, found.now)):
        scores = figures.scores[part]
        shown = ConfusionMatrixDisplay(scores.confusion, display_labels=scores.classes)
        shown.plot(ax=ax, colorbar=False, xticks_rotation=45)
        ax.set_title(f"{part}, {title}: accuracy {scores.text}")
    plt.show()"""


@dataclass(frozen=True)
class Told:
    """What the pages tell: name of the run, its cells, its figures, where the pictures are, and what to know."""

    run: str
    labels: RunLabels
    figures: Figures
    references: bool
    data: str
    notes: tuple[str, ...]


def readme(told: Told) -> str:
    """Return what is what and how to train again, as Markdown."""
    version = told.figures.versions.get("napari-cellstage", "")
    return _README.format(
        run=told.run,
        cells=cells_words(len(told.labels)),
        held_out=int(told.labels.held_out.sum()),
        made=told.figures.made or "at a time that the run does not say",
        seed=told.figures.seed,
        classes="\n".join(_class_rows(told.labels)),
        figures="\n".join(_figure_rows(told.figures)),
        notes="".join(f"\n- {note}" for note in told.notes) + ("\n" if told.notes else ""),
        version=version,
        command=_command(told),
        data=_data_words(told),
        pictures="" if told.references else f"{CROPS}/",
        pictures_words=_pictures_words(told),
        report=REPORT, labels=LABELS, split=SPLIT, recipe=RECIPE, model=MODEL, figures_file=FIGURES,
        script=SCRIPT, notebook=NOTEBOOK, manifest=MANIFEST,
    ).replace("| `` |", "| pictures |")  # fmt: skip


def script() -> str:
    """Return the script that trains again."""
    return _SCRIPT


def notebook(told: Told) -> dict[str, Any]:
    """Return a notebook of format 4 without outputs: trains again, compares, shows the confusion matrices."""
    data = ', data="THE FOLDER OF THE DATA"' if told.references else ""
    sources = (
        ("markdown", f"# {told.run}\n\nTrain this run again, and compare the figures with those that were obtained."),
        ("code", _RERUN.format(data=data)),
        ("markdown", "Each figure then and now:"),
        ("code", _TABLE),
        ("markdown", "Rows are true classes, columns predicted ones:"),
        ("code", _MATRIX),
    )
    return {
        "cells": [_cell(number, kind, text) for number, (kind, text) in enumerate(sources)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    cell["source"] = text.splitlines(keepends=True)
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _class_rows(labels: RunLabels) -> list[str]:
    counts = Counter(labels.classes)
    held = Counter(name for name, out in zip(labels.classes, labels.held_out.tolist(), strict=True) if out)
    return [f"| {_plain(name)} | {counts[name]:,} | {held[name]:,} |" for name in counts]


def _figure_rows(figures: Figures) -> list[str]:
    rows = [
        f"| {one.title} | {scores.n:,} cells, {part} | {one.text} |"
        for part, scores in figures.scores.items()
        for one in figures_of(scores)
    ]
    return rows or ["| none | no cells were held out | – |"]


def _command(told: Told) -> str:
    return "napari-cellstage rerun ." + (" --data FOLDER" if told.references else "")


def _data_words(told: Told) -> str:
    if not told.references:
        return "Nothing else is needed."
    where = f" ('{told.data}')" if told.data else ""
    return f"FOLDER is where the data{where} are: this bundle names the cells and has their hashes, not their pictures."


def _pictures_words(told: Told) -> str:
    if told.references:
        return "are not here; the column picture names files or images of the data"
    return (
        f"a TIFF a cell, in a folder a class: the pixels that were trained on; `{MASKS}`, where it is there: outlines"
    )


def _plain(text: str) -> str:
    """Return text that does not break a table of Markdown."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
