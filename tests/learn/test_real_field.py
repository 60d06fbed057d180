"""The real field: half of the nuclei that were staged by eye are labelled, the other half is predicted."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.images import open_image
from napari_cellstage.core.segment import SegmentSettings, find_cells_in_stack
from napari_cellstage.learn.job import train_and_predict
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.session import Session

TABLE = Path(__file__).parents[1] / "tables" / "tubulin_h2b_stages.csv"
FEWEST = 4  # of a stage, so that each half has two; the field has only two nuclei in prophase and in metaphase


def _finished(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def staged(data_dir, tmp_path_factory):
    """A session on the field with its nuclei found, and the stage of rows that have one."""
    session = Session(home=tmp_path_factory.mktemp("home"))
    session.add_image(open_image(data_dir / "fields" / "tubulin_h2b_field.tif"))
    session.find_channel = 1
    session.set_labels(_finished(find_cells_in_stack(session.current, SegmentSettings(channel=1))))
    with TABLE.open(newline="", encoding="utf-8") as file:
        entries = [(session.cell_at(0, 0, int(r["y"]), int(r["x"])), r["stage"]) for r in csv.DictReader(file)]
    yield session, entries
    session.close()


@pytest.mark.data
def test_the_default_settings_find_the_nuclei_that_were_staged_by_eye(staged):
    _, entries = staged
    rows = [row for row, _ in entries if row is not None]
    assert len(entries) >= 120
    assert len(rows) >= 0.97 * len(entries)
    assert len(set(rows)) >= 0.97 * len(rows)  # touching nuclei are told apart


@pytest.mark.data
def test_half_of_the_labels_stage_the_other_half(staged):
    session, entries = staged
    stages = {row: stage for row, stage in entries if row is not None}
    counted = Counter(stages.values())
    names = sorted(name for name, count in counted.items() if count >= FEWEST)
    by_name = {name: session.add_class(name) for name in names}
    asked = []
    for name in names:
        rows = sorted(row for row, stage in stages.items() if stage == name)
        session.label_cells(rows[::2], by_name[name])
        asked += rows[1::2]
    answer = _finished(
        train_and_predict(session.snapshot(), [Recipe.load("quick").but(holdout=0.0)], session.project.runs)
    )
    predicted = answer.predictions[session.current_id].predicted[asked]
    true = np.array([by_name[stages[row]] for row in asked])
    recalls = [(predicted[true == one] == one).mean() for one in by_name.values()]
    assert (predicted == true).mean() >= 0.9
    assert np.mean(recalls) >= 0.75  # always saying interphase would give 0.33
