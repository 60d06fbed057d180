from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_cellstage.core.errors import ModelError, ProjectError
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import score_unseen
from napari_cellstage.learn.cross_validate import cross_validate
from napari_cellstage.learn.events import EpochDone
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import new_run_folder, note_in_card, save_run, save_unseen


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


def test_what_the_model_says_of_its_held_out_cells_is_kept(tmp_path, data, run):
    _, model = run(fit(data, Recipe.load("quick").but(threads=1, weights="none")))
    save_run(tmp_path / "one", model, [])
    found = Unseen.load(tmp_path / "one" / "unseen.npz")
    assert found.run == "one"
    assert np.array_equal(found.probabilities, model.unseen.probabilities)
    assert TrainedModel.load(tmp_path / "one").scores.to_dict() == model.scores.to_dict()


def test_predictions_out_of_fold_take_their_place_and_the_card_says_both_scores(tmp_path, data, run):
    recipe = Recipe.load("quick").but(threads=1, weights="none", folds=3)
    _, model = run(fit(data, recipe))
    save_run(tmp_path, model, [])
    _, found = run(cross_validate(data, recipe))
    save_unseen(tmp_path, found, score_unseen(found))
    save_unseen(tmp_path, found, score_unseen(found))  # a second time the held-out score is still the old one
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert card["cross_validated"] == 3
    assert card["held_out_scores"] == model.scores.to_dict()
    assert card["scores"]["n"] == len(data)
    assert Unseen.load(tmp_path / "unseen.npz").how == "out of fold"


def test_a_card_that_can_not_be_changed_is_said(tmp_path):
    with pytest.raises(ModelError, match=r"card\.json' can't be changed"):
        note_in_card(tmp_path / "nowhere", cross_validated=3)


def test_answers_that_can_not_be_replaced_are_said_and_leave_no_half_file(tmp_path, data, run, monkeypatch):
    recipe = Recipe.load("quick").but(threads=1, weights="none")
    _, model = run(fit(data, recipe))
    save_run(tmp_path, model, [])
    before = (tmp_path / "unseen.npz").read_bytes()

    def locked(*_args):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(ModelError, match=r"unseen.npz' can't be replaced: .*in use.*Close what reads it"):
        save_unseen(tmp_path, model.unseen, model.scores)
    assert (tmp_path / "unseen.npz").read_bytes() == before
    assert not (tmp_path / "new_unseen.npz").exists()
