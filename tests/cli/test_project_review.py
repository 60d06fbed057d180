"""`agreement`, `queue` and `suspects` on a project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellstage.cli import project_review
from napari_cellstage.core.images import open_image
from napari_cellstage.core.people.agreement import Agreement, PairAgreement
from napari_cellstage.core.safe_csv import read_csv
from napari_cellstage.core.segment import SegmentSettings, find_cells
from napari_cellstage.session import Session

NAN = float("nan")


@pytest.fixture
def project(image: Path, tmp_path: Path) -> Path:
    """A project with the field of discs, labelled by two persons who differ on one cell."""
    folder = tmp_path / "cells.cellstage"
    session = Session()
    session.new_project(folder)
    session.add_image(open_image(image))
    session.set_labels(find_cells(np.asarray(open_image(image).volume(0, 0))[0], SegmentSettings()))
    for name in ("small", "=large"):
        session.add_class(name)
    areas = session.cells().area
    for who, turned in (("Ada", ()), ("<b>Bo</b>", (2,))):
        session.annotator = who
        for row in range(6):
            small = (areas[row] < 200) != (row in turned)
            session.label_cells(np.array([row]), 1 if small else 2)
    session.close()
    return folder


def answer_of(result: Any) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_agreement_of_two_persons(project: Path, invoke: Any) -> None:
    result = invoke("agreement", project, "--json")
    answer = answer_of(result)
    (pair,) = answer["pairs"]
    assert {pair["first"], pair["second"]} == {"Ada", "<b>Bo</b>"}
    assert (pair["n"], pair["raw"]) == (6, pytest.approx(5 / 6))
    assert 0 < pair["kappa"] < 1
    assert answer["disputed"] == 1
    assert "1 cell disputed and not settled" in result.stdout
    assert "<b>Bo</b>" in result.stdout


def test_undefined_kappas_are_null_in_json(project: Path, invoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = PairAgreement("a", "b", 3, 1.0, NAN, (NAN, NAN))
    monkeypatch.setattr(Session, "agreement", lambda self: Agreement((pair,), per_class=(("x", NAN, 3),)))
    result = invoke("agreement", project, "--json")
    answer = answer_of(result)
    assert answer["fleiss"] is None
    assert answer["pairs"][0]["kappa"] is None
    assert answer["per_class"] == [{"name": "x", "kappa": None, "n": 3}]


def test_cells_to_label_next(project: Path, tmp_path: Path, invoke: Any) -> None:
    result = invoke("queue", project, "--mode", "random", "--count", 5, "--out", tmp_path / "q.csv", "--json")
    assert answer_of(result)["cells"] == 2
    table = read_csv(tmp_path / "q.csv")
    assert table.columns.tolist() == ["image", "t", "cell_id", "predicted", "confidence"]
    assert set(table["image"]) == {"a field.tif"}
    assert "2 cells to label next" in result.stdout
    wrong = invoke("queue", project, "--mode", "nonsense")
    assert wrong.exit_code == 1
    assert "nonsense" in wrong.stderr


def test_what_a_run_of_a_project_says(project: Path, tmp_path: Path, invoke: Any) -> None:
    session = Session()
    session.open_project(project)
    for row, area in enumerate(session.cells().area):
        session.label_cells(np.array([row]), 1 if area < 200 else 2)
    session.set_audit(1)
    session.close()
    out = project / "runs" / "mine"
    options = ("--recipe", "quick", "--device", "cpu", "--folds", 2, "--report", "--out", out)
    result = invoke("train", project, *options)
    assert result.exit_code == 0, result.output
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "An audit set of 1 cell was left out of training" in page
    assert "a field.tif" in page
    assert f"train {project} --out" in page
    said = answer_of(invoke("suspects", project, "--out", tmp_path / "s.csv", "--json"))
    assert said["cells"] == 7
    assert len(read_csv(tmp_path / "s.csv")) == said["suspects"]


def test_a_project_without_runs_has_no_suspects(project: Path, invoke: Any) -> None:
    result = invoke("suspects", project)
    assert result.exit_code == 1
    assert "has predictions for cells that its model had not seen, so no label can be doubted" in result.stderr
    assert "Train in it first." in result.stderr


def test_the_project_is_free_again(project: Path) -> None:
    with project_review.opened(project):
        pass
    session = Session()
    session.open_project(project)
    assert not session.read_only
    session.close()
