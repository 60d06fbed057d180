"""The learning-rate finder in the dock, with a search that is played."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager

from napari_cellstage.learn.events import BatchDone
from napari_cellstage.learn.rate_curve import RateCurve
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.ui import rate_box
from napari_cellstage.ui.rate_box import RateBox
from napari_cellstage.ui.recipe_form import RecipeForm
from napari_cellstage.ui.theme import PanelTheme
from napari_cellstage.ui.workers import Job, JobRunner

RATES = np.geomspace(1e-6, 1, 50)
LOSSES = np.where(RATES < 0.1, 2 - np.linspace(0, 1, 50), 9.0)


@pytest.fixture
def labelled(session):
    ids = session.scheme.ids
    session.label_cells(np.arange(0, 6), ids[0])
    session.label_cells(np.arange(6, 12), ids[1])
    return session


@pytest.fixture
def box(qtbot, labelled):
    session = labelled
    form = RecipeForm(Recipe.load("finetune"))
    made = RateBox(session, JobRunner(), form, PanelTheme(ViewerModel()))
    for widget in (made, form.seen, form.learning, form.more):
        qtbot.addWidget(widget)
    return made


def play(qtbot, box, monkeypatch, curve):
    def finding(snapshot, recipe):
        def work(should_stop):
            yield BatchDone("finding", 1, 2)
            return curve

        return work

    monkeypatch.setattr(rate_box, "finding", finding)
    with qtbot.waitSignal(box._runner.ended, timeout=20000):
        box.find.click()
    qtbot.wait(10)


def test_the_suggestion_is_shown_and_taken(qtbot, box, monkeypatch):
    box.show()
    assert not box.take.isVisible()
    play(qtbot, box, monkeypatch, RateCurve(RATES, LOSSES, LOSSES, 0.0042))
    assert box.words.text() == "Suggested learning rate: 0.0042, a tenth of that with the lowest loss."
    assert box.take.isVisible()
    axis = box._plot.getAxis("bottom")
    assert axis.labelStyle["color"] == box._theme.text.name()  # not the faint one of its lines
    with qtbot.waitSignal(box._form.changed):
        box.take.click()
    assert box._form.value.learning_rate == 0.0042


def test_without_a_suggestion_nothing_can_be_taken(qtbot, box, monkeypatch):
    box.show()
    play(qtbot, box, monkeypatch, RateCurve(RATES, LOSSES, LOSSES, None))
    assert "none is suggested" in box.words.text()
    assert not box.take.isVisible()
    play(qtbot, box, monkeypatch, None)
    assert "none is suggested" in box.words.text()


def test_a_recipe_without_a_network_says_so(box):
    box._form.value = Recipe.load("quick")
    with notification_manager:
        box.find.click()
    assert "'quick' trains no network of its own" in notification_manager.records[-1].message
    assert not box._runner.busy


def test_what_is_taken_over_counts_also_where_the_recipe_looks_for_a_rate_itself(qtbot, box, monkeypatch):
    box._form.value = Recipe.load("fastai-resnet34")
    play(qtbot, box, monkeypatch, RateCurve(RATES, LOSSES, LOSSES, 0.0042))
    box.take.click()
    assert (box._form.value.learning_rate, box._form.value.find_rate) == (0.0042, False)


def test_the_curve_of_another_project_is_forgotten(qtbot, box, labelled, monkeypatch, tmp_path):
    box.show()
    play(qtbot, box, monkeypatch, RateCurve(RATES, LOSSES, LOSSES, 0.0042))
    labelled.project_changed.emit()  # of the same project nothing is forgotten
    assert box.take.isVisible()
    assert box._plot.isVisible()
    labelled.new_project(tmp_path / "other")
    assert box.curve is None
    assert not box.take.isVisible()
    assert not box._plot.isVisible()
    assert box.words.text() == ""


def test_a_curve_that_comes_after_its_project_was_closed_is_not_shown(qtbot, box, labelled, monkeypatch, tmp_path):
    box.show()
    go_on = Event()

    def finding(snapshot, recipe):
        def work(should_stop):
            yield BatchDone("finding", 1, 2)
            go_on.wait(20)
            return RateCurve(RATES, LOSSES, LOSSES, 0.0042)

        return work

    monkeypatch.setattr(rate_box, "finding", finding)
    with qtbot.waitSignal(box._runner.ended, timeout=20000):
        box.find.click()
        labelled.new_project(tmp_path / "other")
        go_on.set()
    qtbot.wait(10)
    assert box.curve is None
    assert not box.take.isVisible()


def test_with_too_few_labels_and_beside_a_training_it_says_so(qtbot, box, labelled, monkeypatch):
    with notification_manager:
        go_on = Event()

        def slow(_should_stop):
            yield BatchDone("epoch 1/2", 1, 2)
            go_on.wait(20)

        with qtbot.waitSignal(box._runner.ended, timeout=20000):
            box._runner.start(Job("training", slow))
            box.find.click()
            assert notification_manager.records[-1].message.startswith("Training is still going on. Wait for it")
            go_on.set()
        labelled.label_cells(np.arange(12), 0)
        box.find.click()
        assert "So far no cells are labelled" in notification_manager.records[-1].message
        labelled.label_cells(np.arange(12), labelled.scheme.ids[0])
        labelled.blind = True
        box.find.click()
        assert "Blind labelling is on" in notification_manager.records[-1].message
    assert not box._runner.busy


def test_it_can_be_pressed_only_where_a_network_can_be_trained(box):
    box.show()
    box.allow("Label a few cells.")
    assert not box.find.isEnabled()
    assert "Label a few cells." in box.find.toolTip()
    box.allow("")
    assert box.find.isEnabled()
    box._form.value = Recipe.load("ensemble")
    box.allow("")
    assert not box.isVisible()


@pytest.mark.parametrize("how", ["stop", "close"])
def test_a_finder_that_is_stopped_or_closed_ends_at_once_and_shows_nothing(qtbot, box, monkeypatch, how):
    box.show()

    def finding(snapshot, recipe):
        def work(should_stop):
            while not should_stop():
                yield BatchDone("finding", 1, 2)
            return None

        return work

    monkeypatch.setattr(rate_box, "finding", finding)
    box.find.click()
    assert box._runner.busy
    if how == "close":
        assert box._runner.close(20) is not None
    else:
        with qtbot.waitSignal(box._runner.ended, timeout=20000):
            box._runner.stop()
    qtbot.wait(10)
    assert not box._runner.busy
    assert box.curve is None
    assert not box.words.isVisible()
