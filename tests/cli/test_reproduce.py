"""`reproduce` as its user sees it."""

from __future__ import annotations

import json
import shutil
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


def test_what_is_amiss_with_the_pictures_is_said_and_stands_in_the_table(
    class_folders: Path, small_methods: None, tmp_path: Path, invoke: Any
) -> None:
    for part in ("train", "test"):
        shutil.copytree(class_folders, tmp_path / "data" / part)
    (tmp_path / "data" / "train" / "small" / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "study"
    answer = invoke("reproduce", "microtubules", "--data", tmp_path / "data", "--quick", "--out", out)
    assert answer.exit_code == 0, answer.output
    assert "Left out: small/broken.png" in answer.output
    twice = "36 pictures of the test are in train too, such as"
    assert twice in answer.output
    assert twice in (out / "microtubules.md").read_text(encoding="utf-8")
