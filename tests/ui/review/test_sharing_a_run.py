"""A run is shared from the table of runs: one file, written in a worker, said where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import save_run
from napari_cellstage.session import Session
from napari_cellstage.sharing import open_bundle
from napari_cellstage.ui.review import runs_part
from napari_cellstage.ui.review.runs_part import RunsPart
from napari_cellstage.ui.workers import JobRunner

QUICK = Recipe.load("quick").but(folds=0, device="cpu", threads=1, crop_size=16, classifier="linear", holdout=0.3)


@pytest.fixture
def trained(session: Session) -> Session:
    """Nine cells of three classes, and a run of them."""
    for row in range(9):
        session.label_cells([row], row % 3 + 1)
    data = TrainingSet.from_snapshot(session.snapshot(), QUICK)
    work = fit(data, QUICK)
    while True:
        try:
            next(work)
        except StopIteration as end:
            save_run(session.project.runs / "one", end.value, [], data)
            break
    session.note_run("one")
    return session


@pytest.fixture
def part(qtbot: Any, trained: Session) -> Iterator[RunsPart]:
    runner = JobRunner()
    made = RunsPart(trained, runner)
    qtbot.addWidget(made)
    made.refresh()
    made.table.select(("one",))
    yield made
    runner.close()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user was told, errors too."""
    texts: list[str] = []
    monkeypatch.setattr(runs_part, "tell", texts.append)
    monkeypatch.setattr(runs_part, "show", lambda error: texts.append(str(error)))
    return texts


def choose(monkeypatch: pytest.MonkeyPatch, name: Path | str) -> list[str]:
    """Answer the window that asks for a name; return what it offers."""
    offered: list[str] = []

    def answered(_parent: object, _title: str, start: str, _kinds: str) -> tuple[str, str]:
        offered.append(start)
        return str(name), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answered)
    return offered


def test_a_run_becomes_one_file(part, trained, said, qtbot, tmp_path, monkeypatch) -> None:
    offered = choose(monkeypatch, tmp_path / "for you")
    assert part.share.isEnabled()
    part.share.click()
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert Path(offered[0]) == trained.project.folder.parent / "one.zip"
    out = tmp_path / "for you.zip"
    assert said == [f"9 cells and all else of this run are in '{out}'."]
    with open_bundle(out) as opened:
        assert opened.manifest["crops"]["masks"]
        assert str(trained.project.folder) not in (opened.folder / "model" / "card.json").read_text(encoding="utf-8")
    assert part.share.isEnabled()


def test_what_has_changed_since_is_said_and_a_file_that_was_confirmed_replaced(
    part, trained, said, qtbot, tmp_path, monkeypatch
) -> None:
    choose(monkeypatch, tmp_path / "a.zip")
    (tmp_path / "a.zip").write_bytes(b"an older one")
    trained.label_cells([0], 2)
    part.share.click()
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "1 of 9 cells have another label today: these are the labels of the training." in said[0]
    with open_bundle(tmp_path / "a.zip"):
        pass


def test_nothing_is_replaced_that_nobody_was_asked_about(part, said, qtbot, tmp_path, monkeypatch) -> None:
    choose(monkeypatch, tmp_path / "a")
    (tmp_path / "a.zip").write_bytes(b"mine")
    part.share.click()
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "is there already" in said[0]
    assert (tmp_path / "a.zip").read_bytes() == b"mine"


def test_without_a_name_nothing_begins(part, said, tmp_path, monkeypatch) -> None:
    choose(monkeypatch, "")
    part.share.click()
    assert part.share.isEnabled()
    assert said == []


def test_without_a_model_it_says_why_not(part, trained) -> None:
    (trained.project.runs / "one" / "weights.safetensors").unlink()
    trained.note_run()
    part.refresh()
    assert not part.share.isEnabled()
    assert "The model's file is gone" in part.share.toolTip()
