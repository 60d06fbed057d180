"""`report`, `compare`, `suspects`, and what training and evaluation say of their scores."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_cellstage.cli.answers import figures, score_lines, write_json
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.safe_csv import read_csv
from napari_cellstage.core.scoring.scores import score, score_unseen
from napari_cellstage.core.scoring.words import class_texts, figures_of
from napari_cellstage.learn.examples import EXAMPLES
from napari_cellstage.learn.model import CARD
from napari_cellstage.learn.run_records import UNSEEN, read_record


def last_json(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.fixture
def copied(run: tuple[Path, Any], tmp_path: Path) -> Path:
    """A run folder that may be changed."""
    return Path(shutil.copytree(run[0], tmp_path / "a copy"))


def test_a_run_has_what_its_report_needs(run: tuple[Path, Any]) -> None:
    out, result = run
    record, unseen = read_record(out), Unseen.load(out / UNSEEN)
    assert unseen is not None
    assert (record.cross_validated, len(unseen), unseen.how) == (5, 36, "out of fold")
    assert (out / EXAMPLES).is_file()
    answer = last_json(result)
    card = json.loads((out / CARD).read_text(encoding="utf-8"))
    assert answer["cross_validated"]["intervals"] == card["scores"]["intervals"]
    assert answer["intervals"] == card["held_out_scores"]["intervals"]
    assert card["group_from"] == r"movie\d+"


def test_report_json_text_and_card_agree(run: tuple[Path, Any], tmp_path: Path, invoke: Any) -> None:
    file = tmp_path / "new folder" / "one.html"
    assert last_json(invoke("report", run[0], "--out", file, "--json"))["report"] == str(file)
    page, told = file.read_text(encoding="utf-8"), run[1].stdout
    scores = read_record(run[0]).scores
    assert scores is not None
    assert figures(scores) == {name: last_json(run[1])["cross_validated"][name] for name in figures(scores)}
    assert f"cross-validated accuracy {scores.text}" in told
    for one in figures_of(scores):
        assert one.text in page
        assert one.text in told
    for single in scores.per_class:
        assert all(text in page and text in told for text in class_texts(single))
    assert "--group-from" in page
    assert "large one 🔬" in page


def test_training_writes_the_report_and_folds_may_be_none(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    options = ("--recipe", "quick", "--device", "cpu", "--group-from", r"movie\d+", "--json", "--report")
    answer = last_json(invoke("train", class_folders, "--out", tmp_path / "r", *options))
    assert answer["cross_validated"] is None
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert "were kept out of training" in page
    assert "--folds" not in page
    record = read_record(tmp_path / "r")
    assert record.scores is not None
    assert record.scores.text in page
    again = (*options[:-1], "--overwrite", "--set", "holdout=0")
    assert last_json(invoke("train", class_folders, "--out", tmp_path / "r", *again))["accuracy"] is None
    assert not [name for name in (UNSEEN, EXAMPLES, "report.html") if (tmp_path / "r" / name).exists()]


def test_evaluate_writes_the_same_page_about_other_cells(
    class_folders: Path, run: tuple[Path, Any], tmp_path: Path, invoke: Any
) -> None:
    result = invoke(
        "evaluate", run[0], class_folders, "--group-from", r"movie\d+", "--report", tmp_path / "e.html", "--json"
    )
    answer, page = last_json(result), (tmp_path / "e.html").read_text(encoding="utf-8")
    assert answer["n_test"] == last_json(run[1])["n_test"]
    assert f"Scored on {answer['n_test']} cells of {class_folders.name} that the model was not trained on" in page
    assert f"{answer['accuracy']:.2f} (" in page
    assert page.count("data:image/png") > 3
    rows = re.findall(
        r'</th><td class="number">(\d+)</td><td class="number">(\d+)</td><td class="number">18</td>', page
    )
    assert [int(learnt) + int(scored) for learnt, scored in rows] == [18, 18]
    assert sum(int(scored) for _, scored in rows) == answer["n_test"]
    assert answer["ece"] is not None
    assert len(answer["per_class"]) == 2


def test_a_report_of_nothing_is_one_sentence(tmp_path: Path, copied: Path, invoke: Any) -> None:
    result = invoke("report", tmp_path / "none")
    assert result.exit_code == 1
    assert "There is no run folder" in result.stderr
    for file in copied.glob("*"):
        if file.name != CARD:
            file.unlink()
    assert invoke("report", copied).exit_code == 0
    assert "model's file is gone" in (copied / "report.html").read_text(encoding="utf-8").replace("&#39;", "'")


def test_two_runs_are_compared_on_the_same_cells(
    run: tuple[Path, Any], copied: Path, tmp_path: Path, invoke: Any
) -> None:
    unseen = Unseen.load(copied / UNSEEN)
    assert unseen is not None
    right = np.flatnonzero(unseen.predicted == unseen.truth)
    unseen.probabilities[right[:4]] = unseen.probabilities[right[:4], ::-1]
    unseen.take(np.arange(len(unseen))[::-1]).save(copied / UNSEEN)
    result = invoke("compare", run[0], copied, "--out", tmp_path / "c.csv", "--json")
    answer = last_json(result)
    assert (answer["n"], answer["won"], answer["lost"]) == (36, 0, 4)
    assert answer["p"] == pytest.approx(0.125)
    assert answer["difference"] == pytest.approx(-4 / 36)
    assert answer["low"] <= answer["difference"] <= answer["high"]
    table = read_csv(tmp_path / "c.csv")
    lost = table[table["outcome"] == "lost"]
    assert set(lost["image"]) == {str(name).rpartition("#")[0] for name in unseen.names[right[:4]]}
    assert "4 lost of 36 cells" in result.stdout
    turned = last_json(invoke("compare", copied, run[0], "--json"))
    assert (turned["won"], turned["lost"]) == (4, 0)


def test_labels_of_the_later_run_count(run: tuple[Path, Any], copied: Path, invoke: Any) -> None:
    unseen = Unseen.load(copied / UNSEEN)
    assert unseen is not None
    unseen.truth[:2] = 1 - unseen.truth[:2]
    unseen.save(copied / UNSEEN)
    card = json.loads((copied / CARD).read_text(encoding="utf-8"))
    (copied / CARD).write_text(json.dumps(card | {"made": "2099-01-01T00:00:00+00:00"}), encoding="utf-8")
    for first, second in ((run[0], copied), (copied, run[0])):
        result = invoke("compare", first, second, "--json")
        answer = last_json(result)
        assert answer["relabelled"] == 2
        assert answer["accuracy_a"] == answer["accuracy_b"] == pytest.approx(score_unseen(unseen).accuracy)
    assert "2 cells have another label in the later run" in result.stdout


def test_runs_without_common_cells_or_answers_are_said(run: tuple[Path, Any], copied: Path, invoke: Any) -> None:
    unseen = Unseen.load(copied / UNSEEN)
    assert unseen is not None
    names = np.array([f"other {place}.tif#{place}" for place in range(len(unseen))])
    type(unseen)(**{**vars(unseen), "names": names}).save(copied / UNSEEN)
    result = invoke("compare", run[0], copied)
    assert result.exit_code == 1
    assert "have no labelled cell in common that neither had seen: 0 cells. Train both with --folds 5" in result.stderr
    (copied / UNSEEN).unlink()
    result = invoke("compare", run[0], copied)
    assert result.exit_code == 1
    assert "has no predictions for cells that its model had not seen (unseen.npz)." in result.stderr
    result = invoke("suspects", copied / "nowhere")
    assert result.exit_code == 1
    assert "There is no such folder. Name the folder of a training" in result.stderr


def test_suspects_are_listed_most_suspicious_first(copied: Path, tmp_path: Path, invoke: Any) -> None:
    unseen = Unseen.load(copied / UNSEEN)
    assert unseen is not None
    unseen.truth[[3, 20]] = 1 - unseen.truth[[3, 20]]
    unseen.save(copied / UNSEEN)
    result = invoke("suspects", copied, "--out", tmp_path / "s.csv", "--json")
    table = read_csv(tmp_path / "s.csv")
    assert last_json(result)["suspects"] == len(table) >= 2
    wanted = {str(name).rpartition("#")[0] for name in unseen.names[[3, 20]]}
    assert wanted <= set(table["image"])
    assert table["suspicion"].astype(float).is_monotonic_decreasing
    assert (table["label"] != table["suggested"]).all()
    assert f"{len(table)} of 36 labels are probably wrong" in result.stdout


def test_numbers_that_are_none_become_null(capsys: pytest.CaptureFixture[str]) -> None:
    scores = score(np.array([0]), np.array([0]), ("a", "b"))
    write_json(figures(scores) | {"inside": [{"a": math.nan, "b": (math.inf,)}]})
    values = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert values["inside"] == [{"a": None, "b": [None]}]
    assert values["per_class"][1]["recall"] is None
    json.dumps(figures(None))


def test_a_matrix_of_many_classes_is_not_put_on_the_terminal() -> None:
    names = tuple(f"class {place}" for place in range(60))
    lines = score_lines(score(np.arange(60), np.arange(60), names), "accuracy")
    assert max(map(len, lines)) < 200
    assert not any("predicted, in the same order" in line for line in lines)
    assert any(line.startswith("class 59") for line in lines)
    few = score_lines(score(np.arange(2), np.arange(2), ("a", "b")), "accuracy")
    assert any("predicted, in the same order" in line for line in few)


def test_tables_of_results_are_harmless(copied: Path, tmp_path: Path, invoke: Any) -> None:
    unseen = Unseen.load(copied / UNSEEN)
    assert unseen is not None
    names = np.array([f"=cmd {place}.tif#{place}" for place in range(len(unseen))])
    unseen.truth[:] = 1 - unseen.truth
    type(unseen)(**{**vars(unseen), "names": names}).save(copied / UNSEEN)
    invoke("compare", copied, copied, "--out", tmp_path / "c.csv")
    assert pd.read_csv(tmp_path / "c.csv")["image"].str.startswith("'=cmd").all()
    assert read_csv(tmp_path / "c.csv")["image"].str.startswith("=cmd").all()
