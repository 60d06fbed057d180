"""`train --classes`, `train --tasks pairs` and `evaluate --classes`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_cellstage.core.images import from_array
from napari_cellstage.session import Session
from tests.cli.conftest import disc, run_cli

OPTIONS = ("--recipe", "quick", "--group-from", r"movie\d+", "--device", "cpu", "--set", "folds=3", "--json")


def last_json(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def doses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of discs, each in six movies."""
    root = tmp_path_factory.mktemp("doses")
    for place, (name, radius) in enumerate({"0": 3, "0.1": 7, "1": 11}.items()):
        (root / name).mkdir()
        for number in range(12):
            crop = disc(radius + number % 2, 400, size=24, seed=100 * place + number)
            tifffile.imwrite(root / name / f"movie{number // 2}_{number}.tif", crop)
    return root


@pytest.fixture(scope="module")
def pairs(doses: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("pairs")
    return out, run_cli("train", doses, "--out", out, "--tasks", "pairs", "--report", *OPTIONS)


def split_of(run: Path) -> tuple[set[str], set[str]]:
    split = json.loads((run / "card.json").read_text(encoding="utf-8"))["split"]
    return set(split["trained"]), set(split["held_out"])


def test_all_pairs_and_all_classes_are_trained_and_end_in_a_table(pairs: tuple[Path, Any]) -> None:
    out, result = pairs
    answer = last_json(result)
    names = ["3 classes", "0 vs 0.1", "0 vs 1", "0.1 vs 1"]
    assert [one["task"] for one in answer["tasks"]] == names
    table = pd.read_csv(out / "tasks.csv", dtype={"task": str})
    assert table["task"].tolist() == names
    assert table["n"].tolist() == [36, 24, 24, 24]
    assert (table["measured"] == "cross-validated").all()
    assert table["accuracy"].tolist() == pytest.approx([one["cross_validated"]["accuracy"] for one in answer["tasks"]])
    assert all((out / name / "card.json").is_file() for name in names)
    shown = result.stdout[result.stdout.rindex("task ") :]
    assert shown.splitlines()[2].startswith("0 vs 0.1")
    assert "cross-validated" in shown


def test_a_cell_held_out_in_one_task_trains_no_other(pairs: tuple[Path, Any]) -> None:
    splits = [split_of(card.parent) for card in pairs[0].glob("*/card.json")]
    assert len(splits) == 4
    trained, held = set.union(*(one for one, _ in splits)), set.union(*(one for _, one in splits))
    assert held
    assert not trained & held
    assert all(two for _, two in splits)


def test_the_report_says_the_task_and_its_command_trains_it_again(pairs: tuple[Path, Any]) -> None:
    page = (pairs[0] / "0 vs 0.1" / "report.html").read_text(encoding="utf-8")
    assert "--classes 0,0.1" in page
    assert "Task: to tell apart 0, 0.1. Left out of training and score: 1 (12 cells)." in page
    assert "--classes" not in (pairs[0] / "3 classes" / "report.html").read_text(encoding="utf-8")


def test_one_task_is_the_same_as_among_all(pairs: tuple[Path, Any], doses: Path, tmp_path: Path) -> None:
    result = run_cli("train", doses, "--out", tmp_path / "one", "--classes", "1,0.1", *OPTIONS)
    answer = last_json(result)
    assert answer["classes"] == ["0.1", "1"]
    assert "Left out: 12 cells of class '0'." in result.stdout
    assert split_of(tmp_path / "one") == split_of(pairs[0] / "0.1 vs 1")
    again = next(one for one in last_json(pairs[1])["tasks"] if one["task"] == "0.1 vs 1")
    assert answer["confusion"] == again["confusion"]
    assert answer["cross_validated"]["confusion"] == again["cross_validated"]["confusion"]
    predicted = pd.read_csv(tmp_path / "one" / "predictions.csv", dtype=str)
    assert set(predicted["predicted"]) <= {"0.1", "1"}
    assert len(predicted) == 36


def test_evaluate_leaves_out_cells_of_other_classes_and_says_so(pairs: tuple[Path, Any], doses: Path) -> None:
    result = run_cli("evaluate", pairs[0] / "3 classes", doses, "--classes", "0,1", "--json")
    answer = last_json(result)
    assert "Left out 12 cells of class '0.1'." in result.stdout
    assert "The model may still answer 0.1, which counts as wrong." in result.stdout
    held = split_of(pairs[0] / "3 classes")[1]
    assert answer["n_test"] == sum(not name.startswith("0.1/") for name in held)


@pytest.mark.parametrize(
    ("classes", "message"),
    [("0,2", "There is no class '2'"), ("0", "'0' is one class"), ("0,0", "Class '0' is named 2 times")],
)
def test_classes_that_can_not_be_told_apart_are_said(doses: Path, tmp_path: Path, classes: str, message: str) -> None:
    result = run_cli("train", doses, "--out", tmp_path / "run", "--classes", classes, *OPTIONS)
    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "run").exists()


def test_tasks_do_not_replace_a_run_unless_asked(pairs: tuple[Path, Any], doses: Path) -> None:
    result = run_cli("train", doses, "--out", pairs[0], "--tasks", "pairs", *OPTIONS)
    assert result.exit_code == 1
    assert "There is a model in" in result.stderr


def test_classes_of_a_project(tmp_path: Path) -> None:
    session = Session()
    session.new_project(tmp_path / "cells.cellstage")
    labels = np.zeros((1, 1, 40, 240), dtype=np.int32)
    pixels = np.random.default_rng(0).integers(0, 20, (40, 240)).astype(np.uint8)
    for place in range(12):
        labels[0, 0, 14:24, 20 * place + 5 : 20 * place + 15] = place + 1
        pixels[14:24, 20 * place + 5 : 20 * place + 15] += np.uint8(60 * (place % 3))
    session.add_image(from_array(pixels, "YX", "field"))
    session.set_labels(labels)
    for place, name in enumerate(("a", "b", "c")):
        session.label_cells(np.arange(place, 12, 3), session.add_class(name))
    session.close()
    project, options = tmp_path / "cells.cellstage", ("--recipe", "quick", "--device", "cpu", "--json")
    answer = last_json(run_cli("train", project, "--out", tmp_path / "run", "--classes", "c,a", *options))
    assert answer["classes"] == ["a", "c"]
    assert answer["n_train"] + answer["n_test"] == 8
    card = json.loads((tmp_path / "run" / "card.json").read_text(encoding="utf-8"))
    assert card["left_out"] == [{"id": 2, "name": "b", "cells": 4}]
    session.open_project(project)
    session.left_out = (1,)  # as ticked in the dock
    session.close()
    result = run_cli("train", project, "--out", tmp_path / "chosen", *options)
    assert last_json(result)["classes"] == ["b", "c"]
    assert "Left out: 4 cells of class 'a'." in result.stdout
    every = last_json(run_cli("train", project, "--out", tmp_path / "all", "--classes", "a,b,c", *options))
    assert every["classes"] == ["a", "b", "c"]
    scored = run_cli("evaluate", tmp_path / "all", project, "--classes", "a,b")
    assert "Left out 4 cells of class 'c'." in scored.stdout
