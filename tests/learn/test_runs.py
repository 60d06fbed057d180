from __future__ import annotations

import pytest

from napari_cellstage.core.errors import ProjectError
from napari_cellstage.learn.events import EpochDone
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import new_run_folder, save_run


def test_runs_of_one_second_get_folders_of_their_own(tmp_path):
    folders = {new_run_folder(tmp_path / "runs", "quick") for _ in range(3)}
    assert len(folders) == 3
    assert all(f.is_dir() and "quick" in f.name for f in folders)


def test_a_runs_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="No run folder can be made in"):
        new_run_folder(tmp_path / "file" / "runs", "quick")


def test_the_history_has_a_line_an_epoch(tmp_path, data, run):
    _, model = run(fit(data, Recipe.load("quick").but(threads=1, weights="none")))
    save_run(tmp_path, model, [EpochDone(1, 2, 0.5, 0.6, 0.7, 100.0), EpochDone(2, 2, 0.4, 0.5, 0.8, 100.0)])
    lines = (tmp_path / "history.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "epoch,epochs,train_loss,valid_loss,valid_accuracy,images_per_second"
    assert len(lines) == 3


def test_a_history_that_cannot_be_written_is_said(tmp_path, data, run):
    _, model = run(fit(data, Recipe.load("quick").but(threads=1, weights="none")))
    (tmp_path / "history.csv").mkdir()
    with pytest.raises(ProjectError, match=r"history\.csv' can't be written.*Make room"):
        save_run(tmp_path, model, [])
