"""Stopping as published: networks beside leave out a fold each, their accuracy on it picks the epoch."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from napari_cellstage.learn import stopping as room
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.ending import Parts
from napari_cellstage.learn.events import BatchDone, EpochDone
from napari_cellstage.learn.finetune import split
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.lessons import Lessons
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.stopping import ByNetworksBeside, ByPart, agreement, watch_of

SMALL = {"network": "layers", "layers": "conv 4 3, pool 2, dense 8", "views": 1}


def of(kind: type, events: list) -> list:
    return [event for event in events if isinstance(event, kind)]


@pytest.fixture
def by_folds(recipe: Recipe) -> Recipe:
    changes = {"stop_by": "cross-validation", "stop_folds": 3, "patience": 2, "epochs": 12, "validation": 0.3}
    return recipe.but(**SMALL, **changes, average=0.0, learning_rate=0.01, schedule="constant")


@pytest.fixture
def said(monkeypatch) -> list[float]:
    """Let the pooled accuracy be what this list says, epoch by epoch."""
    accuracies: list[float] = []
    given = iter(accuracies)
    monkeypatch.setattr(room, "agreement", lambda *_: (1.0, next(given)))
    return accuracies


def test_it_ends_when_the_accuracy_has_not_improved_for_as_many_epochs(make_crops, by_folds, run, said):
    said += [0.5, 0.6, 0.6, 0.55, 0.9]
    data = TrainingSet.from_crops(make_crops(count=24, side=12), by_folds)
    events, model = run(fit(data, by_folds))
    assert [e.valid_accuracy for e in of(EpochDone, events)] == [0.5, 0.6, 0.6, 0.55]
    assert model.card["epochs_done"] == 2, "as good as before is no improvement"
    assert model.scores.n == model.held_out.sum()


def test_the_kept_network_is_the_one_trained_anew_for_that_many_epochs(make_crops, by_folds, run, said):
    said += [0.5, 0.6, 0.6, 0.55, *(0.0, 0.0)]
    by_folds = by_folds.but(dropout=0.5)
    data = TrainingSet.from_crops(make_crops(count=24, side=12), by_folds)
    _, model = run(fit(data, by_folds))
    plain = by_folds.but(stop_by="validation", validation=0.0, patience=0, epochs=2)
    _, anew = run(fit(data, plain))
    for name, array in anew.arrays.items():
        assert np.array_equal(model.arrays[name], array), name


def test_the_accuracy_is_of_cells_left_out_with_their_group(make_crops, by_folds, run, monkeypatch):
    data = TrainingSet.from_crops(make_crops(count=36, side=12, groups=6), by_folds)
    parts = split(data, by_folds)
    assert len(parts.valid) == 0, "no cell is lost to a validation part"
    trained, looked = [], []
    epoch, look = Lessons.train_epoch, Lessons.look
    monkeypatch.setattr(
        Lessons, "train_epoch", lambda s, who, rows, *a: trained.append((who, rows)) or epoch(s, who, rows, *a)
    )
    monkeypatch.setattr(Lessons, "look", lambda s, who, rows: looked.append((who, rows)) or look(s, who, rows))
    run(fit(data, by_folds.but(epochs=1)))
    rehearsed, proper, *beside = trained
    assert rehearsed[1].tolist() == parts.train.tolist(), "of held-out cells nothing is rehearsed"
    assert proper[1].tolist() == parts.train.tolist()
    seen = [next(rows for one, rows in looked if one is who) for who, _ in beside]
    assert sorted(np.concatenate(seen).tolist()) == parts.train.tolist(), "each cell once"
    for (_, rows), left_out in zip(beside, seen, strict=True):
        assert not set(data.groups[rows]) & set(data.groups[left_out])
        assert sorted([*rows, *left_out]) == parts.train.tolist()


def test_held_out_cells_choose_nothing(make_crops, by_folds, run):
    crops = make_crops(count=30, side=12, groups=5)
    one = run(fit(TrainingSet.from_crops(crops, by_folds), by_folds))[1]
    crops.crops[one.held_out] = crops.crops[one.held_out][::-1] // 2
    again = run(fit(TrainingSet.from_crops(crops, by_folds), by_folds))[1]
    assert one.scores.n > 0
    assert one.card["epochs_done"] == again.card["epochs_done"]
    assert all(np.array_equal(one.arrays[name], again.arrays[name]) for name in one.arrays)


def test_progress_counts_all_networks(make_crops, by_folds, run):
    data = TrainingSet.from_crops(make_crops(count=24, side=12), by_folds)
    events, _ = run(fit(data, by_folds.but(epochs=2, patience=0)))
    steps = [e for e in of(BatchDone, events) if e.what.startswith("epoch")]
    trained = len(split(data, by_folds).train)
    assert steps[-1].done == steps[-1].total == 2 * trained * 3, "as much as three times the whole part"
    assert [e.done for e in steps] == sorted(e.done for e in steps)
    assert any(e.what == "epoch 1/2, network 3 of 3 beside" for e in steps)


@pytest.mark.parametrize("heard_at", [0, 3, 60, 150])
def test_a_stop_ends_normally_at_any_time(make_crops, by_folds, run, heard_at: int):
    asked = itertools.count()
    data = TrainingSet.from_crops(make_crops(count=24, side=12), by_folds)
    events, model = run(fit(data, by_folds.but(epochs=50, patience=0), lambda: next(asked) >= heard_at))
    assert model.card["stopped"] is True
    epochs = of(EpochDone, events)
    assert model.card["epochs_done"] <= len(epochs) < 50
    assert (model.scores is not None) == bool(epochs)
    if epochs:
        assert model.card["epochs_done"] == int(np.argmax([e.valid_accuracy for e in epochs])) + 1


def test_cells_that_can_not_be_divided_are_not_watched_so(by_folds):
    start = torch.nn.Identity()
    labels, pictures = torch.tensor([0, 1]), torch.zeros(2, 1, 8, 8)
    lessons = Lessons(by_folds, start, False, pictures, labels, 2, 1, lambda: False)
    rows, nothing = np.arange(2), np.zeros(0, dtype=np.int64)
    parts = Parts(rows, nothing, nothing, np.zeros(2, dtype=bool))
    assert isinstance(watch_of(lessons, parts, np.array(["a", "b"])), ByPart)


def test_the_recipe_says_what_is_watched(make_crops, by_folds, run):
    data = TrainingSet.from_crops(make_crops(count=24, side=12), by_folds)
    seen = []
    for recipe in (by_folds, by_folds.but(stop_by="validation")):
        lessons = Lessons(recipe, _network(recipe), False, torch.zeros(24, 2, 12, 12), *_rest(data))
        seen.append(type(watch_of(lessons, split(data, recipe), data.groups)))
    assert seen == [ByNetworksBeside, ByPart]


def _network(recipe):
    from napari_cellstage.learn.networks import make_network

    return make_network(recipe, 2, 3, 12)


def _rest(data):
    return torch.from_numpy(data.labels), 3, 1, lambda: False


def test_agreement():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]], dtype=np.float32)
    loss, accuracy = agreement(probabilities, np.array([0, 1]))
    assert loss == pytest.approx(-(math.log(0.9) + math.log(0.4)) / 2)
    assert accuracy == 0.5
    assert all(map(math.isnan, agreement(probabilities[:0], np.zeros(0, dtype=np.int64))))
