"""A form from a dataclass: limits, choices and tips come from the fields."""

from __future__ import annotations

from dataclasses import fields

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_cellstage.core.segment import SegmentSettings
from napari_cellstage.learn.recipe import Recipe
from napari_cellstage.stain.recipe import StainRecipe
from napari_cellstage.ui.settings_form import SettingsForm


@pytest.fixture(params=[SegmentSettings(), Recipe.load("finetune")], ids=["segment", "recipe"])
def form(request, qtbot):
    made = SettingsForm(request.param, [f.name for f in fields(request.param)])
    qtbot.addWidget(made)
    return made, request.param


def test_it_gives_back_what_it_was_given(form):
    made, settings = form
    assert made.value == settings


def test_tips_and_limits_are_the_fields(form):
    made, settings = form
    for field in fields(settings):
        widget = made.widgets[field.name]
        assert widget.tooltip == field.metadata["tip"]
        if "min" in field.metadata:
            assert (widget.min, widget.max) == pytest.approx((field.metadata["min"], field.metadata["max"]), abs=1e-4)
        if "choices" in field.metadata:
            assert tuple(widget.choices) == field.metadata["choices"]


def test_a_change_is_told_once_and_is_in_the_value(qtbot):
    form = SettingsForm(SegmentSettings(), ("sensitivity",))
    qtbot.addWidget(form)
    with qtbot.waitSignal(form.changed, timeout=20_000):
        form.widgets["sensitivity"].value = 2.0
    assert form.value == SegmentSettings(sensitivity=2.0)


def test_being_given_settings_is_no_change_of_the_user(qtbot):
    form = SettingsForm(SegmentSettings(), ("sensitivity", "channel"))
    qtbot.addWidget(form)
    with qtbot.assertNotEmitted(form.changed):
        form.value = SegmentSettings(sensitivity=3.0, split=0.1)
    assert form.value == SegmentSettings(sensitivity=3.0, split=0.1)


def test_small_numbers_are_shown_whole(qtbot):
    form = SettingsForm(Recipe(learning_rate=0.0005), ("learning_rate", "label_smoothing"))
    qtbot.addWidget(form)
    assert form.value.learning_rate == 0.0005


def test_zero_says_what_it_means(qtbot):
    form = SettingsForm(SegmentSettings(max_diameter=0.0), ("max_diameter",))
    qtbot.addWidget(form)
    assert form.widgets["max_diameter"].native.text() == "no limit"
    form = SettingsForm(Recipe(), ("epochs",))
    qtbot.addWidget(form)
    label = form.layout().labelForField(form.widgets["epochs"].native)
    assert label.text() == "epochs (0: as needed)"


def test_a_whole_number_is_typed_digit_by_digit(qtbot):
    form = SettingsForm(StainRecipe(patch=96), ("patch", "seed"))
    qtbot.addWidget(form)
    form.show()
    box = form.widgets["patch"].native  # not below 8, nor above 1024
    box.selectAll()
    with qtbot.waitSignal(form.changed, timeout=20_000):
        QTest.keyClicks(box, "32")
    assert (box.text(), form.value.patch) == ("32", 32)  # before the field is left, too
    for typed, mended in (("3", 8), ("4000", 1024)):
        box.selectAll()
        QTest.keyClicks(box, typed)
        QTest.keyClick(box, Qt.Key.Key_Return)
        assert (box.text(), form.value.patch) == (str(mended), mended)
