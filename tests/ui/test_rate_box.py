"""The learning-rate finder in the dock, with a search that is played."""

from __future__ import annotations

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
from napari_cellstage.ui.workers import JobRunner

RATES = np.geomspace(1e-6, 1, 50)
LOSSES = np.where(RATES < 0.1, 2 - np.linspace(0, 1, 50), 9.0)


@pytest.fixture
def box(qtbot, session):
    form = RecipeForm(Recipe.load("finetune"))
    made = RateBox(session, JobRunner(), form, PanelTheme(ViewerModel()))
    for widget in (made, form.seen, form.learning):
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
    assert box.words.text() == "Suggested learning rate: 0.0042, where the loss falls fastest."
    assert box.take.isVisible()
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
