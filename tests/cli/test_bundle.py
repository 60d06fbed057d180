"""`export --bundle` and `rerun` on the command line: what they say, write and end with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from napari_cellstage.session import Session
from napari_cellstage.sharing.contents import hash_of


@pytest.fixture(scope="module")
def bundle(run: tuple[Path, Any], invoke: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The quick run as a zip, and what writing it answered."""
    out = tmp_path_factory.mktemp("shared") / "b.zip"
    return out, invoke("export", run[0], "--bundle", "--out", out, "--json")


def last_json(result: Any) -> dict[str, Any]:
    values = json.loads(result.stdout.splitlines()[-1])
    assert isinstance(values, dict)
    return values


def test_a_run_is_handed_on_and_trained_again(bundle: tuple[Path, Any], tmp_path: Path, invoke: Any) -> None:
    out, written = bundle
    assert written.exit_code == 0, written.output
    assert last_json(written) | {"seconds": 0} == {"cells": 36, "bundle": str(out), "notes": [], "seconds": 0}
    result = invoke("rerun", out, "--out", tmp_path / "again", "--json")
    assert result.exit_code == 0, result.output
    answer = last_json(result)
    assert (answer["agree"], answer["run"]) == (True, str(tmp_path / "again"))
    accuracy = next(one for one in answer["figures"] if one["figure"] == "accuracy")
    assert accuracy["then"] == accuracy["now"]
    assert accuracy["low"] < accuracy["high"]
    assert accuracy["agrees"]
    assert "The figures agree" in result.stdout
    refused = invoke("rerun", out, "--out", tmp_path / "again")
    assert refused.exit_code == 1
    assert "add --overwrite" in refused.stderr


def test_figures_that_do_not_agree_end_with_exit_code_4(
    run: tuple[Path, Any], class_folders: Path, tmp_path: Path, invoke: Any
) -> None:
    out = tmp_path / "b"
    invoke("export", run[0], "--bundle", "--out", out, "--references")
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    figures["scores"]["held out"]["matthews"] = -0.5
    (out / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["figures.json"] = hash_of(out / "figures.json")
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    result = invoke("rerun", out, "--data", class_folders, "--json")
    assert result.exit_code == 4
    assert "The figures do not agree." in result.stdout
    assert not last_json(result)["agree"]


def test_a_bad_bundle_is_one_sentence_and_exit_code_1(bundle: tuple[Path, Any], tmp_path: Path, invoke: Any) -> None:
    (tmp_path / "b.zip").write_bytes(bundle[0].read_bytes()[:-100])
    for path, told in ((tmp_path / "b.zip", "is damaged"), (tmp_path / "none", "There is no bundle")):
        result = invoke("rerun", path)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")
        assert told in result.stderr
        assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("{run}",), "is a run. Add --bundle to hand it on"),
        (
            ("{run}", "--bundle", "--to", "csv"),
            "--to is for the cells of a project, but --bundle writes all of",
        ),
        (("{run}", "--bundle", "--png"), "--png is for the cells of a project"),
        (("{project}",), "Say what to write of"),
        (("{project}", "--references", "--to", "csv"), "--references is for bundles, and --bundle is not there"),
        (("{project}", "--bundle"), "is a project, but a bundle is of one run. Name one of its runs; it has none yet"),
        (("{data}", "--bundle"), "is no run: card.json is missing"),
        (("{moved}", "--bundle"), "Say with --data where they are now"),
        (("{run}", "--bundle", "--data", "{nowhere}"), "There is nothing at"),
    ],
)
def test_a_run_and_a_project_are_not_mixed_up(
    arguments: tuple[str, ...], told: str, run: tuple[Path, Any], class_folders: Path, tmp_path: Path, invoke: Any
) -> None:
    session = Session()
    session.new_project(tmp_path / "p.cellstage")
    session.close()
    shutil.copytree(run[0], tmp_path / "moved")
    card = json.loads((tmp_path / "moved" / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "moved" / "card.json").write_text(json.dumps(card | {"data": str(tmp_path / "gone")}), encoding="utf-8")
    places = {"run": run[0], "project": tmp_path / "p.cellstage", "data": class_folders, "nowhere": tmp_path / "none"}
    places["moved"] = tmp_path / "moved"
    result = invoke("export", *(one.format(**places) for one in arguments), "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert told in result.stderr
    assert not (tmp_path / "out").exists()


def test_data_that_moved_are_named(run: tuple[Path, Any], class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    shutil.copytree(class_folders, tmp_path / "moved data")
    result = invoke("export", run[0], "--bundle", "--out", tmp_path / "b", "--data", tmp_path / "moved data")
    assert result.exit_code == 0, result.output
    assert "moved data" not in (tmp_path / "b" / "model" / "card.json").read_text(encoding="utf-8")


def test_a_task_of_some_classes_is_rerun_on_its_own_folds(class_folders: Path, tmp_path: Path, invoke: Any) -> None:
    shutil.copytree(class_folders, tmp_path / "data")
    shutil.copytree(class_folders / "small", tmp_path / "data" / "other")
    for number, file in enumerate((tmp_path / "data" / "other").iterdir()):
        file.rename(file.with_name(f"movie{number % 6}_x{number}.tif"))
    options = ("--recipe", "quick", "--group-from", r"movie\d+", "--device", "cpu", "--folds", 3)
    result = invoke("train", tmp_path / "data", *options, "--classes", "small,large one 🔬", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert invoke("export", tmp_path / "run", "--bundle", "--out", tmp_path / "b").exit_code == 0
    answer = last_json(invoke("rerun", tmp_path / "b", "--json"))
    assert answer["agree"]
    assert {one["part"] for one in answer["figures"]} == {"held out", "cross-validated"}
    assert all(one["difference"] == 0 for one in answer["figures"])
