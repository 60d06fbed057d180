"""What the Train button does, on a small synthetic field."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_cellstage.core.errors import ModelError, ProjectError, TrainingError
from napari_cellstage.core.predictions import HELD_OUT, NEITHER, TRAINED
from napari_cellstage.core.review.unseen import Unseen
from napari_cellstage.core.scoring.scores import score
from napari_cellstage.learn import job
from napari_cellstage.learn.choice import Choice
from napari_cellstage.learn.data import cell_names
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.fit import fit
from napari_cellstage.learn.job import Answer, predict_run, train_and_predict
from napari_cellstage.learn.model import TrainedModel
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.learn.run_records import list_runs
from napari_cellstage.learn.runs import save_run
from napari_cellstage.learn.validating import cross_validate_run
from napari_cellstage.sample_data import cell_cycle_field
from napari_cellstage.session import Session

SMALL = {"network": "mobilenet_v3_small", "weights": "none", "epochs": 2, "crop_size": 48, "views": 1, "threads": 1}
QUICK = Recipe.load("quick").but(crop_size=48, threads=1, folds=2)
NETWORK = Recipe.load("finetune").but(**SMALL)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A project in which three of four cells are labelled, resting or dividing."""
    made = Session(home=tmp_path_factory.mktemp("home"))
    field = cell_cycle_field(size=512, cells=40)
    made.add_image(field.stack)
    made.set_labels(field.labels)
    resting, dividing = made.add_class("resting"), made.add_class("dividing")
    for row, name in enumerate(field.truth_of(field.labels)):
        if row % 4:
            made.label_cells([row], resting if name == "interphase" else dividing)
    yield made
    made.close()


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def play(work, until=None, stopped=None):
    """Run a job to its end; set `stopped` at the first event for which `until` is true."""
    events = []
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            return events, end.value
        events.append(event)
        if until is not None and until(event):
            stopped.append(True)


def texts(events):
    return " ".join(event.text for event in events if isinstance(event, Note))


def fake_scores(accuracy):
    right = np.arange(10) < 10 * accuracy
    return score(np.zeros(10, np.int64), np.where(right, 0, 1), ("a", "b"))


def test_both_recipes_are_scored_on_the_same_cells_and_the_better_is_kept(session, runs):
    snapshot = session.snapshot()
    events, last = play(train_and_predict(snapshot, [QUICK, NETWORK], runs))
    shown = [event for event in events if isinstance(event, Answer)]
    assert shown[0].recipe_name == "quick"  # its overlay is to be seen while the network trains
    assert "is kept" in texts(events)
    cards = [json.loads((folder / "card.json").read_text()) for folder in sorted(runs.iterdir())]
    assert len(cards) == 2
    models = [TrainedModel.load(folder) for folder in sorted(runs.iterdir())]
    parts = [model.parts(cell_names(snapshot.images[0])) for model in models]
    assert np.array_equal(parts[0] == HELD_OUT, parts[1] == HELD_OUT)
    assert (parts[0] == HELD_OUT).any()
    assert (parts[0] == NEITHER).any()
    best = max((model.scores.accuracy, model.scores.macro_f1) for model in models if model.card["cross_validated"] == 0)
    kept = json.loads((runs / last.run / "card.json").read_text())
    own = kept.get("held_out_scores", kept["scores"])
    assert (own["accuracy"], own["macro_f1"]) >= best
    assert last.scores.to_dict() == kept["chosen_scores"]  # of the choosing, not the better of the two
    assert "flatters" in texts(events)


def test_a_run_folder_holds_what_is_shown(session, runs):
    snapshot = session.snapshot()
    events, last = play(train_and_predict(snapshot, [QUICK], runs))
    assert any(isinstance(event, BatchDone) for event in events)
    assert any(isinstance(event, EpochDone) for event in events)
    table = pd.read_csv(runs / last.run / "predictions.csv", keep_default_na=False)
    image = snapshot.images[0]
    found = last.predictions[image.image_id]
    names = {one.id: one.name for one in snapshot.scheme}
    assert table["predicted"].tolist() == [names[i] for i in found.predicted.tolist()]
    assert np.allclose(table["confidence"], found.confidence, atol=1e-6)
    assert set(table["part"]) == {"training", "held out", "neither"}
    assert (table["part"] == "training").sum() == (found.part == TRAINED).sum()
    assert len(pd.read_csv(runs / last.run / "history.csv")) == 1


