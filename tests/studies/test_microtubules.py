"""The microtubule study on tiny cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.studies import microtubules, published
from napari_cellstage.studies.method import Method
from napari_cellstage.studies.microtubules import MicrotubuleStudy, columns
from napari_cellstage.studies.tables import StudyError


def never() -> bool:
    return False


def study_of(data: TrainingSet, **more: Any) -> MicrotubuleStudy:
    return MicrotubuleStudy(data, np.arange(len(data)) % 5 == 0, "the SYNTHETIC sample", **more)


@pytest.fixture
def small_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Recipe.load("quick").but(folds=0)
    methods = tuple(Method(name, quick) for name in microtubules.NETWORKS)
    monkeypatch.setattr(MicrotubuleStudy, "methods", lambda self, task: methods)


def test_every_task_is_learned_on_the_same_division(
    doses: TrainingSet, small_methods: None, tmp_path: Path, run: Any
) -> None:
    study = study_of(doses, quick=True)
    assert study.title.endswith("on the SYNTHETIC sample: 24 training and 6 test cells; NOT the original data")
    _, found = run(study.run(tmp_path / "out", never))
    assert list(found) == [("0", "0.1", "1"), ("0", "0.1"), ("0", "1"), ("0.1", "1")]
    test = set(np.array(doses.names)[study.held_out].tolist())
    for task, outcomes in found.items():
        for one in outcomes:
            assert set(one.unseen.names.tolist()) <= test
            assert len(one.unseen) == 2 * len(task)
            assert one.unseen.classes.names == task
    table = study.table(found)
    rows = [dict(zip(columns(), row, strict=True)) for row in table.rows]
    assert [row["task"] for row in rows] == [
        "3 classes (0, 0.1 and 1)",
        "0 against 0.1",
        "0 against 1",
        "0.1 against 1",
    ]
    assert rows[3]["CNN+T+S, published"] == "70.50"
    assert rows[0]["experts' vote, published"] == "62.00"
    assert "(" in rows[3]["CNN, obtained"]
    assert "p = " in rows[0]["T+S less CNN"]
    assert (tmp_path / "out" / "0.1-against-1" / "microtubule-cnn" / "card.json").is_file()


def test_other_classes_have_no_published_figures(small_methods: None, tmp_path: Path, run: Any) -> None:
    from tests.studies.conftest import crops_of

    data = TrainingSet.from_crops(crops_of(("low/dose", "high")), Recipe())
    study = study_of(data)
    _, found = run(study.run(tmp_path / "out", never))
    assert list(found) == [data.classes.names]
    assert dict(zip(columns(), study.table(found).rows[0], strict=True))["CNN, published"] == "–"


@pytest.mark.parametrize("quick", [True, False])
def test_methods_are_recipes_that_come_with_the_program(doses: TrainingSet, quick: bool) -> None:
    study = study_of(doses, quick=quick)
    both = [*microtubules.NETWORKS, "features-xgboost"]
    assert [one.title for one in study.methods(("0", "0.1", "1"))] == both
    assert [one.title for one in study.methods(("0.1", "1"))] == both
    assert [one.title for one in study.methods(("0", "1"))] == both[:3]
    assert all(bool(one.remark) == quick for one in study.methods(("0", "1")))


def test_every_published_task_has_every_figure() -> None:
    for known in published.MICROTUBULES.values():
        assert set(known) == {*published.EXPERTS, *microtubules.NETWORKS}


def test_names_that_are_nearly_alike_get_folders_of_their_own(small_methods: None, tmp_path: Path, run: Any) -> None:
    from tests.studies.conftest import crops_of

    data = TrainingSet.from_crops(crops_of(("a b", "a/b", "c")), Recipe())
    _, found = run(study_of(data).run(tmp_path / "out", never))
    folders = {one.folder for outcomes in found.values() for one in outcomes}
    assert len(folders) == 4 * len(microtubules.NETWORKS)
    assert [one[0].unseen.classes.names for one in found.values()] == list(found)


def test_without_test_cells_nothing_is_begun(doses: TrainingSet, tmp_path: Path, run: Any) -> None:
    study = MicrotubuleStudy(doses, np.zeros(len(doses), dtype=bool), "'few'")
    with pytest.raises(StudyError, match="No cell of 'few' can be held out"):
        run(study.run(tmp_path / "out", never))
    assert not (tmp_path / "out").exists()
