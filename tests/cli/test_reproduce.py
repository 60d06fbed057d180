"""`reproduce` as its user sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.studies import jurkat, microtubules
from napari_cellstage.studies.method import Method


@pytest.fixture
def small_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Recipe.load("quick").but(folds=0)
    monkeypatch.setattr(jurkat, "quick_methods", lambda seed: (Method(jurkat.BASELINE, quick.but(seed=seed), 5),))
    methods = tuple(Method(name, quick) for name in microtubules.NETWORKS)
    monkeypatch.setattr(microtubules.MicrotubuleStudy, "methods", lambda self, task: methods)


@pytest.mark.parametrize("study", ["jurkat", "microtubules"])
def test_a_study_ends_with_table_and_reports(
    study: str, class_folders: Path, small_methods: None, tmp_path: Path, invoke: Any
) -> None:
    out = tmp_path / "study"
    given = (study, "--data", class_folders, "--quick", "--out", out, "--group-from", r"movie\d+", "--json")
    answer = invoke("reproduce", *given)
    assert answer.exit_code == 0, answer.output
    assert "NOT the original data" in answer.output
    values = json.loads(answer.stdout.splitlines()[-1])
    assert len(values["rows"]) == 1
    for name in (f"{study}.md", f"{study}.csv", f"{study}.json"):
        assert (out / name).is_file()
    assert all((Path(one["run"]) / "report.html").is_file() for one in values["runs"])
    assert "CPU cores" in (out / f"{study}.md").read_text(encoding="utf-8")
    again = invoke("reproduce", *given, "--seed", 1)
    assert again.exit_code == 1
    assert "holds a study with another" in again.stderr


def test_without_cells_it_says_where_they_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, invoke: Any) -> None:
    monkeypatch.chdir(tmp_path)
    answer = invoke("reproduce", "jurkat", "--quick")
    assert answer.exit_code == 1
    assert "with --data" in answer.stderr
