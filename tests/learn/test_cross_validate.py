"""Out-of-fold predictions: every cell by a model that has not seen it, and what happens with too little of anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_cellstage.learn import cross_validate as room
from napari_cellstage.learn.cross_validate import cross_validate
from napari_cellstage.learn.data import TrainingSet
from napari_cellstage.learn.events import BatchDone, Note
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.recipe import Recipe


@pytest.fixture
def quick():
    return Recipe.load("quick").but(threads=1, weights="none", folds=3)


def set_of(make_crops, recipe, **what):
    return TrainingSet.from_crops(make_crops(**what), recipe)


def texts(events):
    return " ".join(event.text for event in events if isinstance(event, Note))


def test_every_cell_is_predicted_once_by_a_model_without_its_group(make_crops, quick, run, monkeypatch):
    data = set_of(make_crops, quick, count=60, groups=6)
    seen = []

    def watched(data, recipe, should_stop, *, cache, held_out):
        seen.append(held_out)
        return (yield from fit(data, recipe, should_stop, cache=cache, held_out=held_out))

    monkeypatch.setattr(room, "fit", watched)
    _, found = run(cross_validate(replace(data, moment=7), quick))
    assert len(found) == len(data)
    assert found.names.tolist() == list(data.names)
    assert np.array_equal(found.truth, data.labels)
    assert (found.how, found.moment, found.by_cell) == ("out of fold", 7, False)
    assert len(seen) == 3
    assert np.stack(seen).sum(axis=0).tolist() == [1] * len(data)
    for number, held in enumerate(seen):
        assert not set(data.groups[held]) & set(data.groups[~held])
        assert (found.fold[held] == number).all()
    assert (found.predicted == found.truth).mean() > 0.8
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    assert not np.array_equal(found.raw, found.probabilities)


def test_cells_of_a_fold_have_no_say_in_their_model_or_its_brightness_range(make_crops, quick, run, monkeypatch):
    data = set_of(make_crops, quick, count=60, groups=6)
    models = []

    def kept(*args, **more):
        models.append((yield from fit(*args, **more)))
        return models[-1]

    monkeypatch.setattr(room, "fit", kept)
    _, found = run(cross_validate(data, quick))
    crops = data.crops.copy()
    crops[found.fold == 0] = 60_000
    labels = np.where(found.fold == 0, (data.labels + 1) % 3, data.labels)
    monkeypatch.setattr(room.TrainingSet, "folds", lambda *_: found.fold)  # the same folds
    run(cross_validate(replace(data, crops=crops, labels=labels), quick))
    first, again = models[0], models[3]
    assert first.normalisation == again.normalisation
    assert all(
        np.array_equal(first.arrays[name], again.arrays[name])
        for name in ("linear.weights", "kernel.cells", "kernel.weights", "space_axes")
    )
    assert first.card["temperature"] == again.card["temperature"]


def test_progress_goes_over_the_whole_and_never_back(make_crops, quick, run):
    events, _ = run(cross_validate(set_of(make_crops, quick, groups=6), quick))
    steps = [event for event in events if isinstance(event, BatchDone)]
    shares = [event.done / event.total for event in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert steps[0].what == "checking the model on all labelled cells, fold 1 of 3"
    assert steps[-1].what == "checking the model on all labelled cells, fold 3 of 3"
    assert len({share for share in shares if 0 < share < 1 / 3}) > 3  # also within a fold


def test_a_stop_leaves_the_folds_that_are_done(make_crops, quick, run):
    data = set_of(make_crops, quick, count=60, groups=6)
    events, stopped = [], []
    work = cross_validate(data, quick, lambda: bool(stopped))
    while True:
        try:
            events.append(next(work))
        except StopIteration as end:
            found = end.value
            break
        if getattr(events[-1], "what", "").endswith("fold 2 of 3"):
            stopped.append(True)
    assert "Stopped: 1 of 3 folds" in texts(events)
    assert 0 < len(found) < 60
    assert set(found.fold.tolist()) == {0}
    _, none = run(cross_validate(data, quick, lambda: True))
    assert none is None


def test_a_stop_ends_a_fold_in_its_midst(make_crops, quick, run, monkeypatch):
    went_on, stopped = [], []

    def endless(data, recipe, should_stop, *, cache, held_out):
        yield BatchDone("choosing a classifier", 1, 4)
        stopped.append(True)
        yield BatchDone("choosing a classifier", 2, 4)
        went_on.append(True)

    monkeypatch.setattr(room, "fit", endless)
    events, found = run(cross_validate(set_of(make_crops, quick, groups=6), quick, lambda: bool(stopped)))
    assert found is None
    assert went_on == []
    assert "Stopped: 0 of 3 folds were cross-validated, 0 cells" in texts(events)


def test_fewer_groups_than_folds_is_said(make_crops, quick, run):
    events, found = run(cross_validate(set_of(make_crops, quick, groups=2), quick.but(folds=5)))
    assert "in 2 folds instead of 5, as there are only so many groups" in texts(events)
    assert len(set(found.fold.tolist())) == 2


def test_one_image_only_is_divided_by_cell(make_crops, quick, run):
    _, found = run(cross_validate(set_of(make_crops, quick, groups=1), quick))
    assert found.by_cell
    assert len(found) == 36


def test_two_cells_a_class_give_something(make_crops, quick, run):
    _, found = run(cross_validate(set_of(make_crops, quick, count=4, classes=2, channels=1), quick.but(folds=5)))
    assert len(found) == 4
    assert np.isfinite(found.probabilities).all()


def test_a_class_in_one_group_only_gets_no_probability_there_and_is_said(make_crops, quick, run):
    data = set_of(make_crops, quick, count=60, groups=3)
    groups = np.where(data.labels == 2, "alone", data.groups)
    events, found = run(cross_validate(replace(data, groups=groups), quick))
    assert "Class 'c' is in one fold only (groups: alone)" in texts(events)
    rows = found.truth == 2
    assert rows.any()
    assert (found.probabilities[rows, 2] == 0).all()
    assert (found.predicted[rows] != 2).all()
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_many_classes_in_one_fold_are_one_sentence(make_crops, quick):
    data = set_of(make_crops, quick, count=72, classes=8)
    groups = np.array([f"movie {label}" for label in data.labels])
    fold = data.labels % 3
    (told,) = room._what_is_lacking(replace(data, groups=groups), fold, 3)
    assert told.startswith("Classes 'a', 'b', 'c' and 5 more are in one fold only (groups: movie 0, movie 1, movie 2 ")


def test_a_fold_without_probabilities_is_said_and_the_others_are_kept(make_crops, quick, run, monkeypatch):
    data, number = set_of(make_crops, quick, count=60, groups=6), []

    def sometimes(*args, **more):
        number.append(0)
        model = yield from fit(*args, **more)
        return replace(model, unseen=None) if len(number) == 2 else model

    monkeypatch.setattr(room, "fit", sometimes)
    events, found = run(cross_validate(data, quick))
    assert "Fold 2 of 3 came to nothing" in texts(events)
    assert "Stopped" not in texts(events)
    assert set(found.fold.tolist()) == {0, 2}


def test_each_class_in_a_group_of_its_own_is_no_traceback(make_crops, quick, run):
    data = set_of(make_crops, quick, count=20, classes=2)
    groups = np.array(["x", "y"])[data.labels]
    _, found = run(cross_validate(replace(data, groups=groups), quick))
    assert (found.predicted != found.truth).all()  # each model knows the other class only


def test_what_can_not_be_divided_is_said(make_crops, quick, run):
    events, found = run(cross_validate(set_of(make_crops, quick), quick.but(folds=0)))
    assert found is None
    assert "Not cross-validated" in texts(events)


def test_a_network_is_cross_validated_too(make_crops, recipe, run):
    data = set_of(make_crops, recipe, count=36, classes=2, groups=4)
    groups = np.where(data.labels == 1, np.where(np.arange(36) % 4 == 1, "p", "q"), data.groups)
    events, found = run(cross_validate(replace(data, groups=groups), recipe.but(folds=2)))
    assert len(found) == 36
    assert np.isfinite(found.unlike).all() or np.isnan(found.unlike).any()
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    steps = [event.what for event in events if isinstance(event, BatchDone)]
    assert any(what.endswith("fold 2 of 2") for what in steps)
