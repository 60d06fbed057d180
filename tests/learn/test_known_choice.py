"""An earlier choice of a classifier is taken over where few labels have changed, and never for long."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.learn import known_choice as room
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import Note
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.kernel_head import Sharpness
from napari_cellstage.learn.known_choice import known_choice
from napari_cellstage.learn.pair_head import Pair
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.runs import note_in_card, save_run

QUICK = Recipe.load("quick").but(threads=1, weights="none")


@pytest.fixture
def runs(tmp_path, data, run, monkeypatch):
    monkeypatch.setattr(room, "FEWEST", 10)
    _, model = run(fit(data, QUICK))
    save_run(tmp_path / "runs" / "1_quick", model, [])
    return tmp_path / "runs"


def test_it_is_taken_over_for_the_same_recipe_and_nearly_the_same_labels(runs, data):
    found = known_choice(runs, data, QUICK.but(folds=0, threads=2))
    card = json.loads((runs / "1_quick" / "card.json").read_text())
    assert not found.trees
    assert found.pair.to_dict() == card["choice"]["pair"]
    assert found.temperature == card["temperature"]
    assert (found.labels, found.reused) == ({"a": 12, "b": 12, "c": 12}, 1)


@pytest.mark.parametrize("changes", [{"crop_size": 48}, {"class_weights": True}, {"seed": 3}, {"classifier": "trees"}])
def test_not_for_another_recipe(runs, data, changes):
    assert known_choice(runs, data, QUICK.but(**changes)) is None


def test_a_card_of_a_version_without_the_choice_of_a_classifier_still_counts(runs, data):
    file = runs / "1_quick" / "card.json"
    card = json.loads(file.read_text())
    for name in ("classifier", "trees", "tree_rate", "members"):
        del card["recipe"][name]
    file.write_text(json.dumps(card))
    assert known_choice(runs, data, QUICK) is not None


def test_a_linear_head_of_trees_that_were_stopped_is_not_taken_over(runs, data, run):
    trees = QUICK.but(classifier="trees", trees=5)
    _, model = run(fit(data, trees))
    save_run(runs / "2_quick", model, [])
    assert known_choice(runs, data, trees).trees
    note_in_card(runs / "2_quick", choice=model.card["choice"] | {"trees": False})
    assert known_choice(runs, data, trees) is None


def test_not_where_many_labels_have_changed(runs, data):
    labels = np.where(np.arange(36) < 6, 0, data.labels)
    assert known_choice(runs, replace(data, labels=labels), QUICK) is None


@pytest.fixture
def by_movie(make_crops, run, tmp_path, monkeypatch):
    """Return cells of six movies, and runs that have learnt from them."""
    monkeypatch.setattr(room, "FEWEST", 10)
    data = TrainingSet.from_crops(make_crops(count=72, groups=6), QUICK)
    _, model = run(fit(data, QUICK))
    save_run(tmp_path / "movies" / "1_quick", model, [])
    return data, model, tmp_path / "movies"


def relabelled(data, held_out):
    """Return the data with labels of two cells swapped that divides into other parts by itself."""
    for row in range(len(data)):
        for other in range(row):
            labels = data.labels.copy()
            labels[[row, other]] = labels[[other, row]]
            changed = replace(data, labels=labels)
            if not np.array_equal(changed.held_out(QUICK), held_out):
                return changed
    raise AssertionError("every relabelled set divides as before")


def test_cells_that_had_a_say_in_the_choice_never_measure_it(by_movie, run):
    data, model, runs = by_movie
    changed = relabelled(data, model.held_out)
    known = known_choice(runs, changed, QUICK)
    _, again = run(fit(changed, QUICK, known=known))
    assert again.card["choice"]["reused"] == 1
    assert not set(again.card["split"]["held_out"]) & set(model.card["split"]["trained"])
    assert again.card["split"] == model.card["split"]


def test_a_new_cell_goes_with_its_group(by_movie):
    data, model, runs = by_movie
    card = json.loads((runs / "1_quick" / "card.json").read_text())
    held = np.flatnonzero(model.held_out)[0]
    split = card["split"] | {"held_out": [n for n in card["split"]["held_out"] if n != data.names[held]]}
    note_in_card(runs / "1_quick", split=split)
    assert np.array_equal(known_choice(runs, data, QUICK).held_out, model.held_out)


def test_not_where_cells_are_divided_in_another_way(by_movie, runs):
    data, model, movies = by_movie
    assert known_choice(movies, replace(data, groups=np.full(len(data), "all")), QUICK) is None
    mixed = np.array([f"movie {row % 6}" for row in range(len(data))])
    assert known_choice(movies, replace(data, groups=mixed), QUICK) is None
    others = np.array([f"well {group}" for group in data.groups])
    assert known_choice(movies, replace(data, groups=others), QUICK) is None
    held = np.flatnonzero(model.held_out)
    labels = np.where(model.held_out, 0, data.labels)
    rest = np.flatnonzero(~model.held_out & (data.labels == 2))
    labels[rest] = 1
    labels[held[:2]] = 2  # only held-out cells are left of it
    counts = dict(zip("abc", np.bincount(labels).tolist(), strict=True))
    choice = json.loads((movies / "1_quick" / "card.json").read_text())["choice"]
    note_in_card(movies / "1_quick", choice=choice | {"labels": counts})
    assert known_choice(movies, replace(data, labels=labels), QUICK) is None


def test_not_for_ever(runs, data):
    choice = json.loads((runs / "1_quick" / "card.json").read_text())["choice"]
    note_in_card(runs / "1_quick", choice=choice | {"reused": room.MOST_TIMES})
    assert known_choice(runs, data, QUICK) is None


def test_not_with_few_cells_nor_without_runs(runs, data, monkeypatch, tmp_path):
    assert known_choice(tmp_path / "nowhere", data, QUICK) is None
    monkeypatch.setattr(room, "FEWEST", 100)
    assert known_choice(runs, data, QUICK) is None


def test_networks_and_damaged_runs_are_passed_over(runs, data):
    (runs / "2_finetune").mkdir()
    (runs / "2_finetune" / "card.json").write_text('{"format": 1, "recipe": {"kind": "finetune"}}')
    (runs / "3_quick").mkdir()
    assert known_choice(runs, data, QUICK) is not None


@pytest.mark.parametrize("trees", [False, True])
def test_a_training_with_a_known_choice_says_so_and_is_as_good(data, run, trees):
    labels = {"a": 12, "b": 12, "c": 12}
    pair = None if trees else Pair(0.2, Sharpness(0.1, 0.5), (1.0, 1.0))
    known = room.KnownChoice(trees, 1.5, labels, 2, pair=pair)
    events, model = run(fit(data, QUICK.but(classifier="trees" if trees else "auto"), known=known))
    assert model.scores.accuracy > 0.8
    assert model.card["choice"]["reused"] == 2
    assert model.card["choice"]["trees"] is trees
    assert model.card["choice"]["labels"] == labels
    assert "as before, since few labels have changed" in " ".join(e.text for e in events if isinstance(e, Note))