def test_the_answer_is_shown_before_it_is_cross_validated(session, runs):
    snapshot = session.snapshot()
    events, last = play(train_and_predict(snapshot, [QUICK.but(folds=3)], runs))
    kinds = [isinstance(event, Answer) for event in events]
    folds = [event.done / event.total for event in events if isinstance(event, BatchDone) and "fold " in event.what]
    shown = next(event for event in events if isinstance(event, Answer))
    assert kinds.index(True) < next(
        i for i, e in enumerate(events) if isinstance(e, BatchDone) and "fold 1 of 3" in e.what
    )
    assert folds == sorted(folds)
    assert shown.checking
    assert last.predictions is shown.predictions  # so that the overlay is not painted twice
    assert (shown.unseen.how, last.unseen.how) == ("held out", "out of fold")
    labelled = int((snapshot.images[0].class_ids > 0).sum())
    assert len(last.unseen) == labelled == last.scores.n
    assert last.unseen.moment == snapshot.moment > 0
    stored = Unseen.load(runs / last.run / "unseen.npz")
    assert np.array_equal(stored.probabilities, last.unseen.probabilities)
    assert stored.run == last.run
    card = json.loads((runs / last.run / "card.json").read_text())
    assert card["cross_validated"] == 3
    assert card["scores"] == last.scores.to_dict()
    assert card["held_out_scores"] == shown.scores.to_dict()
    assert sum(card["labels"].values()) == labelled


def test_a_stop_in_cross_validation_keeps_the_folds_done_and_the_answer(session, runs):
    stopped = []
    work = train_and_predict(session.snapshot(), [QUICK.but(folds=5)], runs, lambda: bool(stopped))
    events, last = play(work, lambda event: isinstance(event, BatchDone) and "fold 4 of 5" in event.what, stopped)
    assert "Stopped: 3 of 5 folds" in texts(events)
    assert not last.to_predict
    assert 0 < len(last.unseen) < 30
    assert set(last.unseen.fold.tolist()) == {0, 1, 2}


def test_an_earlier_run_is_cross_validated_with_the_labels_of_today(session, runs):
    _, last = play(train_and_predict(session.snapshot(), [QUICK.but(folds=0)], runs))
    assert last.unseen.how == "held out"
    (runs / last.run / "weights.safetensors").unlink()  # its model is not needed
    session.label_cells([4], 2)
    try:
        events, found = play(cross_validate_run(session.snapshot(), runs / last.run, 3))
    finally:
        session.undo()
    assert found.how == "out of fold"
    assert 2 in np.asarray(found.classes.ids)[found.truth[found.cells.cell_id == session.cells().cell_id[4]]]
    assert found.moment > last.unseen.moment
    assert "cross-validated: " in texts(events)
    record = next(one for one in list_runs(runs) if one.name == last.run)
    assert (record.cross_validated, record.has_model, record.has_unseen) == (3, False, True)
    assert "gone" in record.problem
    with pytest.raises(TrainingError, match="2 folds or more, not 1"):
        play(cross_validate_run(session.snapshot(), runs / last.run, 1))


def test_an_error_while_cross_validating_loses_no_answer(session, runs, monkeypatch):
    def broken(*_args, **_kwargs):
        raise TrainingError("the disk is full")
        yield

    monkeypatch.setattr(job, "cross_validated", broken)
    events, last = play(train_and_predict(session.snapshot(), [QUICK], runs))
    assert last.predictions
    assert "Not cross-validated: the disk is full" in texts(events)


def test_the_worse_network_is_not_kept(session, runs, monkeypatch):
    ranks = {"quick": fake_scores(0.9), "finetune": fake_scores(0.5)}
    _score_as(monkeypatch, ranks)
    events, last = play(train_and_predict(session.snapshot(), [QUICK, NETWORK], runs))
    assert last.recipe_name == "quick"
    assert "quick is kept, as finetune is not better: finetune 0.50" in texts(events)


def test_where_the_network_is_kept_the_quick_run_is_cross_validated_so_that_all_cells_can_be_reviewed(
    session, runs, monkeypatch
):
    _score_as(monkeypatch, {"quick": fake_scores(0.5), "finetune": fake_scores(0.9)})
    snapshot = session.snapshot()
    events, last = play(train_and_predict(snapshot, [QUICK.but(folds=2), NETWORK], runs))
    shown = [event for event in events if isinstance(event, Answer)]
    assert (last.recipe_name, last.unseen.how) == ("finetune", "held out")
    assert (shown[-1].recipe_name, shown[-1].checking) == ("finetune", True)
    assert shown[-1].predictions is last.predictions
    quick = next(folder for folder in runs.iterdir() if folder.name.endswith("quick"))
    stored = Unseen.load(quick / "unseen.npz")
    assert stored.how == "out of fold"
    assert len(stored) == int((snapshot.images[0].class_ids > 0).sum())
    assert "quick, cross-validated: " in texts(events)


