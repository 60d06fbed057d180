"""Where results go, and the tables."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.studies.place import digest_of, digest_of_choices, settle
from napari_cellstage.studies.tables import StudyError, StudyTable, made_on, percent

TABLE = StudyTable("Stages, NOT the original data", ("method", "accuracy"), (("trees | linear", "95.3"),), ("A note.",))


def test_the_same_study_may_go_on_and_another_may_not(tmp_path: Path) -> None:
    settle(tmp_path / "out", {"data": "a", "quick": True})
    settle(tmp_path / "out", {"data": "a", "quick": True})
    with pytest.raises(StudyError, match="holds a study with another data and quick"):
        settle(tmp_path / "out", {"data": "b", "quick": False})


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StudyError, match=r"is there already, and holds no study\. Choose a new folder with --out"):
        settle(tmp_path, {})
    (tmp_path / "study.json").write_text("no json")
    with pytest.raises(StudyError, match="can't be used"):
        settle(tmp_path, {})
    (tmp_path / "study.json").write_text("[1, 2]")
    with pytest.raises(StudyError, match=r"study\.json in it is of something else"):
        settle(tmp_path, {})
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_the_digest_knows_pixels_labels_and_groups(stages: TrainingSet) -> None:
    crops, labels = stages.crops.copy(), stages.labels.copy()
    crops[0, 0, 0, 0] += 1
    labels[[0, -1]] = labels[[-1, 0]]
    groups = np.array(["movie 1", "movie 2"] * (len(labels) // 2))
    others = (replace(stages, crops=crops), replace(stages, labels=labels), replace(stages, groups=groups))
    assert len({digest_of(one) for one in (stages, *others)}) == 4
    assert digest_of(stages) == digest_of(replace(stages))


def test_the_digest_of_choices_knows_a_recipe_but_not_the_machine() -> None:
    quick = Recipe.load("quick")
    assert digest_of_choices([quick]) == digest_of_choices([quick.but(device="cpu", threads=2)])
    assert digest_of_choices([quick]) != digest_of_choices([quick.but(trees=7)])


def test_a_table_is_written_three_times(tmp_path: Path) -> None:
    TABLE.save(tmp_path / "new", "stages")
    page = (tmp_path / "new" / "stages.md").read_text(encoding="utf-8")
    assert page.startswith("# Stages, NOT the original data\n")
    assert "| trees / linear | 95.3 |" in page
    assert "- A note." in page
    assert pd.read_csv(tmp_path / "new" / "stages.csv")["accuracy"].tolist() == [95.3]
    assert json.loads((tmp_path / "new" / "stages.json").read_text(encoding="utf-8"))["columns"] == [
        "method",
        "accuracy",
    ]


def test_a_table_that_can_not_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=r"The table can't be written into .* Choose another place with --out"):
        TABLE.save(tmp_path / "file", "stages")


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [(0.953, (0.9441, 0.9609), "95.3 (94.4–96.1)"), (1.0, None, "100.0"), (None, None, "–"), (math.nan, None, "–")],
)
def test_shares_are_written_in_per_cent(value: float | None, interval: tuple[float, float] | None, text: str) -> None:
    assert percent(value, interval) == text


def test_the_machine_is_said() -> None:
    assert "on 2 CPU cores (" in made_on(90, "2 CPU cores", 3)
    assert "in 1.5 minutes of training, seed 3." in made_on(90, "2 CPU cores", 3)
    assert "in 59 seconds" in made_on(59, "2 CPU cores", 3)
