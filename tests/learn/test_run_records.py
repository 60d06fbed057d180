"""What the table of runs shows is read from cards, whatever state the folders are in."""

from __future__ import annotations

import json
import os

import pytest

from napari_cellstage.learn import run_records as room
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_records import list_runs
from napari_cellstage.learn.runs import save_run


@pytest.fixture
def model(data, run):
    return run(fit(data, Recipe.load("quick").but(threads=1, weights="none")))[1]


def test_a_run_says_what_it_was(tmp_path, model):
    save_run(tmp_path / "one", model, [])
    (record,) = list_runs(tmp_path)
    assert (record.name, record.recipe, record.cross_validated) == ("one", "quick", 0)
    assert record.labels == {"a": 12, "b": 12, "c": 12}
    assert record.classes.names == ("a", "b", "c")
    assert record.scores.to_dict() == model.scores.to_dict()
    assert record.made == model.card["made"]
    assert (record.has_model, record.has_unseen, record.problem) == (True, True, "")


def test_the_newest_is_first_by_the_card_not_by_the_name(tmp_path, model):
    for name, made in (("b", "2026-01-01T00:00:00"), ("a", "2026-03-01T00:00:00"), ("c", "2026-02-01T00:00:00")):
        model.card["made"] = made
        save_run(tmp_path / name, model, [])
    assert [one.name for one in list_runs(tmp_path)] == ["a", "c", "b"]


def test_damaged_runs_are_listed_with_what_is_wrong(tmp_path, model):
    for name in ("whole", "no model", "broken", "odd"):
        save_run(tmp_path / name, model, [])
    (tmp_path / "empty").mkdir()
    (tmp_path / "a file").write_text("")
    (tmp_path / "no model" / "weights.safetensors").unlink()
    (tmp_path / "broken" / "card.json").write_text('{"made"')
    (tmp_path / "odd" / "card.json").write_text("[1]")
    found = {one.name: one for one in list_runs(tmp_path)}
    assert sorted(found) == ["broken", "empty", "no model", "odd", "whole"]
    assert found["whole"].problem == ""
    assert "model's file is gone" in found["no model"].problem
    assert found["no model"].scores is not None
    assert found["no model"].has_unseen
    assert not found["no model"].has_model
    assert "card.json is missing" in found["empty"].problem
    assert all("card.json can't be read" in found[name].problem for name in ("broken", "odd"))


def test_cards_of_earlier_versions_say_less(tmp_path, model):
    save_run(tmp_path / "old", model, [])
    file = tmp_path / "old" / "card.json"
    card = json.loads(file.read_text())
    for name in ("labels", "moment", "cross_validated", "choice"):
        del card[name]
    card["scores"] = {name: card["scores"][name] for name in ("accuracy", "low", "high", "balanced_accuracy",
                      "macro_f1", "n", "confusion", "classes")}  # fmt: skip
    del card["recipe"]["folds"]
    file.write_text(json.dumps(card))
    (record,) = list_runs(tmp_path)
    assert (record.labels, record.moment, record.problem) == ({}, 0, "")
    assert record.scores.accuracy == model.scores.accuracy


def test_a_card_is_read_again_when_it_has_changed_only(tmp_path, model, monkeypatch):
    save_run(tmp_path / "one", model, [])
    list_runs(tmp_path)
    reads = []
    monkeypatch.setattr(room.json, "loads", lambda text: reads.append(1) or json.JSONDecoder().decode(text))
    list_runs(tmp_path)
    assert reads == []
    os.utime(tmp_path / "one" / "card.json", (1, 1))
    list_runs(tmp_path)
    assert reads == [1]


def test_models_of_stains_are_left_out(tmp_path, model):
    save_run(tmp_path / "classes", model, [])
    (tmp_path / "stains").mkdir()
    (tmp_path / "stains" / "card.json").write_text(json.dumps({"format": 1, "kind": "stain", "stain_names": ["DNA"]}))
    assert [one.name for one in list_runs(tmp_path)] == ["classes"]


def test_no_folder_is_no_run(tmp_path):
    assert list_runs(tmp_path / "nowhere") == ()