def test_a_stop_keeps_the_better_network_and_leaves_predicting_to_a_job_of_its_own(session, runs, monkeypatch):
    _score_as(monkeypatch, {"quick": fake_scores(0.5), "finetune": fake_scores(0.9)})
    stopped = []
    snapshot = session.snapshot()
    work = train_and_predict(snapshot, [QUICK, NETWORK.but(epochs=50)], runs, lambda: bool(stopped))
    events, last = play(work, lambda event: isinstance(event, EpochDone) and event.epochs == 50, stopped)
    assert "Stopped. finetune is kept, as it is better" in texts(events)
    assert last.to_predict
    assert last.predictions == {}
    _, answer = play(predict_run(snapshot, runs / last.run))
    assert answer.recipe_name == "finetune"
    assert not answer.to_predict
    assert not np.isnan(answer.predictions[snapshot.images[0].image_id].probabilities).any()
    assert (runs / last.run / "predictions.csv").is_file()


def test_a_stop_before_anything_was_learned_ends_with_a_sentence(session, runs):
    events, last = play(train_and_predict(session.snapshot(), [NETWORK], runs, lambda: True))
    assert last is None
    assert "stopped" in texts(events).lower()


def test_a_stop_in_the_first_epoch_of_the_network_keeps_quick(session, runs):
    stopped = []
    work = train_and_predict(session.snapshot(), [QUICK, NETWORK], runs, lambda: bool(stopped))
    events, last = play(work, lambda event: isinstance(event, BatchDone) and "epoch" in event.what, stopped)
    assert last.recipe_name == "quick"
    assert not last.to_predict
    assert "quick is kept" in texts(events)


def test_a_stop_while_predicting_says_how_many_cells_were_not_reached(session, runs):
    stopped = []
    snapshot = session.snapshot()
    _, last = play(train_and_predict(snapshot, [QUICK], runs))
    work = predict_run(snapshot, runs / last.run, lambda: True)
    events, answer = play(work, None, stopped)
    assert "cells were not predicted" in texts(events)
    assert (answer.predictions[snapshot.images[0].image_id].predicted == 0).any()


