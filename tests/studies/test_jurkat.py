"""The Jurkat study on tiny cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.studies import jurkat
from napari_cellstage.studies.jurkat import COLUMNS, JurkatStudy
from napari_cellstage.studies.method import Method
from napari_cellstage.studies.tables import StudyError
from tests.studies.conftest import crops_of


def never() -> bool:
    return False


@pytest.fixture
def small_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Recipe.load("quick").but(folds=0)
    methods = (
        Method(jurkat.BASELINE, quick, 5),
        Method("deepflow", quick, 1, "a remark"),
        Method(jurkat.BEST, quick, 5),
    )
    monkeypatch.setattr(jurkat, "quick_methods", lambda seed: methods)


def test_the_table_holds_published_and_obtained_figures(
    stages: TrainingSet, small_methods: None, tmp_path: Path, run: Any
) -> None:
    study = JurkatStudy(stages, "'mine'", quick=True)
    _, outcomes = run(study.run(tmp_path / "out", never))
    table = study.table(outcomes, ["made here"])
    assert table.title == (
        "Jurkat cell cycle on 'mine': 40 cells, 4 classes; NOT the original data, which are 32,266 cells"
    )
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table.rows]
    assert [row["method"] for row in rows] == [jurkat.BASELINE, "deepflow", jurkat.BEST]
    assert [row["cells scored"] for row in rows] == ["40", "8", "40"]
    assert [row["5 classes: published"] for row in rows] == ["–", "98.73", "–"]
    assert {row["7 classes: published"] for row in rows} == {"–"}
    baseline, deepflow, best = rows
    assert baseline[f"against {jurkat.BASELINE}"] == "–"
    assert best[f"against {jurkat.BASELINE}"] == "+0.0 (+0.0 to +0.0), p = 1.000"
    assert float(baseline["accuracy (5)"].split()[0]) >= float(baseline["accuracy"].split()[0])
    assert "(" in deepflow["balanced accuracy (5)"]
    assert table.notes[0] == "deepflow: a remark."
    assert table.notes[-1] == "made here"


def test_classes_without_interphase_have_no_five_class_figures(small_methods: None, tmp_path: Path, run: Any) -> None:
    doses = TrainingSet.from_crops(crops_of(("0", "0.1", "1")), Recipe())
    study = JurkatStudy(doses, "'doses'", quick=True)
    _, outcomes = run(study.run(tmp_path / "out", never))
    table = study.table(outcomes)
    assert {row[COLUMNS.index("accuracy (5)")] for row in table.rows} == {"–"}
    assert "Five classes: there are no classes G1, S and G2 to merge." in table.notes


def test_another_study_in_the_folder_is_refused(
    stages: TrainingSet, small_methods: None, tmp_path: Path, run: Any
) -> None:
    run(JurkatStudy(stages, "'mine'", quick=True).run(tmp_path / "out", never))
    with pytest.raises(StudyError, match="holds a study with another seed"):
        run(JurkatStudy(stages, "'mine'", quick=True, seed=1).run(tmp_path / "out", never))


@pytest.mark.parametrize("quick", [True, False])
def test_methods_are_recipes_that_come_with_the_program(stages: TrainingSet, quick: bool) -> None:
    methods = JurkatStudy(stages, "'mine'", quick=quick, seed=7).methods()
    assert [one.title for one in methods] == ["features-xgboost", jurkat.BEST, "deepflow", "fastai-resnet34"]
    assert {one.recipe.seed for one in methods} == {7}
    assert all(bool(one.remark) == (one.folds == 1) for one in methods)


def test_going_on_with_other_groups_or_choices_is_refused(
    stages: TrainingSet, small_methods: None, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(JurkatStudy(stages, "'mine'", quick=True).run(tmp_path / "out", never))
    # Other folds: parts of then would be joined with parts that hold the same cells.
    movies = replace(stages, groups=np.array([f"movie {row % 6}" for row in range(len(stages))]))
    with pytest.raises(StudyError, match="holds a study with another data"):
        run(JurkatStudy(movies, "'mine'", quick=True).run(tmp_path / "out", never))
    others = (Method(jurkat.BASELINE, Recipe.load("quick").but(trees=7), 5),)
    monkeypatch.setattr(jurkat, "quick_methods", lambda seed: others)
    with pytest.raises(StudyError, match="holds a study with another recipe"):
        run(JurkatStudy(stages, "'mine'", quick=True).run(tmp_path / "out", never))


def test_fewer_groups_than_folds_and_a_class_called_interphase(
    small_methods: None, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = TrainingSet.from_crops(crops_of(("G1", "S", "G2", "interphase")), Recipe())
    three = replace(cells, groups=np.array([f"movie {row % 3}" for row in range(len(cells))]))
    study = JurkatStudy(three, "'mine'", quick=True)
    events, outcomes = run(study.run(tmp_path / "out", never))
    assert outcomes[0].method.folds == 3
    shown = [one.what for one in events if isinstance(one, BatchDone)]
    assert any("3 of 3" in what for what in shown)
    assert not any("of 5" in what for what in shown)
    assert study.table(outcomes).rows[0][COLUMNS.index("accuracy (5)")] != "–"
