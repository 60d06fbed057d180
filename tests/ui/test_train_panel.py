"""The Train step: what is said before, during and after, with a training that is played."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager

from napari_cellstage.core.errors import TrainingError
from napari_cellstage.core.predictions import Predictions
from napari_cellstage.core.scoring.scores import score
from napari_cellstage.learn.events import BatchDone, EpochDone, Note
from napari_cellstage.learn.expected import picture_cost
from napari_cellstage.learn.job import Answer
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.ui import training_work
from napari_cellstage.ui.curve import LOSS_COLOR
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.train_panel import TrainPanel
from napari_cellstage.ui.training import PLANS, fit_note, missing_for_training, plan_recipes
from napari_cellstage.ui.training_work import score_text
from napari_cellstage.ui.workers import JobRunner

CLASSES = ("interphase", "prophase")


def answer(snapshot, name="quick", scores=None):
    predictions = {}
    for image in snapshot.images:
        probabilities = np.tile(np.array([0.9, 0.1], np.float32), (len(image.cells), 1))
        predictions[image.image_id] = Predictions(probabilities, (1, 2), np.zeros(len(image.cells), np.uint8))
    return Answer(name, predictions, scores, run="")


@pytest.fixture
def panel(qtbot, session):
    made = TrainPanel(session, JobRunner(), PanelTheme(ViewerModel()))
    qtbot.addWidget(made)
    return made


@pytest.fixture
def labelled(session):
    session.label_cells([0, 1, 2], 1)
    session.label_cells([3, 4], 2)
    return session


def play(monkeypatch, work):
    """Let the worker play `work(snapshot, should_stop)`, and return what it was started with."""
    started = []

    def training(snapshot, recipes, runs):
        started.append((snapshot, recipes, runs))
        return lambda should_stop: work(snapshot, should_stop)

    monkeypatch.setattr(training_work, "training", training)
    return started


def run(qtbot, panel):
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel.train.click()
    qtbot.wait(10)


def test_what_is_missing_is_said_instead_of_the_time(panel, session):
    assert not panel.train.isEnabled()
    assert "no cells are labelled" in panel.forecast.text()
    session.label_cells([0], 1)
    assert "one class is labelled" in panel.forecast.text()
    session.label_cells([1, 2], 2)
    assert "Class 'interphase' has 1 labelled cell" in panel.forecast.text()
    session.label_cells([3], 1)
    assert panel.train.isEnabled()
    assert missing_for_training(session) == ""


def test_device_and_time_are_said_before(panel, labelled):
    assert panel.forecast.text().startswith("Looking for a graphics card")
    panel.probe.found.emit('{"device": "cuda", "name": "RTX 4090"}')
    assert panel.forecast.text().startswith("Graphics card (RTX 4090), ")
    panel.probe.found.emit("")
    assert panel.forecast.text().startswith("Device unknown, ")


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_is_its_recipes_with_the_settings_of_the_form(panel, plan):
    panel.set_recipe(epochs=3, network="resnet18")
    recipes = plan_recipes(plan, panel.form.value)
    assert tuple(r.name for r in recipes) == PLANS[plan]
    assert all(r.epochs == 3 and r.network == "resnet18" and r.kind == r.name for r in recipes)


def test_training_shows_notes_curve_score_and_predictions(qtbot, panel, labelled, monkeypatch):
    scores = score(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]), CLASSES)

    def work(snapshot, _should_stop):
        yield Note("ImageNet weights can't be had; training from scratch.")
        yield answer(snapshot, "quick", scores)
        for epoch in (1, 2):
            yield BatchDone(f"epoch {epoch}/2", epoch, 2)
            yield EpochDone(epoch, 2, 1.0 / epoch, 1.0, 0.5 * epoch, 123.0)
        yield Note("finetune is kept: 0.9 against 0.75.")
        return answer(snapshot, "finetune", scores)

    started = play(monkeypatch, work)
    run(qtbot, panel)
    snapshot, recipes, runs = started[0]
    assert [r.name for r in recipes] == ["quick", "finetune"]
    assert runs == labelled.project.runs
    assert snapshot.version
    assert panel.score.text() == f"<b>finetune</b>: held-out accuracy {scores.text}"
    assert "from scratch" in panel.notes.text()
    assert "is kept" in panel.notes.text()
    assert panel._curve.accuracy.getData()[1].tolist() == [0.5, 1.0]
    assert panel._curve.getAxis("bottom").tickSpacing(1, 2, 200)[0][0] == 1  # epochs are whole
    assert panel._curve.getAxis("left").labelStyle["color"] == LOSS_COLOR
    assert labelled.predictions().predicted.tolist() == [1] * 12
    assert panel.speed.trained_per_second == 123.0


def test_predictions_are_given_once_and_the_run_is_noted_when_it_is_cross_validated(
    qtbot, panel, labelled, monkeypatch
):
    held_out = score(np.array([0, 1]), np.array([0, 1]), CLASSES)
    out_of_fold = score(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]), CLASSES)
    given, noted = [], []
    set_predictions = labelled.set_predictions
    monkeypatch.setattr(
        labelled, "set_predictions", lambda answers, version: given.append(answers) or set_predictions(answers, version)
    )
    monkeypatch.setattr(labelled, "note_run", noted.append)

    def work(snapshot, _should_stop):
        first = replace(answer(snapshot, "quick", held_out), run="run_1")
        yield first
        yield BatchDone("fold 1 of 5, measuring cells", 1, 5000)
        return replace(first, scores=out_of_fold)

    play(monkeypatch, work)
    run(qtbot, panel)
    assert len(given) == 1
    assert noted[-1] == "run_1"
    assert out_of_fold.text in panel.score.text()
    run(qtbot, panel)  # another training's are given again
    assert len(given) == 2


def test_closing_while_cross_validating_keeps_the_answer_and_its_score(qtbot, panel, labelled, monkeypatch):
    def work(snapshot, should_stop):
        first = answer(snapshot)
        yield first
        while not should_stop():
            yield BatchDone("fold 1 of 5, choosing a classifier", 1, 5000)
        return first

    play(monkeypatch, work)
    panel.train.click()
    panel.close_link(panel._runner.close())
    assert labelled.predictions() is not None


@pytest.mark.parametrize(("asked", "each"), [(0, [5, 0]), (1, [1, 1]), (2, [2, 2]), (7, [7, 7])])
def test_the_form_says_how_often_is_cross_validated_and_leaves_it_to_the_recipe_else(panel, asked, each):
    panel.set_recipe(folds=asked)
    assert [one.folds for one in plan_recipes("quick, then network", panel.form.value)] == each


def test_a_second_training_begins_a_new_curve(qtbot, panel, labelled, monkeypatch):
    def work(snapshot, _should_stop):
        yield EpochDone(1, 2, 1.0, 1.0, 0.5, 10.0)
        return answer(snapshot)

    play(monkeypatch, work)
    run(qtbot, panel)
    run(qtbot, panel)
    assert panel._curve.loss.getData()[0].tolist() == [1.0]


def test_the_one_epoch_of_the_quick_recipe_is_no_curve(qtbot, panel, labelled, monkeypatch):
    epochs = 2

    def work(snapshot, _should_stop):
        yield EpochDone(1, epochs, 1.0, 1.0, 0.5, 10.0)
        return answer(snapshot)

    play(monkeypatch, work)
    run(qtbot, panel)
    assert not panel._curve.isHidden()
    epochs = 1
    run(qtbot, panel)
    assert panel._curve.isHidden()


def test_after_a_stop_the_model_that_was_kept_predicts_in_a_job_of_its_own(qtbot, panel, labelled, monkeypatch):
    scores = score(np.array([0, 1]), np.array([0, 1]), CLASSES)
    asked = []

    def work(snapshot, _should_stop):
        yield Note("Stopped. finetune is kept.")
        return Answer("finetune", {}, scores, "run_7", to_predict=True)

    def predicting(snapshot, run):
        def work(_should_stop):
            yield BatchDone("predicting", 1, 1)
            return answer(snapshot, "finetune", scores)

        asked.append(run)
        return work

    play(monkeypatch, work)
    monkeypatch.setattr(training_work, "predicting", predicting)
    panel.train.click()
    qtbot.waitUntil(lambda: labelled.predictions() is not None and not panel._runner.busy, timeout=20000)
    assert asked == [labelled.project.runs / "run_7"]
    assert panel.score.text() == f"<b>finetune</b>: held-out accuracy {scores.text}"
    assert panel.train.isEnabled()


def test_labels_of_cells_set_aside_do_not_enable_training(session):
    session.set_audit(len(session.cells()))
    session.label_cells([0, 1, 2], 1)
    session.label_cells([3, 4], 2)
    missing = missing_for_training(session)
    assert missing.startswith("So far no cells are labelled, but for cells set aside for the final check. Label a few")


def test_no_score_is_said_too():
    text = score_text(SimpleNamespace(recipe_name="quick", scores=None))
    assert "no score" in text


def test_a_score_says_over_what_its_interval_is_and_what_to_know():
    truth = np.array([0, 1] * 6)
    groups = np.array([f"movie {i % 3}" for i in range(12)])
    scores = score(truth, truth, ("<i>a", "b"), groups=groups, by_cell=False)
    text = score_text(
        SimpleNamespace(
            recipe_name="<u>mine", scores=scores, unseen=SimpleNamespace(how="out of fold", truth=np.zeros(scores.n))
        )
    )
    assert text.startswith(f"<b>&lt;u&gt;mine</b>: cross-validated accuracy {scores.text}, interval over 3 movies")
    assert "⚠ The cells scored are in 3 movies" in text

    alone = score(truth, truth, ("<i>a", "b", "<i>c"), groups=groups[:1].repeat(12), by_cell=True)
    text = score_text(SimpleNamespace(recipe_name="quick", scores=alone))
    assert "⚠ All labelled cells are in one movie, so cells of it are on both sides" in text
    assert "<i>" not in text


def test_an_error_is_shown_and_train_can_be_pressed_again(qtbot, panel, labelled, monkeypatch):
    def work(_snapshot, _should_stop):
        yield Note("begun")
        raise TrainingError("Class 'prophase' has 1 labelled cell; training needs at least 2.")

    play(monkeypatch, work)
    run(qtbot, panel)
    assert notification_manager.records[-1].message.startswith("Class 'prophase' has 1 labelled cell")
    assert panel.train.isEnabled()


def test_an_answer_about_cells_that_were_replaced_is_dropped_and_said(qtbot, panel, labelled, monkeypatch):
    def work(snapshot, should_stop):
        while not should_stop():
            yield BatchDone("epoch 1/1", 1, 2)
        return answer(snapshot)

    play(monkeypatch, work)
    panel.train.click()
    assert not panel.train.isEnabled()
    labelled.set_labels(np.ones((1, 1, 40, 50), np.int32))
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel._runner.stop()
    qtbot.wait(10)
    assert labelled.predictions() is None
    assert "dropped" in notification_manager.records[-1].message


def test_another_project_gets_neither_predictions_nor_score_and_says_where_the_model_is(
    qtbot, panel, labelled, monkeypatch, tmp_path
):
    folder = labelled.project.folder

    def work(snapshot, should_stop):
        first = answer(snapshot, scores=score(np.array([0, 1]), np.array([0, 1]), CLASSES))
        while not should_stop():
            yield BatchDone("epoch 1/1", 1, 2)
        yield first
        return first

    play(monkeypatch, work)
    panel.score.setText("of an earlier training")
    panel.train.click()
    labelled.new_project(tmp_path / "other.cellstage")
    before = len(notification_manager.records)
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel._runner.stop()
    qtbot.wait(10)
    told = [one.message for one in list(notification_manager.records)[before:]]
    assert len(told) == 1
    assert str(folder) in told[0]
    assert "Predict with it" in told[0]
    assert panel.score.text() == ""


def test_a_training_stopped_in_another_project_is_not_gone_on_with_there(qtbot, panel, labelled, monkeypatch, tmp_path):
    def work(snapshot, should_stop):
        while not should_stop():
            yield BatchDone("epoch 1/1", 1, 2)
        return replace(answer(snapshot), run="run_1", to_predict=True)

    play(monkeypatch, work)
    panel.train.click()
    labelled.new_project(tmp_path / "other.cellstage")
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel._runner.stop()
    qtbot.wait(10)
    assert not panel._runner.busy
    assert "The project was closed" in notification_manager.records[-1].message


def test_closing_meanwhile_keeps_the_answer(qtbot, panel, labelled, monkeypatch):
    def work(snapshot, should_stop):
        while not should_stop():
            yield BatchDone("epoch 1/1", 1, 2)
        return answer(snapshot)

    play(monkeypatch, work)
    panel.train.click()
    panel.close_link(panel._runner.close())
    assert labelled.predictions() is not None


def test_read_only_can_not_be_trained(qtbot, labelled, tmp_path):
    from napari_cellstage.session import Session

    second = Session(tmp_path / "other")
    second.open_project(labelled.project.folder)
    panel = TrainPanel(second, JobRunner(), PanelTheme(ViewerModel()))
    qtbot.addWidget(panel)
    assert not panel.train.isEnabled()
    assert "read-only" in panel.forecast.text()
    second.close()


def test_a_score_of_choosing_between_two_models_is_not_called_cross_validated():
    scores = score(np.array([0, 1]), np.array([0, 1]), CLASSES)
    unseen = SimpleNamespace(how="out of fold", truth=np.zeros(40))
    text = score_text(SimpleNamespace(recipe_name="quick", scores=scores, unseen=unseen))
    assert "held-out accuracy" in text


def test_train_can_be_pressed_while_the_model_is_checked_and_begins_anew(qtbot, panel, labelled, monkeypatch):
    def work(snapshot, should_stop):
        made = answer(snapshot)
        yield replace(made, checking=len(started) == 1)
        while not should_stop():
            yield BatchDone("fold 1 of 5, choosing", 1, 2)
        return made

    started = play(monkeypatch, work)
    panel.train.click()
    qtbot.waitUntil(panel.train.isEnabled, timeout=20_000)
    panel.train.click()
    qtbot.waitUntil(lambda: len(started) == 2, timeout=20_000)
    qtbot.waitUntil(lambda: not panel.train.isEnabled(), timeout=20_000)  # this one has more to do than to check
    with qtbot.waitSignal(panel._runner.ended, timeout=20000):
        panel._runner.stop()
    qtbot.wait(10)
    assert len(started) == 2
    assert panel.train.isEnabled()


def test_each_recipe_says_what_it_is_and_the_plans_show_the_choices_of_their_kind(panel, labelled):
    panel.show()
    assert not panel.about.isVisible()
    panel.plan.setCurrentText("features-xgboost")
    assert panel.about.text() == Recipe.load("features-xgboost").about
    assert panel.rate.isHidden()
    panel.plan.setCurrentText("quick only")
    assert not panel.about.isVisible()
    assert panel.form.widgets["network"].native.isHidden() is False  # its pretrained features
    assert panel.form.widgets["epochs"].native.isHidden()
    assert panel.rate.isHidden()
    panel.plan.setCurrentText("network only")
    assert not panel.form.widgets["epochs"].native.isHidden()
    assert not panel.rate.isHidden()


def test_layers_too_many_for_the_picture_are_said_before_training(panel, labelled, monkeypatch):
    panel.plan.setCurrentText("network only")
    panel.set_recipe(network="layers", layers="conv 16 3, pool 9, conv 16 3", crop_size=16)
    assert panel.forecast.text().startswith("⚠ In layers, 'conv 16 3' looks at 3 pixels, but of pictures of 16")
    started = play(monkeypatch, lambda snapshot: iter(()))
    with notification_manager:
        panel.train.click()
    assert "Leave out a pooling before it" in notification_manager.records[-1].message
    assert started == []


def test_pictures_much_larger_than_the_image_are_told(panel, labelled):
    panel.set_recipe(crop_size=60)  # of an image of 40 by 50
    assert "⚠" not in panel.forecast.text()
    panel.plan.setCurrentText("microtubule-cnn")
    assert "Pictures of 300 pixels are taken, but this image has only 40" in panel.forecast.text()
    assert "at most" in panel.forecast.text()


def test_cells_much_larger_than_the_picture_are_told(panel, labelled):
    labels = np.zeros((1, 1, 40, 50), dtype=np.int32)
    labels[0, 0, :, :24], labels[0, 0, :, 26:] = 1, 2
    panel.set_recipe(crop_size=16)
    assert "⚠" not in panel.forecast.text()  # cells of 8 by 8
    labelled.set_labels(labels)
    labelled.label_cells([0, 1], labelled.scheme.ids[0])
    assert fit_note(labelled, panel.plan.recipes).startswith("\n⚠ Cells here are about 35 pixels across")
    assert fit_note(labelled, tuple(one.but(crop="cell") for one in panel.plan.recipes)) == ""
    assert fit_note(labelled, tuple(one.but(crop_size=32) for one in panel.plan.recipes)) == ""


def test_the_speed_of_a_network_is_told_for_others(panel, labelled):
    panel._trained = Recipe.load("microtubule-cnn")
    panel._on_epoch(EpochDone(1, 2, 1.0, 1.0, 0.5, 40.0))
    assert panel.speed.trained_per_second == pytest.approx(40 * picture_cost(panel._trained))
    before = panel.speed
    panel._on_epoch(EpochDone(1, 2, 1.0, 1.0, 0.5, 40.0, member="2 cellnet"))
    assert panel.speed == before