def test_an_error_of_torch_is_never_a_runtime_error(session, runs, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        yield

    with monkeypatch.context() as patched:
        patched.setattr(job, "fit", broken)
        with pytest.raises(TrainingError, match="Training can't go on: mat1 and mat2"):
            play(train_and_predict(session.snapshot(), [NETWORK], runs))
    monkeypatch.setattr(job, "predict_snapshot", broken)
    _, last = play(_stopped_training(session, runs))
    with pytest.raises(TrainingError, match="The cells can't be predicted: mat1"):
        play(predict_run(session.snapshot(), runs / last.run))


def _stopped_training(session, runs):
    stopped = []

    def watched():
        work = train_and_predict(session.snapshot(), [QUICK], runs, lambda: bool(stopped))
        while True:
            try:
                event = next(work)
            except StopIteration as end:
                return end.value
            if isinstance(event, EpochDone):
                stopped.append(True)
            yield event

    return watched()


def test_a_run_without_its_model_is_said(session, runs):
    with pytest.raises(ModelError, match="nowhere"):
        play(predict_run(session.snapshot(), runs / "nowhere"))


def _score_as(monkeypatch, scores):
    def scored(*asked, **more):
        model = yield from fit(*asked, **more)
        return replace(model, scores=scores[model.recipe.name])

    def choose(_first, _second, _seed):
        quick, network = (scores[name] for name in ("quick", "finetune"))
        return Choice(network.accuracy > quick.accuracy, max(quick, network, key=lambda one: one.accuracy))

    monkeypatch.setattr(job, "fit", scored)
    monkeypatch.setattr(job, "choose", choose)


def test_the_second_recipe_holds_out_the_very_cells_of_the_first(session, runs, monkeypatch):
    asked = []

    def watched(data, recipe, should_stop, **more):
        asked.append(more["held_out"])
        model = yield from fit(data, recipe, should_stop, **more)
        return model

    monkeypatch.setattr(job, "fit", watched)
    recipe = QUICK.but(folds=0)
    play(train_and_predict(session.snapshot(), [recipe, recipe.but(name="other", seed=3)], runs))
    cards = [json.loads(file.read_text()) for file in runs.glob("*/card.json")]
    assert asked[0] is None
    assert asked[1].sum() == len(cards[0]["split"]["held_out"])
    assert cards[0]["split"] == cards[1]["split"]


def test_without_room_for_pictures_the_run_is_kept(session, runs, monkeypatch):
    def full(*_args):
        raise ModelError("'examples.npz' can't be written: no space")

    monkeypatch.setattr(job, "save_examples", full)
    events, last = play(train_and_predict(session.snapshot(), [QUICK.but(folds=0)], runs))
    assert "no space" in texts(events)
    assert "not kept" not in texts(events)
    assert (runs / last.run / "predictions.csv").is_file()


def test_without_room_for_a_run_nothing_is_left_of_it_and_the_answer_is_given(session, runs, monkeypatch):
    def full(folder, model, history, data):
        save_run(folder, model, history, data)
        raise ProjectError("'history.csv' can't be written: no space")

    monkeypatch.setattr(job, "save_run", full)
    events, last = play(train_and_predict(session.snapshot(), [QUICK], runs))
    assert "This model is not kept on disk. 'history.csv'" in texts(events)
    assert last.predictions
    assert last.run == ""
    assert last.unseen.how == "out of fold"
    assert list_runs(runs) == ()


def test_an_ensemble_is_trained_shown_reviewed_and_predicts_again(session, runs, tmp_path):
    net = tmp_path / "net.toml"
    choices = {"kind": "finetune", "network": "mobilenet_v3_small", "weights": "none", "epochs": 1, "views": 1}
    net.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in choices.items()))
    recipe = Recipe.load("ensemble").but(members=f"quick, {net}", crop_size=48, threads=1)
    snapshot = session.snapshot()
    _, answer = play(train_and_predict(snapshot, [QUICK.but(folds=0), recipe], runs))
    record = next(one for one in list_runs(runs) if one.recipe == "ensemble")
    assert record.has_model
    assert record.has_unseen
    assert {"examples.npz", "labels.csv", "history.csv"} <= {f.name for f in record.folder.iterdir()}
    model = TrainedModel.load(record.folder)
    assert [one.recipe.crop_size for one in model.members] == [48, 48]
    _, again = play(predict_run(snapshot, record.folder))
    found = again.predictions[snapshot.images[0].image_id]
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    assert found.unlike is not None
    assert (found.part == HELD_OUT).any()
    assert answer.recipe_name in ("quick", "ensemble")


def test_an_ensembles_run_is_cross_validated_later(session, runs):
    recipe = Recipe.load("ensemble").but(members="quick, quick", crop_size=48, threads=1)
    snapshot = session.snapshot()
    play(train_and_predict(snapshot, [recipe], runs))
    (folder,) = runs.iterdir()
    play(cross_validate_run(snapshot, folder, 2))
    assert list_runs(runs)[0].cross_validated == 2
    labelled = sum(int((image.class_ids != 0).sum()) for image in snapshot.images)
    assert len(Unseen.load(folder / "unseen.npz")) == labelled


def test_a_task_is_trained_predicted_and_cross_validated_without_the_left_out_class(session, runs):
    third = session.add_class("third")
    before = session.class_ids().copy()
    rows = np.flatnonzero(before == 2)[:3]
    session.label_cells(rows, third)
    whole = session.snapshot()
    session.left_out = (third,)
    snapshot = session.snapshot()
    try:
        _, last = play(train_and_predict(snapshot, [QUICK], runs))
        assert last.left_out == ("third",)
        assert set(last.predictions[1].class_ids) == {1, 2}
        assert len(last.unseen) == int((before > 0).sum()) - 3
        aside = {int(i) for i in session.cells().cell_id[rows]}
        assert not aside & set(last.unseen.cells.cell_id.tolist())
        assert (last.predictions[1].part[rows] == NEITHER).all()
        folder = runs / last.run
        assert [one["name"] for one in list_runs(runs)[0].classes.to_dict()["classes"]] == ["resting", "dividing"]
        _, again = play(cross_validate_run(whole, folder, 2))  # the run's task, whatever is chosen now
        assert again.classes.names == ("resting", "dividing")
        assert len(again) == len(last.unseen)
    finally:
        session.left_out = ()
        session.label_cells(rows, 2)
        session.delete_class(third)
