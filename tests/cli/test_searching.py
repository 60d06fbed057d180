"""`search`: what it says and leaves, and that a process that is killed can be resumed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from napari_cellstage.cli.searching import read_ranges
from napari_cellstage.core.errors import TrainingError
from napari_cellstage.learn.search_space import SearchSpace
from tests.cli.conftest import run_cli

pytest.importorskip("optuna")
TINY = (
    "--range", "convolutions=1-2", "--range", "filters=2-4", "--range", "kernel=2-3", "--range", "dense=1",
    "--range", "units=4-8", "--range", "input_size=12-16",
)  # fmt: skip
FEW = (*TINY, "--trials", 3, "--folds", 2, "--epochs", 1, "--device", "cpu", "--group-from", r"movie\d+")


def answer(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_a_search_says_and_leaves_what_it_found_and_its_recipe_trains(class_folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "a search"
    result = run_cli("search", class_folders, "--out", out, *FEW, "--json")
    told, table = answer(result), pd.read_csv(out / "trials.csv")
    assert told["complete"] + told["given_up"] == 3
    assert len(table) == told["trials"]
    best = table.loc[told["best"]["trial"] - 1]
    assert best["layers"] == told["best"]["layers"]
    assert f"{told['best']['accuracy']:.2f}" in result.stdout
    assert "It flatters: it is the best of 3." in result.stdout
    assert "10 complete trials" in result.stdout
    assert "held out from the whole search" in result.stdout
    line = ("train", class_folders, "--recipe", out / "best.toml", "--out", tmp_path / "run", "--json")
    trained = answer(run_cli(*line, "--device", "cpu", "--group-from", r"movie\d+"))
    assert trained["n_test"] == told["held_out"]["n"]
    assert trained["accuracy"] == told["held_out"]["accuracy"]  # the same cells, held out from the search


def test_a_process_that_is_killed_is_resumed(class_folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    line = ["search", str(class_folders), "--out", str(out), *map(str, FEW)]
    many = [*line, "--trials", "500"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from napari_cellstage.cli import app; app()", *many],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        while process.poll() is None and "COMPLETE" not in _states(out / "search.sqlite"):
            time.sleep(0.1)
        process.kill()
    finally:
        process.wait()
        said = process.stderr.read().decode() if process.stderr else ""
        if process.stderr:
            process.stderr.close()
    before = _states(out / "search.sqlite")
    assert "COMPLETE" in before, said
    finished = before.count("COMPLETE") + sum(_given_up(out))
    result = run_cli(*line, "--trials", finished + 1, "--json")
    told = answer(result)
    assert told["complete"] + told["given_up"] == finished + 1
    assert told["interrupted"] == before.count("RUNNING")


def _states(file: Path) -> list[str]:
    if not file.is_file():
        return []
    try:
        with closing(sqlite3.connect(file)) as opened:
            return [state for (state,) in opened.execute("select state from trials").fetchall()]
    except sqlite3.OperationalError:  # its tables are not there yet
        return []


def _given_up(folder: Path) -> list[bool]:
    with closing(sqlite3.connect(folder / "search.sqlite")) as opened:
        told = opened.execute("select value_json from trial_user_attributes where key = 'reason'").fetchall()
    return [json.loads(text).startswith("given up") for (text,) in told]


def test_other_cells_are_refused_with_exit_code_1(class_folders: Path, tmp_path: Path) -> None:
    answer(run_cli("search", class_folders, "--out", tmp_path, *FEW, "--trials", 1, "--json"))
    result = run_cli("search", class_folders, "--out", tmp_path, *FEW, "--seed", 5)
    assert result.exit_code == 1
    assert "other seed" in result.stderr
    assert "--out" in result.stderr


def test_ranges_are_read() -> None:
    assert read_ranges(()) == SearchSpace()
    found = read_ranges(("filters=4-8", "dense = 2", "pooling=yes", "input_size=16-32"))
    assert (found.filters, found.dense, found.pooling, found.input_size) == ((4, 8), (2, 2), (True,), (16, 32))
    assert found.kernel == (2, 5)
    for wrong in ("filters", "filters=a-b", "layers=2-3", "pooling=maybe"):
        with pytest.raises(TrainingError, match=wrong):
            read_ranges((wrong,))


def test_a_range_upside_down_is_said(class_folders: Path, tmp_path: Path) -> None:
    result = run_cli("search", class_folders, "--out", tmp_path, "--range", "units=9-2")
    assert result.exit_code == 1
    assert "units is 9 to 2" in result.stderr
