"""`napari-cellstage experts`: answers against truth and network, and sheets to fill in blind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_cellstage.core.safe_csv import read_csv
from napari_cellstage.session import Session
from tests.cli.conftest import disc, run_cli

OPTIONS = ("--recipe", "quick", "--group-from", r"movie\d+", "--device", "cpu", "--folds", 3)
PERSONS = ("Ada", "Bo", "=1+1")


def last_json(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def doses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 8 discs; two of them look much alike."""
    root = tmp_path_factory.mktemp("doses")
    for place, (name, radius) in enumerate({"0": 3, "0.1": 8, "1": 9}.items()):
        (root / name).mkdir()
        for number in range(8):
            crop = disc(radius + number % 2, 400, size=24, seed=100 * place + number)
            tifffile.imwrite(root / name / f"movie{number // 2}_{place}{number}.tif", crop)
    return root


@pytest.fixture(scope="module")
def runs(doses: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pairs")
    assert run_cli("train", doses, "--out", out, "--tasks", "pairs", *OPTIONS).exit_code == 0
    return out


def filled(doses: Path, file: Path, task: str = "", names: tuple[str, ...] = ("0", "0.1", "1")) -> pd.DataFrame:
    """Answers of three experts who are right on most cells; the third leaves some out."""
    rng = np.random.default_rng(len(task))
    rows = []
    for cell in sorted(doses.rglob("*.tif")):
        truth = cell.parent.name
        for person in PERSONS:
            if truth in names and not (person == "=1+1" and cell.name.endswith("7.tif")):
                answer = truth if rng.random() < 0.7 else str(rng.choice(names))
                rows.append({"Cell": cell.name, "PERSON": person, "Answer": answer, "truth": truth, "task": task})
    frame = pd.DataFrame(rows)
    columns = ["Cell", "PERSON", "Answer", *(["task"] if task else [])]
    frame[columns].to_csv(file, index=False, sep=";", mode="a", header=not file.exists())
    return frame


def test_experts_and_network_on_the_same_cells(doses: Path, runs: Path, tmp_path: Path) -> None:
    frame = filled(doses, tmp_path / "a.csv")
    result = run_cli(
        "experts",
        tmp_path / "a.csv",
        "--truth",
        doses,
        "--run",
        runs / "3 classes",
        "--out",
        tmp_path / "out",
        "--json",
    )
    (task,) = last_json(result)["tasks"]
    of = {one["name"]: one for one in task["standings"]}
    right = frame["Answer"] == frame["truth"]
    for person in PERSONS:
        assert of[person]["accuracy"] == pytest.approx(right[frame["PERSON"] == person].mean())
    assert of["Average of experts"]["accuracy"] == pytest.approx(np.mean([of[one]["accuracy"] for one in PERSONS]))
    unseen = read_csv(runs / "3 classes" / "predictions.csv")
    assert len(unseen) == of["Network"]["n"] == 24
    assert task["t_test"]["n"] == 21
    assert np.array(task["confusion_network"]).sum() == 24
    assert "lacking are of: =1+1 3" in " ".join(task["notes"])
    cells = read_csv(tmp_path / "out" / "answers.csv")
    assert len(cells) == 24
    network = (cells["network"] == cells["class"]).mean()
    assert of["Network"]["accuracy"] == pytest.approx(network)
    voted = cells[cells["vote"] != ""]
    assert of["Vote of experts"]["accuracy"] == pytest.approx((voted["vote"] == voted["class"]).mean())
    assert len(read_csv(tmp_path / "out" / "experts.csv")) == len(task["standings"])
    matrix = read_csv(tmp_path / "out" / "confusion.csv")
    assert matrix.loc[matrix["of"] == "Network", "cells"].astype(int).sum() == 24
    text = result.stdout
    assert "Vote of experts" in text[text.index("Confusion matrices") :]
    assert "Paired t-test on 21 cells" in text


def test_a_column_of_tasks_is_compared_task_by_task_with_the_run_of_each(
    doses: Path, runs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    filled(doses, file, "0 vs 0.1", ("0", "0.1"))
    filled(doses, file, "0.1 vs 1", ("0.1", "1"))
    tasks = last_json(run_cli("experts", file, "--truth", doses, "--run", runs, "--json"))["tasks"]
    assert [one["task"] for one in tasks] == ["0 vs 0.1", "0.1 vs 1"]
    assert [one["classes"] for one in tasks] == [["0", "0.1"], ["0.1", "1"]]
    assert all(np.array(one["confusion_network"]).sum() == 16 for one in tasks)


def test_a_network_that_was_asked_another_question_is_not_compared(doses: Path, runs: Path, tmp_path: Path) -> None:
    filled(doses, tmp_path / "a.csv")
    result = run_cli("experts", tmp_path / "a.csv", "--truth", doses, "--run", runs / "3 classes", "--classes", "0,0.1")
    assert result.exit_code == 1
    assert "also knows 1, which the experts could not answer" in result.stderr


def test_cells_that_the_network_was_trained_on_do_not_count(doses: Path, tmp_path: Path) -> None:
    filled(doses, tmp_path / "a.csv")
    train = ("train", doses, "--out", tmp_path / "run", "--recipe", "quick", "--device", "cpu")
    assert run_cli(*train, "--set", "holdout=0").exit_code == 0
    result = run_cli("experts", tmp_path / "a.csv", "--truth", doses, "--run", tmp_path / "run")
    assert result.exit_code == 1
    assert "was trained on all 24 cells that the experts answered" in result.stderr


def test_a_template_is_blind_and_comes_back_by_its_key(doses: Path, tmp_path: Path) -> None:
    out = tmp_path / "blind"
    options = ("--person", "Ada", "--person", "Bo/Ann", "--each", 5, "--seed", 4, "--json")
    made = last_json(run_cli("experts", "--template", doses, "--out", out, *options))
    assert made["cells"] == 15
    sheets = [Path(one) for one in made["sheets"]]
    assert [one.name for one in sheets] == ["Ada.csv", "Bo_Ann.csv"]
    first, second = map(read_csv, sheets)
    assert first["cell"].tolist() != second["cell"].tolist()
    assert set(first["cell"]) == set(second["cell"])
    key = read_csv(Path(made["key"])).set_index("cell")
    assert key["class"].value_counts().to_dict() == {"0": 5, "0.1": 5, "1": 5}
    sent = [one.relative_to(out / "to-send").as_posix() for one in (out / "to-send").rglob("*") if one.is_file()]
    assert not any("movie" in one for one in sent)
    for cell, file in key["file"].items():
        assert (out / "to-send" / "cells" / f"{cell}.tif").read_bytes() == (doses / file).read_bytes()
    assert not (out / "to-send" / "key.csv").exists()
    for sheet, frame in zip(sheets, (first, second), strict=True):
        frame["answer"] = [key["class"][cell] for cell in frame["cell"]]
        frame.to_csv(sheet, index=False)
    answer = last_json(run_cli("experts", *sheets, "--truth", doses, "--key", made["key"], "--json"))
    (task,) = answer["tasks"]
    assert [(one["name"], one["accuracy"], one["n"]) for one in task["standings"][:2]] == [
        ("Ada", 1, 15),
        ("Bo/Ann", 1, 15),
    ]
    again = run_cli("experts", "--template", doses, "--out", tmp_path / "again", *options)
    assert last_json(again)["cells"] == 15
    assert (tmp_path / "again" / "key.csv").read_bytes() == (out / "key.csv").read_bytes()


def test_one_sheet_names_files_without_their_class(doses: Path, tmp_path: Path) -> None:
    result = run_cli("experts", "--template", doses, "--out", tmp_path / "s.csv", "--person", "Ada", "--classes", "0,1")
    assert result.exit_code == 0, result.output
    frame = read_csv(tmp_path / "s.csv")
    assert set(frame["cell"]) == {one.name for name in ("0", "1") for one in (doses / name).iterdir()}
    assert "file names hold the name of their class" in result.stdout  # "movie0_00.tif" has a 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Name the tables of answers"),
        (("--template", "{doses}"), "--template needs --out"),
        (("--template", "{doses}", "--out", "{tmp}/x", "--each", "9"), "'0' has 8, '0.1' has 8, '1' has 8"),
        (("{tmp}/none.csv", "--truth", "{doses}"), "can't be read: no such file"),
    ],
)
def test_what_is_lacking_is_said(doses: Path, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run_cli("experts", *(one.format(doses=doses, tmp=tmp_path) for one in arguments))
    assert result.exit_code == 1
    assert message in result.stderr


def test_an_export_of_a_project_is_read_again(project_of_two: Path, tmp_path: Path) -> None:
    out = tmp_path / "people.csv"
    assert run_cli("export", project_of_two, "--to", "people", "--out", out).exit_code == 0
    (task,) = last_json(run_cli("experts", out, "--truth", project_of_two, "--json"))["tasks"]
    of = {one["name"]: (one["accuracy"], one["n"]) for one in task["standings"]}
    assert of["Ada"] == (1, 4)
    assert of["Bo"] == (0.75, 4)


@pytest.fixture
def project_of_two(tmp_path: Path) -> Path:
    """Ada labelled four cells, Bo the same blind, one of them otherwise."""
    from tests.session.scene import grid, stack_for

    session = Session()
    session.new_project(tmp_path / "cells.cellstage")
    session.add_image(stack_for(grid()))
    session.set_labels(grid())
    first, second = session.add_class("a"), session.add_class("b")
    session.annotator = "Ada"
    session.label_cells([0, 1], first)
    session.label_cells([2, 3], second)
    session.annotator, session.blind = "Bo", True
    session.label_cells([0], first)
    session.label_cells([1, 2, 3], second)
    session.blind = False
    session.close()
    return tmp_path / "cells.cellstage"
