"""`find-rate` as its user sees it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

TINY = ("--set", "network=layers", "--set", "layers=conv 8 3, pool 4, dense 8", "--set", "weights=none")


def test_the_curve_and_what_to_do_with_it_are_shown(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    out = tmp_path / "curve.csv"
    answer = invoke("find-rate", class_folders, *TINY, "--device", "cpu", "--seed", 1, "--out", out, "--json")
    assert answer.exit_code == 0, answer.output
    values = json.loads(answer.stdout.splitlines()[-1])
    assert len(pd.read_csv(out)) == len(values["rates"])
    assert "█" in answer.stdout
    if values["suggestion"] is None:
        assert "none is suggested" in answer.stdout
    else:
        assert f"--set learning_rate={values['suggestion']:g}" in answer.stdout


def test_recipes_without_a_network_have_none(class_folders: Path, invoke: Any) -> None:
    answer = invoke("find-rate", class_folders, "--recipe", "quick")
    assert answer.exit_code == 1
    assert "The recipe 'quick' trains no network, so it has no learning rate." in answer.stderr


def test_a_rate_is_found_for_some_of_the_classes(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    shutil.copytree(class_folders, tmp_path / "data")
    (tmp_path / "data" / "alone").mkdir()
    shutil.copy(next((class_folders / "small").iterdir()), tmp_path / "data" / "alone" / "cell.tif")
    given = ("find-rate", tmp_path / "data", *TINY, "--device", "cpu", "--seed", 1)
    whole = invoke(*given)
    assert whole.exit_code == 1
    assert "Class 'alone' has 1 labelled cell" in whole.stderr
    assert invoke(*given, "--classes", "small,large one 🔬").exit_code == 0
