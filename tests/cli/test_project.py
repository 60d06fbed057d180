"""The command line on a project, and its own start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_cellstage.core.images import open_image
from napari_cellstage.core.segment import SegmentSettings, find_cells
from napari_cellstage.session import Session


@pytest.fixture
def project(image: Path, tmp_path: Path) -> Path:
    """A project with the field of discs, six of its eight cells labelled."""
    session = Session()
    session.new_project(tmp_path / "my cells.cellstage")
    stack = open_image(image)
    session.add_image(stack)
    session.set_labels(find_cells(np.asarray(stack.volume(0, 0))[0], SegmentSettings()))
    for name in ("small", "large"):
        session.add_class(name)
    areas = session.cells().area
    for row in range(6):
        session.label_cells(np.array([row]), 1 if areas[row] < 200 else 2)
    session.close()
    return tmp_path / "my cells.cellstage"


def test_train_and_evaluate_a_project(project: Path, tmp_path: Path, invoke: Any) -> None:
    out = tmp_path / "run"
    result = invoke("train", project, "--recipe", "quick", "--out", out, "--device", "cpu", "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout.splitlines()[-1])
    assert answer["n_train"] + answer["n_test"] == 6
    table = pd.read_csv(out / "predictions.csv", keep_default_na=False)
    assert len(table) == 8
    assert (table["part"] == "neither").sum() == 2
    assert (table["label"] == "").sum() == 2
    again = invoke("evaluate", out, project, "--json")
    if answer["n_test"]:
        assert json.loads(again.stdout.splitlines()[-1])["n_test"] == answer["n_test"]
    else:
        assert "All 6 labelled cells are ones the model was trained on" in again.stderr


def test_cells_labelled_later_beside_trained_ones_are_scored_with_a_warning(
    project: Path, tmp_path: Path, invoke: Any
) -> None:
    out = tmp_path / "run"
    trained = invoke("train", project, "--recipe", "quick", "--out", out, "--device", "cpu", "--set", "holdout=0")
    assert trained.exit_code == 0, trained.output
    session = Session()
    session.open_project(project)
    for row in (6, 7):
        session.label_cells(np.array([row]), 1 if session.cells().area[row] < 200 else 2)
    session.close()
    result = invoke("evaluate", out, project, "--report", tmp_path / "r.html", "--json")
    answer = json.loads(result.stdout.splitlines()[-1])
    told = "2 of the 2 cells are in images whose other cells the model was trained on"
    assert answer["warnings"][0].startswith(told)
    assert told in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_project_is_free_again_while_it_trains(project: Path) -> None:
    from napari_cellstage.cli.sources import read_data

    read_data(project)
    session = Session()
    session.open_project(project)
    assert not session.read_only
    session.close()


def test_group_from_is_refused_for_a_project(project: Path, tmp_path: Path, invoke: Any) -> None:
    result = invoke("train", project, "--out", tmp_path / "run", "--group-from", "x")
    assert result.exit_code == 1
    assert "--group-from 'x' is for class folders" in result.stderr


def test_open_says_what_is_no_project(tmp_path: Path, invoke: Any) -> None:
    result = invoke("open", tmp_path / "none.cellstage")
    assert result.exit_code == 1
    assert "none.cellstage" in result.stderr


def test_open_without_a_screen_is_a_sentence(project: Path, invoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_cellstage import window

    monkeypatch.setattr(window, "has_screen", lambda: False)
    result = invoke("open", project)
    assert result.exit_code == 1
    assert "There is no screen" in result.stderr


def test_starting_loads_neither_torch_nor_a_window() -> None:
    code = (
        "import sys, napari_cellstage.cli\n"
        "print([m for m in ('torch', 'qtpy', 'napari', 'pandas', 'skimage', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version_and_help(invoke: Any) -> None:
    assert invoke("--version").stdout.startswith("napari-cellstage ")
    text = invoke("--help").stdout
    for command in ("train", "evaluate", "predict", "segment", "demo", "open"):
        assert command in text
